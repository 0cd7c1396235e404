"""What became of the events that were sent over HTTP."""

from __future__ import annotations

from typing import Literal

from app.api.schemas.base import ResponseModel


class EventError(ResponseModel):
    pointer: str
    detail: str
    code: str


class EventItem(ResponseModel):
    id: str | None
    status: Literal["accepted", "rejected"]
    errors: list[EventError]


class EventItems(ResponseModel):
    items: list[EventItem]
