"""Answers as bytes of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
from pydantic import BaseModel
from starlette.responses import Response

from app.api.http.tags import content_tag

Document: TypeAlias = dict[str, Any]
"""A resource of `app.api.schemas` before it is JSON: its members, in the order in which the schema has them.

Hundreds are shown in a second, and nobody outside has said anything in them: so no model is made to check them. A test
compares them with the models.
"""

_encode = msgspec.json.Encoder().encode


def respond(
    answer: BaseModel | Document | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    tagged: bool = False,
) -> Response:
    """`tagged`: with a digest of the answer as its ETag."""
    if answer is None:
        return Response(status_code=status, headers=dict(headers or {}))
    body = _encode(answer) if isinstance(answer, dict) else answer.model_dump_json(exclude_unset=True).encode()
    tag = content_tag(body) if tagged else {}
    return Response(body, status, {**tag, **(headers or {})}, media_type="application/json")
