"""One object for a wall."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from app.api.schemas.base import ResponseModel
from app.api.schemas.insight import CauseKinds, HourItem, ShareResource
from app.api.schemas.signal import SignalResource


class ActionCounts(ResponseModel):
    open: int
    overdue: int


class Wall(ResponseModel):
    """`live_hour` and `today` until now, in the asked zone. `oldest`: since when the oldest open callback is there.

    `recovered`, `kinds` and `promises_kept` from `from` to `to`. `actions` and `last_signal` are those of the whole
    company, whatever the filters.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    at: datetime
    zone: str
    from_: datetime = Field(alias="from")
    to: datetime
    live_hour: HourItem
    today: HourItem
    open: int
    overdue: int
    due_in_next_hour: int
    oldest: datetime | None
    recovered: ShareResource
    kinds: CauseKinds
    promises_kept: ShareResource
    actions: ActionCounts
    last_signal: SignalResource | None
