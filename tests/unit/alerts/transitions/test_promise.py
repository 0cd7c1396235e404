"""A promise is decided exactly once, whatever happens after."""

from __future__ import annotations

from datetime import timedelta

from alerts.transitions import wake
from alerts.transitions.promise import break_promise, judge_promise, lapse_promise, promise_lapses_at
from tests.unit.alerts.transitions.builders import POLICY, at, claimed, due, event, opened, promised


def test_a_callback_without_a_promise_has_none_to_decide() -> None:
    callback = opened()
    for moved in (
        judge_promise(callback, at(15), at(15), POLICY),
        break_promise(callback, at(15)),
        lapse_promise(callback, at(15)),
    ):
        assert (moved.callback, moved.events) == (callback, ())


def test_a_decided_promise_is_not_decided_again() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    kept = judge_promise(waiting, at(15, 1), at(15, 1), POLICY).callback
    assert judge_promise(kept, at(18), at(18), POLICY).events == ()
    assert lapse_promise(kept, at(21)).events == ()


def test_deciding_a_promise_is_seen_in_the_version() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    assert lapse_promise(waiting, at(20)).callback.version == waiting.version + 1


def test_a_promise_lapses_when_its_window_closes_and_not_before() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    assert promise_lapses_at(waiting) == at(20)
    assert lapse_promise(waiting, at(20) - timedelta(microseconds=1)).events == ()
    assert event(lapse_promise(waiting, at(20)), "promise_decided").data["result"] == "broken"


def test_a_lease_from_before_the_windows_end_leaves_a_promise_open() -> None:
    waiting = wake(promised(claimed(opened()), at(19, 50)).callback, now=at(19, 50), policy=POLICY).callback
    leased = claimed(waiting, at(19, 55))
    assert promise_lapses_at(leased) is None
    assert promise_lapses_at(leased.evolve(lease_claimed_at=at(20, 1))) == at(20)
