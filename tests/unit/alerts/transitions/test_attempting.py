"""Each result of an attempt and what it leads to, and the promise of another call."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts.callback import Callback, ClosedReason, Flag, State, Target, Transition
from alerts.calling_hours.window import Place
from alerts.errors import AlreadyResolved, DoNotCall, Invalid, LeaseLost, NotClaimable, OutsideCallingWindow
from alerts.transitions import assign, fall_due, join, schedule, supersede, wake
from tests.unit.alerts.transitions.builders import (
    ANN,
    BEN,
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
    promised,
    solved,
    token,
    tried,
)

MINUTE = timedelta(minutes=1)


def woken(callback: Callback, now: datetime) -> Callback:
    return wake(callback, now=now, policy=POLICY).callback


# What each result leads to


def test_a_connected_attempt_keeps_the_lease_and_reaches_two_targets() -> None:
    moved = tried(claimed(opened()), "connected", at(10, 5))
    callback = moved.callback
    assert callback.state is State.LEASED
    assert callback.targets == {Target.FIRST_ATTEMPT: "met", Target.CONTACT: "met"}
    assert (callback.attempts_count, callback.failed_count) == (1, 0)
    assert set(event(moved, "attempted").measured) == {"time_to_first_attempt", "time_to_contact"}
    assert moved.attempt is not None
    assert (moved.attempt.result, moved.attempt.advisor) == ("connected", ANN)


def test_a_busy_line_is_tried_again_after_15_minutes() -> None:
    callback = tried(claimed(opened()), "busy", at(10, 5)).callback
    assert callback.state is State.WAITING
    assert callback.callable_from == at(10, 20)
    assert not callback.ready


def test_no_answer_is_tried_again_after_two_hours() -> None:
    callback = tried(claimed(opened()), "no_answer", at(10, 5)).callback
    assert callback.callable_from == at(12, 5)


def test_a_time_of_day_that_failed_is_not_tried_again_the_next_day() -> None:
    late = tried(claimed(opened(at(18)), at(18, 30)), "no_answer", at(18, 30)).callback
    assert late.callable_from == at(9, day=3)
    assert late.callable_until == at(16, 30, day=3)


def test_voicemail_is_tried_again_on_the_customers_next_day() -> None:
    callback = tried(claimed(opened()), "voicemail", at(10, 5)).callback
    assert callback.callable_from == at(12, 5, day=3)  # not within two hours of 10:05, of which 09:00 is


def test_the_next_day_is_that_of_the_customers_calendar() -> None:
    perth = Place(("Australia/Perth",), "AU")  # UTC+8: 09:05 UTC is 17:05 there, and midnight there is 16:00
    callback = tried(claimed(opened(at(9), where=perth), at(9)), "voicemail", at(9, 5)).callback
    assert callback.not_before == at(16)
    assert callback.callable_from == at(1, day=3)


def test_of_several_possible_calendars_the_last_ones_next_day_counts() -> None:
    coasts = Place(("America/New_York", "America/Los_Angeles"), "US")
    callback = tried(claimed(opened(at(18), where=coasts), at(18)), "voicemail", at(18)).callback
    assert callback.not_before == at(8, day=3)  # midnight in Los Angeles


@pytest.mark.parametrize("result", ["invalid_number", "wrong_person"])
def test_a_number_that_is_not_theirs_is_flagged_and_counts_as_a_failure(result: str) -> None:
    callback = tried(claimed(opened()), result, at(10, 5)).callback
    assert callback.state is State.WAITING
    assert callback.flags == (Flag.BAD_NUMBER,)
    assert callback.failed_count == 1
    assert callback.avoid == ()  # nobody was at home there at no time of day


def test_who_refuses_is_called_again_the_next_day_and_counts_as_reached() -> None:
    callback = tried(claimed(opened()), "refused", at(10, 5)).callback
    assert callback.state is State.WAITING
    assert callback.callable_from == at(9, day=3)
    assert callback.targets[Target.CONTACT] == "met"
    assert callback.failed_count == 0


def test_who_refuses_and_opts_out_is_never_called_again() -> None:
    moved = tried(claimed(opened()), "refused", at(10, 5), opt_out=True)
    assert (moved.callback.state, moved.callback.closed_reason) == (State.CLOSED, ClosedReason.OPTED_OUT)
    assert event(moved, "closed").actor == ANN
    assert moved.callback.wake_at is None


def test_the_third_failed_attempt_closes_the_callback_as_unreachable() -> None:
    callback = tried(claimed(opened()), "busy", at(10, 1)).callback
    callback = woken(callback, at(10, 16))
    callback = tried(claimed(callback, at(10, 16)), "busy", at(10, 17)).callback
    callback = woken(callback, at(10, 32))
    moved = tried(claimed(callback, at(10, 32)), "busy", at(10, 33))
    assert kinds(moved) == ["attempted", "target_missed", "target_missed", "closed"]
    assert moved.callback.closed_reason is ClosedReason.UNREACHABLE
    assert moved.callback.attempts_count == 3
    assert moved.callback.targets == {
        Target.FIRST_ATTEMPT: "met",
        Target.CONTACT: "missed",
        Target.RESOLUTION: "missed",
    }


@pytest.mark.parametrize("result", ["busy", "no_answer", "voicemail", "invalid_number", "refused"])
def test_every_result_but_connected_ends_the_lease(result: str) -> None:
    moved = tried(claimed(opened()), result, at(10, 5))
    assert moved.callback.lease_token is None
    assert event(moved, "released").data["reason"] == result


def test_a_failed_attempt_closes_it_when_the_customer_opted_out_meanwhile() -> None:
    leased = supersede(claimed(opened()), ClosedReason.OPTED_OUT, now=at(10, 1), policy=POLICY).callback
    callback = tried(leased, "busy", at(10, 5)).callback
    assert callback.closed_reason is ClosedReason.OPTED_OUT


# When an attempt counts


def test_an_attempt_counts_at_the_moment_it_began() -> None:
    leased = claimed(opened(at(19)), at(19, 50), seconds=1800)
    moved = tried(leased, "connected", at(20, 5), started_at=at(19, 55))
    assert moved.callback.first_attempt_at == at(19, 55)
    assert moved.attempt is not None
    assert not moved.attempt.outside_window


def test_an_attempt_outside_the_window_is_refused() -> None:
    leased = claimed(opened(at(19, 50)), at(19, 55))
    with pytest.raises(OutsideCallingWindow):
        tried(leased, "busy", at(20, 5))


def test_a_lead_may_record_a_call_that_did_happen_outside_the_window() -> None:
    leased = claimed(opened(at(19, 50)), at(19, 55))
    moved = tried(leased, "connected", at(20, 5), override_reason="he rang back")
    assert moved.attempt is not None
    assert moved.attempt.outside_window
    assert event(moved, "attempted").data["outside_window"] is True
    assert event(moved, "attempted").text == "he rang back"


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"started_at": at(10, 11)}, "/started_at"),
        ({"started_at": at(9, 54)}, "/started_at"),
        ({"ended_at": at(10, 11)}, "/ended_at"),
        ({"ended_at": at(9, 59)}, "/ended_at"),
        ({"started_at": at(10, 3), "ended_at": at(10, 2)}, "/ended_at"),
        ({"started_at": at(10, 3), "ended_at": at(10, 11)}, "/ended_at"),
        ({"opt_out": True}, "/opt_out"),
    ],
)
def test_a_report_that_cannot_be_right_is_refused(facts: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        tried(claimed(opened()), "busy", at(10, 5), **facts)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ({"started_at": at(10, 10)}, (at(10, 5), None)),
        ({"started_at": at(10, 6), "ended_at": at(10, 9)}, (at(10, 5), at(10, 5))),
        ({"started_at": at(10, 2), "ended_at": at(10, 7)}, (at(10, 2), at(10, 5))),
        ({"started_at": at(9, 55), "ended_at": at(9, 58)}, (TEN, TEN)),
        ({"started_at": at(9, 56), "ended_at": at(10, 1)}, (TEN, at(10, 1))),
        ({"ended_at": at(10, 4)}, (at(10, 5), at(10, 5))),
    ],
)
def test_a_softphones_clock_may_be_five_minutes_off(
    told: dict[str, Any], counts: tuple[datetime, datetime | None]
) -> None:
    moved = tried(claimed(opened()), "connected", at(10, 5), **told)
    assert moved.attempt is not None
    assert (moved.attempt.started_at, moved.attempt.ended_at) == counts
    assert moved.callback.first_attempt_at == counts[0]


def test_a_slow_clock_does_not_put_a_call_before_the_window() -> None:
    early = claimed(wake(opened(at(8)), now=at(9), policy=POLICY).callback, at(9))
    moved = tried(early, "connected", at(9, 5), started_at=at(8, 56))
    assert moved.attempt is not None
    assert not moved.attempt.outside_window


def test_an_attempt_after_the_lease_is_refused() -> None:
    with pytest.raises(LeaseLost):
        tried(claimed(opened()), "busy", at(10, 15))
    leased = claimed(opened())
    with pytest.raises(AlreadyResolved):
        tried(solved(leased).callback.evolve(lease_token=token(leased)), "busy", at(10, 5))


# The promise


def test_a_promise_leaves_the_queue_until_it_is_due_and_then_goes_first() -> None:
    moved = promised(claimed(opened()), at(15))
    scheduled = moved.callback
    assert kinds(moved) == ["scheduled"]
    assert (scheduled.state, scheduled.ready, scheduled.promise_state) == (State.SCHEDULED, False, "open")
    waiting = due(scheduled, at(15))
    assert (waiting.state, waiting.ready, waiting.priority_class, waiting.owner) == (State.WAITING, True, 0, ANN)


def test_a_promise_without_an_owner_is_anyones_at_once() -> None:
    waiting = due(promised(claimed(opened()), at(15), keep_owner=False).callback, at(15))
    assert waiting.owner is None
    assert claimed(waiting, at(15), advisor=BEN).lease_holder == BEN


@pytest.mark.parametrize(("minutes", "result"), [(0, "kept"), (15, "kept"), (16, "late")])
def test_a_promise_is_kept_within_15_minutes_and_late_in_the_same_window(minutes: int, result: str) -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    leased = claimed(waiting, at(15), seconds=3600)
    moved = tried(leased, "no_answer", at(15, minutes))
    assert event(moved, "promise_decided").data["result"] == result
    assert moved.callback.promise_state == result
    assert moved.callback.priority_class == 1


def test_an_attempt_after_the_window_of_the_promise_finds_it_broken() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(9, 5, day=3))
    moved = tried(claimed(waiting, at(9, 5, day=3)), "connected", at(9, 6, day=3))
    assert event(moved, "promise_decided").data["result"] == "broken"


def test_a_promise_that_nobody_kept_is_broken_when_its_window_closes_and_still_goes_first() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    moved = wake(waiting, now=at(20), policy=POLICY)
    assert event(moved, "promise_decided").data["result"] == "broken"
    assert moved.callback.priority_class == 0


def test_a_call_in_time_that_is_recorded_after_the_window_has_kept_the_promise() -> None:
    waiting = woken(promised(claimed(opened()), at(19, 50)).callback, at(19, 50))
    leased = woken(claimed(waiting, at(19, 50), seconds=3600), at(20, 1))
    assert leased.promise_state == "open"
    assert leased.wake_at is not None
    assert leased.wake_at > at(20, 1)
    moved = tried(leased, "connected", at(20, 5), started_at=at(19, 55))
    assert event(moved, "promise_decided").data["result"] == "kept"


def test_a_lease_that_ends_without_a_call_has_broken_the_promise() -> None:
    waiting = due(promised(claimed(opened()), at(19, 50)).callback, at(19, 50))
    moved = wake(claimed(waiting, at(19, 50)), now=at(20, 5), policy=POLICY)
    assert event(moved, "promise_decided").data["result"] == "broken"


def test_a_promise_is_void_when_the_callback_ends_before_its_time() -> None:
    scheduled = promised(claimed(opened()), at(15)).callback
    moved = supersede(scheduled, ClosedReason.CUSTOMER_CALLED_IN, now=at(12), policy=POLICY)
    assert moved.callback.promise_state == "void"
    assert "promise_decided" not in kinds(moved)


def test_news_after_the_window_of_a_promise_does_not_hide_that_it_was_broken() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    moved = supersede(waiting, ClosedReason.CUSTOMER_CALLED_IN, now=at(20, 1), policy=POLICY)
    assert moved.callback.promise_state == "broken"


def test_a_due_promise_that_another_replaces_without_an_attempt_is_broken() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    moved = promised(claimed(waiting, at(15, 5)), at(17), at(15, 6))
    assert kinds(moved) == ["promise_decided", "scheduled"]
    assert event(moved, "promise_decided").data["result"] == "broken"
    assert (moved.callback.promise_state, moved.callback.promise_at) == ("open", at(17))
    assert moved.callback.priority_class == 1


def test_an_attempt_decides_a_promise_once_and_another_one_may_follow() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    reached = tried(claimed(waiting, at(15)), "connected", at(15, 5)).callback
    assert kinds(promised(reached, at(17), at(15, 6))) == ["scheduled"]


def test_the_customers_own_time_counts_more_than_one_that_failed_before() -> None:
    failed = tried(claimed(opened()), "no_answer", at(10, 5)).callback
    leased = claimed(woken(failed, at(12, 5)), at(12, 5))
    scheduled = promised(leased, at(10, day=3), at(12, 6)).callback
    assert due(scheduled, at(10, day=3)).ready


def test_a_new_alert_is_not_new_to_whoever_takes_a_promise() -> None:
    leased = join(claimed(opened()), alert(2), SOMEONE, now=at(10, 1), policy=POLICY).callback
    assert Flag.NEW_ALERT not in promised(leased, at(15)).callback.flags


def promised_by_a_lead(callback: Callback, *, keep_owner: bool = True, new_owner: str | None = None) -> Transition:
    return schedule(
        callback,
        at=at(15),
        keep_owner=keep_owner,
        new_owner=new_owner,
        actor=LEAD,
        token=None,
        now=TEN,
        policy=POLICY,
    )


def test_a_promise_that_a_lead_makes_is_anyones() -> None:
    moved = promised_by_a_lead(opened())
    assert moved.callback.state is State.SCHEDULED
    assert (moved.callback.owner, moved.callback.owner_until) == (None, None)
    assert (event(moved, "scheduled").actor, event(moved, "scheduled").data["owner_kept"]) == (LEAD, False)
    assert claimed(due(moved.callback, at(15)), at(15), advisor=BEN).lease_holder == BEN


def test_a_lead_who_means_to_call_becomes_the_owner_of_one_that_has_none() -> None:
    moved = promised_by_a_lead(opened(), new_owner=LEAD)
    assert moved.callback.owner == LEAD
    assert event(moved, "scheduled").data["owner_kept"] is True


def test_a_promise_that_a_lead_makes_stays_its_owners() -> None:
    reserved = assign(opened(), advisor=BEN, actor=LEAD, now=TEN, policy=POLICY).callback
    assert promised_by_a_lead(reserved, new_owner=LEAD).callback.owner == BEN
    assert promised_by_a_lead(reserved, keep_owner=False, new_owner=LEAD).callback.owner is None


def test_others_come_while_a_promise_can_still_be_kept() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    assert waiting.owner_until == at(15, 5)
    moved = tried(claimed(waiting, at(15, 5), advisor=BEN), "connected", at(15, 6))
    assert event(moved, "promise_decided").data["result"] == "kept"


def test_others_come_before_the_window_of_a_promise_closes() -> None:
    assert promised(claimed(opened()), at(19, 56)).callback.owner_until == at(19, 58)


def test_a_promise_that_is_assigned_is_its_new_owners_for_as_long() -> None:
    scheduled = promised(claimed(opened()), at(15)).callback
    early = assign(scheduled, advisor=BEN, actor=LEAD, now=at(11), policy=POLICY).callback
    assert (early.owner, early.owner_until) == (BEN, at(15, 5))
    late = assign(due(scheduled, at(15)), advisor=BEN, actor=LEAD, now=at(15, 6), policy=POLICY).callback
    assert late.owner_until == at(15, 11)
    broken = wake(late, now=at(20), policy=POLICY).callback
    again = assign(broken, advisor=BEN, actor=LEAD, now=at(20, 1), policy=POLICY).callback
    assert again.owner_until == at(20, 1, day=3)


def test_without_its_lease_only_a_waiting_callback_can_be_promised() -> None:
    leased = claimed(opened())
    for callback in (leased, promised(leased, at(15)).callback, solved(leased).callback):
        with pytest.raises(NotClaimable):
            schedule(callback, at=at(16), keep_owner=False, actor=LEAD, token=None, now=TEN, policy=POLICY)


@pytest.mark.parametrize("when", [TEN, at(9), at(10, 1) + timedelta(days=30), at(11, day=20)])
def test_a_promise_lies_ahead_and_before_the_callback_expires(when: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        promised(claimed(opened()), when)
    assert refused.value.pointer == "/at"


@pytest.mark.parametrize("when", [at(21), at(8, 59, day=3), at(20), at(19, 59) + timedelta(seconds=30)])
def test_nothing_is_promised_outside_the_calling_window_or_in_its_last_minute(when: datetime) -> None:
    with pytest.raises(OutsideCallingWindow):
        promised(claimed(opened()), when)


def test_nothing_is_promised_to_somebody_who_opted_out() -> None:
    leased = supersede(claimed(opened()), ClosedReason.OPTED_OUT, now=at(10, 1), policy=POLICY).callback
    with pytest.raises(DoNotCall):
        promised(leased, at(15), at(10, 2))


def test_only_a_promise_can_fall_due() -> None:
    with pytest.raises(NotClaimable):
        fall_due(opened(), now=TEN, policy=POLICY)
