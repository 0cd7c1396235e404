"""The policy in force, as it is shown."""

from __future__ import annotations

from typing import Any

from app.api.schemas.base import ResponseModel


class PolicyInForce(ResponseModel):
    version: str
    name: str
    policy: dict[str, Any]
