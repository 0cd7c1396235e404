"""Taking a callback for a limited time, and every way in which it comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from alerts.callback import Callback, ClosedReason, Flag, State, Transition
from alerts.errors import AlreadyResolved, LeaseLost, NotClaimable, OutsideCallingWindow
from alerts.transitions import assign, claim, expire_lease, extend, join, release, skip, supersede, wake, withdraw
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
    policy,
    promised,
    solved,
    token,
)

MINUTE = timedelta(minutes=1)


def released(callback: Callback) -> Transition:
    return release(callback, token=token(callback), reason="lunch", now=at(10, 5), policy=POLICY)


def skipped(callback: Callback) -> Transition:
    return skip(callback, token=token(callback), reason="I know her", now=at(10, 5), policy=POLICY)


def withdrawn(callback: Callback) -> Transition:
    return withdraw(callback, actor=LEAD, reason="shift ends", now=at(10, 5), policy=POLICY)


def expired(callback: Callback) -> Transition:
    return expire_lease(callback, now=at(10, 15), policy=POLICY)


ENDS = pytest.mark.parametrize("end", [released, skipped, withdrawn, expired])


def test_a_claim_gives_a_lease_with_a_number_and_a_secret() -> None:
    moved = claim(opened(), advisor=ANN, token="secret", seconds=900, now=TEN, policy=POLICY)
    callback = moved.callback
    assert (callback.state, callback.lease_holder, callback.lease_token) == (State.LEASED, ANN, "1.secret")
    assert callback.lease_expires_at == at(10, 15) == callback.wake_at
    assert not callback.ready
    measured = event(moved, "claimed").measured["time_to_claim"]
    assert measured == {"wall": 300.0, "callable": 300.0}


def test_the_number_grows_with_each_claim_and_only_the_first_is_measured() -> None:
    back = released(claimed(opened())).callback
    moved = claim(back, advisor=BEN, token="x", seconds=900, now=at(10, 6), policy=POLICY)
    assert moved.callback.lease_number == 2
    assert event(moved, "claimed").measured == {}
    assert moved.callback.claimed_at == TEN


def test_a_night_counts_on_the_wall_and_not_among_the_callable_minutes() -> None:
    evening = opened(at(19, 50), answered_at=at(19, 50))
    morning = wake(evening, now=at(9, day=3), policy=POLICY).callback
    moved = claim(morning, advisor=ANN, token="x", seconds=900, now=at(9, 5, day=3), policy=POLICY)
    measured = event(moved, "claimed").measured["time_to_claim"]
    assert measured == {"wall": 13.25 * 3600, "callable": 15 * 60}


def test_a_lease_ends_at_the_ceiling_however_long_was_asked_for() -> None:
    assert claimed(opened(), seconds=10**6).lease_expires_at == at(11)


def test_nobody_claims_outside_the_calling_window() -> None:
    night = opened(at(23))
    with pytest.raises(OutsideCallingWindow) as refused:
        claimed(night, at(23, 1))
    assert refused.value.opens_at == at(9, day=3)


def test_a_window_that_has_closed_since_it_was_computed_refuses_the_claim() -> None:
    with pytest.raises(OutsideCallingWindow):
        claimed(opened(at(19)), at(20))


def test_only_a_waiting_callback_can_be_claimed() -> None:
    leased = claimed(opened())
    for state in (leased, promised(leased, at(15)).callback, solved(leased).callback):
        with pytest.raises(NotClaimable):
            claimed(state, at(15), advisor=BEN)


def test_one_that_is_held_for_want_of_a_number_cannot_be_claimed() -> None:
    held = opened(rules=policy("calling: {no_number: hold}"), status="none")
    with pytest.raises(NotClaimable, match="there is no number"):
        claimed(held)


def test_a_due_promise_is_its_owners_first_and_then_anyones() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    with pytest.raises(NotClaimable):
        claimed(waiting, at(15, 4), advisor=BEN)
    assert claimed(waiting, at(15, 4), advisor=ANN).lease_holder == ANN
    assert claimed(waiting, at(15, 5), advisor=BEN).lease_holder == BEN


def test_an_extension_counts_from_now_up_to_the_ceiling_and_never_shortens() -> None:
    leased = claimed(opened())
    secret = token(leased)
    longer = extend(leased, token=secret, seconds=900, now=at(10, 10), policy=POLICY).callback
    assert longer.lease_expires_at == at(10, 25) == longer.wake_at
    shorter = extend(longer, token=secret, seconds=5, now=at(10, 11), policy=POLICY).callback
    assert shorter.lease_expires_at == at(10, 25)
    longest = extend(longer, token=secret, seconds=3600, now=at(10, 24), policy=POLICY).callback
    assert longest.lease_expires_at == at(11)


def test_a_lease_that_has_run_out_cannot_be_extended() -> None:
    leased = claimed(opened())
    with pytest.raises(LeaseLost):
        extend(leased, token=token(leased), seconds=900, now=at(10, 15), policy=POLICY)


@pytest.mark.parametrize("move", [extend, release, skip])
def test_the_token_of_an_earlier_holder_is_refused(move: Callable[..., Transition]) -> None:
    first = claimed(opened())
    second = claimed(released(first).callback, at(10, 6), advisor=BEN)
    more = {"seconds": 900} if move is extend else {"reason": "late"}
    with pytest.raises(LeaseLost):
        move(second, token=token(first), now=at(10, 7), policy=POLICY, **more)


def test_a_lease_on_a_callback_that_has_ended_is_answered_so() -> None:
    leased = claimed(opened())
    with pytest.raises(AlreadyResolved):
        release(solved(leased).callback, token=token(leased), reason="late", now=at(10, 1), policy=POLICY)


@ENDS
def test_a_returned_callback_keeps_its_place_and_its_targets(end: Callable[[Callback], Transition]) -> None:
    before = opened()
    moved = end(claimed(before))
    after = moved.callback
    assert kinds(moved) == ["released"]
    assert after.state is State.WAITING
    assert after.ready
    for name in ("opened_at", "rank_at", "priority_class", "due_first_attempt", "due_contact", "due_resolution"):
        assert getattr(after, name) == getattr(before, name), name
    assert (after.lease_token, after.lease_holder, after.lease_expires_at, after.lease_claimed_at) == (None,) * 4
    assert after.attempts_count == 0


@ENDS
def test_a_returned_callback_forgets_that_an_alert_was_new_to_its_last_holder(
    end: Callable[[Callback], Transition],
) -> None:
    leased = join(claimed(opened()), alert(2), SOMEONE, now=at(10, 1), policy=POLICY).callback
    assert Flag.NEW_ALERT not in end(leased).callback.flags


@ENDS
def test_a_callback_whose_customer_opted_out_meanwhile_closes_when_its_lease_ends(
    end: Callable[[Callback], Transition],
) -> None:
    leased = supersede(claimed(opened()), ClosedReason.OPTED_OUT, now=at(10, 1), policy=POLICY).callback
    assert leased.state is State.LEASED
    moved = end(leased)
    assert kinds(moved) == ["released", "closed"]
    assert (moved.callback.state, moved.callback.closed_reason) == (State.CLOSED, ClosedReason.OPTED_OUT)


def test_each_end_of_a_lease_says_why_and_who_held_it() -> None:
    leased = claimed(opened())
    reasons = [event(end(leased), "released").data["reason"] for end in (released, skipped, withdrawn, expired)]
    assert reasons == ["released", "skipped", "withdrawn", "lease_expired"]
    assert {event(end(leased), "released").data["holder"] for end in (released, withdrawn, expired)} == {ANN}
    assert event(expired(leased), "released").actor == "system"
    assert event(withdrawn(leased), "released").actor == LEAD


def test_a_skipped_callback_is_kept_from_the_one_who_skipped_it_for_a_while() -> None:
    callback = skipped(claimed(opened())).callback
    assert callback.skips == {ANN: at(10, 35)}


def test_an_owner_who_skips_leaves_it_to_the_others() -> None:
    reserved = assign(opened(), advisor=ANN, actor=LEAD, now=TEN, policy=POLICY).callback
    moved = skipped(claimed(reserved))
    assert (moved.callback.owner, moved.callback.owner_until) == (None, None)
    assert event(moved, "released").data["owner_kept"] is False
    assert claimed(moved.callback, at(10, 6), advisor=BEN).lease_holder == BEN


def test_a_skip_by_somebody_else_leaves_the_owner_alone() -> None:
    reserved = assign(opened(), advisor=ANN, actor=LEAD, now=TEN, policy=POLICY).callback
    tomorrow = at(10, 5, day=3)
    again = claimed(wake(reserved, now=tomorrow, policy=POLICY).callback, tomorrow, advisor=BEN)
    moved = skip(again, token=token(again), reason="no", now=tomorrow, policy=POLICY)
    assert moved.callback.owner == ANN
    assert "owner_kept" not in event(moved, "released").data


def test_an_older_skip_that_is_over_is_forgotten() -> None:
    once = skipped(claimed(opened())).callback
    again = claimed(once, at(10, 40), advisor=BEN)
    moved = skip(again, token=token(again), reason="no", now=at(10, 41), policy=POLICY)
    assert moved.callback.skips == {BEN: at(11, 11)}


def test_nobody_can_take_back_what_nobody_holds() -> None:
    with pytest.raises(NotClaimable):
        withdraw(opened(), actor=LEAD, reason="", now=TEN, policy=POLICY)
    with pytest.raises(NotClaimable):
        expire_lease(opened(), now=TEN, policy=POLICY)
