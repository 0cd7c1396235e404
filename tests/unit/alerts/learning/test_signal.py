"""A signal is raised once, stays while it goes on, and is over when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.learning.signal import RaisedSignal, SignalState, acknowledged, seen_again, unseen
from alerts.learning.watching import SignalKind

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def signal(kind: SignalKind) -> RaisedSignal:
    return RaisedSignal(
        id="s",
        kind=kind,
        scope_by="source",
        scope_value="shop",
        raised_at=NOON,
        since=NOON,
        seen_at=NOON,
        bottom=9,
        of=10,
        expected=2.0,
        p_value=1e-9,
        alarms_a_month=1.0,
        arithmetic={},
    )


@pytest.mark.parametrize(("hours", "is_over"), [(1, False), (2, False), (3, True)])
def test_a_spike_is_over_after_three_calm_hours(hours: int, is_over: bool) -> None:
    after = unseen(signal(SignalKind.SPIKE), NOON + timedelta(hours=hours), is_heard=True)
    assert (after.ended_at is not None) is is_over


def test_a_spike_that_comes_again_goes_on() -> None:
    again = seen_again(signal(SignalKind.SPIKE), NOON + timedelta(hours=2))
    assert unseen(again, NOON + timedelta(hours=4), is_heard=True).ended_at is None


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_silence_is_over_when_the_source_is_heard(is_heard: bool) -> None:
    after = unseen(signal(SignalKind.SILENCE), NOON + timedelta(days=9), is_heard=is_heard)
    assert (after.ended_at is not None) is is_heard


def test_the_first_to_acknowledge_stays_the_one() -> None:
    first = acknowledged(signal(SignalKind.SPIKE), by="lea", now=NOON)
    assert (first.state, first.acknowledged_by) == (SignalState.ACKNOWLEDGED, "lea")
    assert acknowledged(first, by="leo", now=NOON + timedelta(hours=1)) is first
