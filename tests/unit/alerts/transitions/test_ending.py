"""How a callback ends, with a conversation or without; and how it begins again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from alerts.callback import Callback, ClosedReason, Flag, State, Target
from alerts.errors import AlreadyResolved, CallbackChanged, DoNotCall, Invalid, LeaseLost, NotClaimable
from alerts.resolution import Cause, CauseKind
from alerts.transitions import escalate, expire, join, reopen, supersede, wake
from tests.unit.alerts.transitions.builders import (
    LEAD,
    POLICY,
    SOMEONE,
    TEN,
    alert,
    at,
    claimed,
    due,
    event,
    kinds,
    opened,
    policy,
    promised,
    solved,
    tried,
)


def superseded(callback: Callback, reason: ClosedReason) -> Callback:
    return supersede(callback, reason, now=at(10, 5), policy=POLICY).callback


def test_resolving_stores_cause_and_outcome_apart_and_decides_every_target() -> None:
    leased = tried(claimed(opened()), "connected", at(10, 2)).callback
    moved = solved(leased, at(10, 10))
    callback = moved.callback
    assert (callback.state, callback.ended_at) == (State.RESOLVED, at(10, 10))
    assert (callback.cause_kind, callback.cause_driver, callback.outcome) == ("skill", "courtesy", "recovered")
    assert callback.checklist == {"apologised": True}
    assert callback.targets == dict.fromkeys(Target, "met")
    assert kinds(moved) == ["target_met", "resolved"]
    resolved = event(moved, "resolved")
    assert resolved.text == "She was glad that we called."
    assert resolved.measured["time_to_resolution"] == {"wall": 900.0, "callable": 900.0}
    assert callback.wake_at is None
    assert callback.lease_token is None


def test_a_conversation_that_was_not_recorded_as_an_attempt_is_one_all_the_same() -> None:
    moved = solved(claimed(opened()), at(10, 10))
    assert moved.callback.first_attempt_at == moved.callback.contacted_at == at(10, 10)
    assert kinds(moved) == ["target_met", "target_met", "target_met", "resolved"]
    measured = event(moved, "resolved").measured
    assert set(measured) == {"time_to_first_attempt", "time_to_contact", "time_to_resolution"}


def test_a_late_resolve_has_missed_what_was_due_before() -> None:
    moved = solved(claimed(opened(), at(11, 1)), at(11, 5))
    assert moved.callback.targets[Target.FIRST_ATTEMPT] == "missed"
    assert moved.callback.targets[Target.RESOLUTION] == "met"


def test_resolving_keeps_a_promise_that_is_due() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    moved = solved(claimed(waiting, at(15)), at(15, 10))
    assert event(moved, "promise_decided").data["result"] == "kept"


def test_an_alert_that_joined_since_the_claim_must_be_read_first() -> None:
    leased = join(claimed(opened()), alert(2), SOMEONE, now=at(10, 1), policy=POLICY).callback
    with pytest.raises(CallbackChanged):
        solved(leased, at(10, 5))
    with pytest.raises(CallbackChanged):
        solved(leased, at(10, 5), version=leased.version - 1)
    assert solved(leased, at(10, 5), version=leased.version).callback.state is State.RESOLVED


def test_a_driver_or_a_checklist_item_that_the_policy_does_not_know_is_refused() -> None:
    with pytest.raises(Invalid, match="skill"):
        solved(claimed(opened()), cause=Cause(CauseKind.SKILL, "billing"))
    with pytest.raises(Invalid, match="checklist"):
        solved(claimed(opened()), checklist={"sang": True})


def test_a_late_resolve_after_the_lease_is_refused() -> None:
    with pytest.raises(LeaseLost):
        solved(claimed(opened()), at(10, 15))


def test_only_the_first_resolve_counts() -> None:
    leased = claimed(opened())
    ended = solved(leased).callback.evolve(lease_token=leased.lease_token)
    with pytest.raises(AlreadyResolved):
        solved(ended)


@pytest.mark.parametrize("reason", list(ClosedReason))
def test_news_closes_a_waiting_or_scheduled_callback(reason: ClosedReason) -> None:
    for callback in (opened(), promised(claimed(opened()), at(15)).callback):
        closed = superseded(callback, reason)
        assert (closed.state, closed.closed_reason) == (State.CLOSED, reason)
        assert closed.owner is None


@pytest.mark.parametrize(
    ("reason", "flag"),
    [
        (ClosedReason.CUSTOMER_CALLED_IN, Flag.CUSTOMER_CALLED_IN),
        (ClosedReason.RERATED, Flag.RERATED),
        (ClosedReason.OPTED_OUT, Flag.OPTED_OUT),
    ],
)
def test_news_about_a_leased_callback_is_shown_once_and_the_advisor_decides(reason: ClosedReason, flag: Flag) -> None:
    leased = claimed(opened())
    first = supersede(leased, reason, now=at(10, 5), policy=POLICY)
    assert kinds(first) == ["flagged"]
    assert first.callback.state is State.LEASED
    assert first.callback.flags == (flag,)
    assert first.callback.version == leased.version + 1
    again = supersede(first.callback, reason, now=at(10, 6), policy=POLICY)
    assert (again.events, again.callback) == ((), first.callback)


@pytest.mark.parametrize("reason", [ClosedReason.ERASED, ClosedReason.DUPLICATE])
def test_what_leaves_nobody_to_call_ends_the_work_at_once(reason: ClosedReason) -> None:
    leased = claimed(opened())
    moved = supersede(leased, reason, now=at(10, 5), policy=POLICY)
    assert kinds(moved) == ["closed"]
    assert event(moved, "closed").data["reason"] == reason
    assert (moved.callback.state, moved.callback.closed_reason) == (State.CLOSED, reason)
    assert (moved.callback.lease_token, moved.callback.lease_holder, moved.callback.wake_at) == (None, None, None)
    with pytest.raises(AlreadyResolved):
        solved(moved.callback.evolve(lease_token=leased.lease_token))


def test_news_about_a_callback_that_has_ended_is_refused() -> None:
    with pytest.raises(AlreadyResolved):
        superseded(solved(claimed(opened())).callback, ClosedReason.CUSTOMER_CALLED_IN)


def test_what_was_missed_before_the_news_stays_missed() -> None:
    moved = supersede(opened(), ClosedReason.CUSTOMER_CALLED_IN, now=at(11), policy=POLICY)
    assert kinds(moved) == ["target_missed", "closed"]
    assert moved.callback.targets == {Target.FIRST_ATTEMPT: "missed"}


def test_a_callback_expires_after_14_days_with_every_target_missed() -> None:
    moved = wake(opened(), now=TEN + timedelta(days=14), policy=POLICY)
    assert moved.callback.closed_reason is ClosedReason.EXPIRED
    assert moved.callback.targets == dict.fromkeys(Target, "missed")
    assert kinds(moved).count("target_missed") == 3


def test_a_target_that_outlives_its_callback_is_missed_with_it() -> None:
    rules = policy("targets: {resolution_hours: 999}")
    moved = wake(opened(rules=rules), now=TEN + timedelta(days=14), policy=rules)
    assert moved.callback.targets[Target.RESOLUTION] == "missed"


def test_a_promise_does_not_stop_a_callback_from_expiring() -> None:
    scheduled = promised(claimed(opened()), at(15)).callback.evolve(promise_at=at(15, day=17))
    closed = wake(scheduled, now=TEN + timedelta(days=14), policy=POLICY).callback
    assert closed.closed_reason is ClosedReason.EXPIRED


def test_a_leased_callback_expires_only_when_its_lease_ends() -> None:
    last = TEN + timedelta(days=13, hours=23, minutes=55)
    leased = claimed(wake(opened(), now=last, policy=POLICY).callback, last)
    held = wake(leased, now=TEN + timedelta(days=14), policy=POLICY).callback
    assert held.state is State.LEASED
    ended = wake(held, now=last + timedelta(minutes=15), policy=POLICY)
    assert ended.callback.closed_reason is ClosedReason.EXPIRED
    with pytest.raises(NotClaimable):
        expire(leased, now=TEN, policy=POLICY)


def unreachable() -> Callback:
    callback = opened()
    for minutes in (1, 20, 40):
        now = at(10, minutes)
        callback = wake(callback, now=now, policy=POLICY).callback
        callback = tried(claimed(callback, now), "busy", now).callback
    assert callback.closed_reason is ClosedReason.UNREACHABLE
    return callback


@pytest.mark.parametrize("ended", [unreachable, lambda: solved(claimed(opened())).callback])
def test_a_reopened_callback_has_fresh_targets_and_keeps_its_place(ended: Callable[[], Callback]) -> None:
    before = ended()
    moved = reopen(before, SOMEONE, actor=LEAD, now=at(12), policy=POLICY, reason="she wrote to us")
    callback = moved.callback
    assert event(moved, "reopened").text == "she wrote to us"
    assert callback.state is State.WAITING
    assert callback.ready
    assert callback.flags == (Flag.REOPENED,)
    assert callback.targets == {}
    assert callback.due_first_attempt == at(13)
    assert (callback.opened_at, callback.rank_at) == (before.opened_at, before.rank_at)
    assert callback.waiting_since == at(12)
    assert (callback.failed_count, callback.attempts_count) == (0, before.attempts_count)
    assert (callback.outcome, callback.ended_at, callback.closed_reason) == (None, None, None)


def test_a_reopened_callback_climbs_the_ladder_anew() -> None:
    raised = escalate(claimed(opened()), actor=LEAD, now=at(10, 1), policy=POLICY).callback
    again = reopen(solved(raised, at(10, 2)).callback, SOMEONE, actor=LEAD, now=at(12), policy=POLICY).callback
    assert again.escalated_steps == 0
    assert Flag.ESCALATED not in again.flags


def test_only_a_callback_that_has_ended_can_be_reopened() -> None:
    for callback in (opened(), claimed(opened())):
        with pytest.raises(NotClaimable):
            reopen(callback, SOMEONE, actor=LEAD, now=TEN, policy=POLICY)


def test_nobody_reopens_a_callback_of_somebody_who_opted_out_or_was_erased() -> None:
    with pytest.raises(DoNotCall):
        reopen(superseded(opened(), ClosedReason.OPTED_OUT), SOMEONE, actor=LEAD, now=at(12), policy=POLICY)
    with pytest.raises(NotClaimable):
        reopen(superseded(opened(), ClosedReason.ERASED), SOMEONE, actor=LEAD, now=at(12), policy=POLICY)
