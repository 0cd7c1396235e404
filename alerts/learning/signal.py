"""A signal: chance alone does not explain what was seen. Raised once, acknowledged by a lead, over when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from alerts.insights.silence import Silence
from alerts.insights.spike import Spike
from alerts.learning.watching import SignalKind, WatchedScope

CALM = timedelta(hours=3)
"""A spike is over once so long no hour has raised it again; until then another such hour is the same spike."""


class SignalState(StrEnum):
    RAISED = "raised"  # nobody has said that they look after it
    ACKNOWLEDGED = "acknowledged"  # a lead has


class RaisedSignal(Struct, frozen=True, kw_only=True):
    """One signal, as it is stored. `since`: when what it tells of began; `seen_at`: until when it was last seen.

    `arithmetic`: the whole of `alerts.insights.spike.Spike`, or of `Silence`. Times are aware, in UTC.
    """

    id: str
    kind: SignalKind
    scope_by: str
    scope_value: str
    state: SignalState = SignalState.RAISED
    raised_at: datetime
    since: datetime
    seen_at: datetime
    ended_at: datetime | None = None
    bottom: int
    of: int
    expected: float
    p_value: float
    alarms_a_month: float
    arithmetic: dict[str, Any]
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None

    @property
    def scope(self) -> WatchedScope:
        return WatchedScope(self.scope_by, self.scope_value)


def acknowledged(signal: RaisedSignal, *, by: str, now: datetime) -> RaisedSignal:
    """A lead looks after it. The first one stays the one."""
    if signal.state is SignalState.ACKNOWLEDGED:
        return signal
    return structs.replace(signal, state=SignalState.ACKNOWLEDGED, acknowledged_at=now, acknowledged_by=by)


def seen_again(signal: RaisedSignal, until: datetime) -> RaisedSignal:
    """The same, still going on."""
    return structs.replace(signal, seen_at=until)


def unseen(signal: RaisedSignal, until: datetime, *, is_heard: bool) -> RaisedSignal:
    """The look until then has not raised it. A silence is over when the source `is_heard`, a spike after some calm."""
    is_over = is_heard if signal.kind is SignalKind.SILENCE else until - signal.seen_at >= CALM
    return structs.replace(signal, ended_at=until) if is_over else signal


def observed(found: Spike | Silence) -> tuple[int, int]:
    """Bad answers, of so many; of a silence there are none."""
    return (found.observed.count, found.observed.of) if isinstance(found, Spike) else (0, 0)
