"""An error, and whether all is well."""

from __future__ import annotations

from typing import Literal

from app.api.schemas.base import ResponseModel


class Health(ResponseModel):
    status: Literal["alive", "ready"]


class ProblemError(ResponseModel):
    """`pointer` is a JSON Pointer into the body, or names a member of the query (`in`)."""

    pointer: str
    detail: str
    code: str | None = None


class ProblemDocument(ResponseModel):
    """RFC 9457. `instance` names this very request; the log has the same id."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[ProblemError] | None = None
