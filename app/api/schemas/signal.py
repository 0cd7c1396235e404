"""Signals, as they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from alerts.learning.signal import SignalState
from alerts.learning.watching import SignalKind
from app.api.schemas.base import ResponseModel
from app.api.schemas.paging import ListResource, PageQuery


class SignalQuery(PageQuery):
    kind: list[SignalKind] | None = None
    state: list[SignalState] | None = None


class ScopeResource(ResponseModel):
    """All answers whose `by` (`source`, `queue`, ...) is `value`."""

    by: str
    value: str


class ObservedResource(ResponseModel):
    bottom: int
    of: int


class SignalResource(ResponseModel):
    """`p_value`: the exact chance of as much, or more, when `expected` is usual: bad answers for a spike, answers for a silence.

    `since`: when what it tells of began; `ended_at`: when it was over, null while it goes on."""

    id: str
    kind: SignalKind
    state: SignalState
    scope: ScopeResource
    raised_at: datetime
    since: datetime
    ended_at: datetime | None
    observed: ObservedResource
    expected: float
    p_value: float
    false_alarms_a_month: float
    arithmetic: dict[str, Any] = Field(description="every figure that it rests on (docs/insights.md)")
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class SignalList(ListResource):
    items: list[SignalResource]
