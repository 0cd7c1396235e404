"""Queues, as they are shown."""

from __future__ import annotations

from datetime import datetime

from app.api.schemas.base import ResponseModel
from app.api.schemas.paging import ListResource


class Paused(ResponseModel):
    at: datetime
    by: str
    reason: str


class QueueResource(ResponseModel):
    """`ready` may be claimed now. `oldest`: when the one that waits longest was opened."""

    name: str
    paused: Paused | None
    waiting: int
    ready: int
    leased: int
    scheduled: int
    overdue: int
    oldest: datetime | None
    next_callable_at: datetime | None


class QueueList(ListResource):
    items: list[QueueResource]
