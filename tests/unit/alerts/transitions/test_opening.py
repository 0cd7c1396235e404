"""A bad answer opens a callback, or joins the one that is open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.callback import ClosedReason, Flag, State
from alerts.calling_hours.window import Place
from alerts.errors import AlreadyResolved
from alerts.scale import Box
from alerts.scoring import Verdict
from alerts.transitions import expire, join, supersede
from alerts.transitions.opening import rank_at, rank_terms
from tests.unit.alerts.transitions.builders import (
    POLICY,
    SOMEONE,
    TEN,
    alert,
    at,
    claimed,
    due,
    kinds,
    opened,
    policy,
    promised,
    someone,
)

HOUR = timedelta(hours=1)
GUESSED = Place(("Europe/London",), None, guessed=True)
LIFTING = policy("order: {lift_minutes: {segment: 30, wants_to_leave: 45}}")


def test_an_opened_callback_waits_with_its_targets_and_says_what_it_is_about() -> None:
    callback = opened()
    assert callback.state is State.WAITING
    assert (callback.points, callback.severity, callback.priority) == (1, 80, 2)
    assert callback.due_first_attempt == TEN + HOUR
    assert callback.due_contact == TEN + 24 * HOUR
    assert callback.due_resolution == TEN + 96 * HOUR
    assert callback.expires_at == TEN + timedelta(days=14)
    assert callback.waiting_since == TEN - timedelta(minutes=5)


def test_a_callback_opened_inside_the_window_is_ready_until_it_closes() -> None:
    callback = opened()
    assert callback.ready
    assert callback.callable_until == at(20)


def test_a_callback_opened_at_night_is_ready_when_the_window_opens() -> None:
    callback = opened(at(23))
    assert not callback.ready
    assert callback.callable_from == at(9, day=3) == callback.wake_at


def test_a_2_has_four_business_hours_that_go_on_in_the_morning() -> None:
    # the queue's clock is UTC: 18:00 + 2 h until 20:00, then 2 h from 09:00
    assert opened(at(18), points=2).due_first_attempt == at(11, day=3)


@pytest.mark.parametrize(("status", "flag"), [("none", Flag.NO_NUMBER), ("bad", Flag.BAD_NUMBER)])
def test_a_callback_without_a_usable_number_is_offered_with_a_flag(status: str, flag: Flag) -> None:
    callback = opened(status=status)
    assert callback.ready
    assert callback.flags == (flag,)


def test_a_policy_may_hold_callbacks_without_a_number() -> None:
    callback = opened(rules=policy("calling: {no_number: hold}"), status="none")
    assert not callback.ready
    assert callback.callable_reason.startswith("there is no number to call")


def test_zones_that_hardly_share_an_hour_need_a_lead() -> None:
    callback = opened(where=Place(("Europe/London", "Pacific/Auckland"), None))
    assert Flag.ZONE_NEEDED in callback.flags
    assert not callback.ready


def test_the_terms_of_the_rank_add_up_exactly() -> None:
    reasons = ("rated_1", "segment", "wants_to_leave")
    terms = rank_terms(2, reasons, LIFTING)
    assert terms == [("priority_2", 3600), ("reason_segment", -1800), ("reason_wants_to_leave", -2700)]
    assert rank_at(TEN, 2, reasons, LIFTING) == TEN - timedelta(seconds=900)


@given(
    later=st.timedeltas(timedelta(), timedelta(days=5000)),
    priority=st.integers(1, 5),
    reasons=st.lists(st.sampled_from(["segment", "wants_to_leave", "rated_1"]), unique=True),
)
def test_whatever_the_terms_their_sum_is_the_rank(later: timedelta, priority: int, reasons: list[str]) -> None:
    opened_at = TEN + later
    seconds = sum(seconds for _, seconds in rank_terms(priority, reasons, LIFTING))
    assert opened_at + timedelta(seconds=seconds) == rank_at(opened_at, priority, reasons, LIFTING)


def test_a_joining_answer_leaves_the_worse_of_both() -> None:
    joined = join(opened(points=2), alert(1), SOMEONE, now=at(10, 30), policy=POLICY)
    callback = joined.callback
    assert kinds(joined) == ["joined"]
    assert (callback.points, callback.severity, callback.priority) == (1, 80, 2)
    assert callback.reasons == ("rated_2", "rated_1")
    assert callback.rank_at == TEN + HOUR  # from its own opening, with the better priority
    assert callback.due_first_attempt == at(11, 30)  # the 1's hour, earlier than the 2's four


def test_a_joining_answer_never_makes_a_due_time_later_or_the_callback_less_urgent() -> None:
    before = opened()
    callback = join(before, alert(2), SOMEONE, now=at(15), policy=POLICY).callback
    assert (callback.points, callback.severity, callback.priority) == (1, 80, 2)
    assert callback.rank_at == before.rank_at
    assert callback.due_first_attempt == before.due_first_attempt
    assert callback.due_contact == before.due_contact
    assert callback.due_resolution == before.due_resolution


def test_joining_a_leased_callback_keeps_the_lease_and_tells_its_holder() -> None:
    leased = claimed(opened())
    callback = join(leased, alert(2), SOMEONE, now=at(10, 5), policy=POLICY).callback
    assert callback.state is State.LEASED
    assert callback.lease_token == leased.lease_token
    assert callback.lease_expires_at == leased.lease_expires_at
    assert callback.version == leased.version + 1
    assert Flag.NEW_ALERT in callback.flags


def test_joining_a_scheduled_callback_keeps_its_promise() -> None:
    scheduled = promised(claimed(opened()), at(15)).callback
    callback = join(scheduled, alert(1), SOMEONE, now=at(11), policy=POLICY).callback
    assert callback.state is State.SCHEDULED
    assert (callback.promise_at, callback.promise_state) == (at(15), "open")
    assert Flag.NEW_ALERT not in callback.flags


def test_joining_a_callback_whose_promise_is_due_leaves_it_before_the_others() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    assert join(waiting, alert(1), SOMEONE, now=at(15, 1), policy=POLICY).callback.priority_class == 0


def test_a_joining_answer_that_brings_a_number_ends_the_guessing() -> None:
    guessing = opened(where=GUESSED, status="none")
    assert guessing.flags == (Flag.NO_NUMBER, Flag.ZONE_GUESSED)
    perth = Place(("Australia/Perth",), "AU")
    callback = join(guessing, alert(), someone(where=perth), now=at(10, 5), policy=POLICY).callback
    assert callback.flags == ()
    assert callback.zones == ("Australia/Perth",)
    assert callback.callable_until == at(12)


def test_an_answer_after_a_withdrawn_opt_out_is_not_lost_with_the_lease() -> None:
    leased = supersede(claimed(opened()), ClosedReason.OPTED_OUT, now=at(10, 1), policy=POLICY).callback
    assert Flag.OPTED_OUT in leased.flags
    assert Flag.OPTED_OUT not in join(leased, alert(), SOMEONE, now=at(10, 2), policy=POLICY).callback.flags


def test_nothing_joins_a_callback_that_has_ended() -> None:
    closed = expire(opened(), now=at(12), policy=POLICY).callback
    with pytest.raises(AlreadyResolved):
        join(closed, alert(), SOMEONE, now=at(13), policy=POLICY)


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 600)), min_size=1, max_size=6))
def test_joins_only_ever_make_a_callback_more_urgent(answers: list[tuple[int, int]]) -> None:
    callback, now = opened(points=2), TEN
    for points, minutes in answers:
        now += timedelta(minutes=minutes)
        after = join(callback, alert(points), SOMEONE, now=now, policy=POLICY).callback
        assert after.priority <= callback.priority
        assert after.severity >= callback.severity
        assert after.rank_at <= callback.rank_at
        assert after.due_first_attempt is not None
        assert callback.due_first_attempt is not None
        assert after.due_first_attempt <= callback.due_first_attempt
        assert after.opened_at == callback.opened_at
        callback = after


def test_the_reasons_of_a_joining_answer_lift_the_callback() -> None:
    verdict = Verdict(Box.BOTTOM, 2, 70, 3, ("rated_2", "segment"))
    callback = opened(rules=LIFTING, points=2)
    after = join(callback, alert(2, verdict=verdict), SOMEONE, now=at(10, 5), policy=LIFTING).callback
    assert after.rank_at == callback.rank_at - timedelta(minutes=30)
