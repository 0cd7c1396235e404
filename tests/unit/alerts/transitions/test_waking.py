"""Everything that the passing of time does, and that it never asks to be looked at in the past."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.callback import Callback, ClosedReason, Flag, State, Target, Transition
from alerts.calling_hours.window import Place
from alerts.errors import Refused
from alerts.policy import Policy
from alerts.transitions import (
    assign,
    claim,
    escalate,
    extend,
    follow,
    join,
    move,
    release,
    reopen,
    schedule,
    skip,
    supersede,
    wake,
)
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
    event,
    kinds,
    opened,
    policy,
    promised,
    solved,
    someone,
    tried,
)

STEEP = policy("escalation: {steps: [{percent: 1, to: lead, withdraw_lease: true}, {percent: 2, to: manager}]}")


def woken(callback: Callback, now: datetime, rules: Policy = POLICY) -> Transition:
    return wake(callback, now=now, policy=rules)


def through(callback: Callback, until: datetime) -> tuple[Callback, list[tuple[datetime, str]]]:
    """Wakes it whenever it asks for that, as the timer does; everything that happened, with its moment."""
    happened: list[tuple[datetime, str]] = []
    while callback.wake_at is not None and callback.wake_at <= until:
        moved = woken(callback, callback.wake_at)
        happened += [
            (each.at, str(each.data.get("step") or each.data.get("target") or each.kind)) for each in moved.events
        ]
        assert moved.callback.wake_at is None or moved.callback.wake_at > callback.wake_at
        callback = moved.callback
    return callback, happened


def test_a_window_opens_and_closes_by_itself_for_three_days() -> None:
    rules = policy("{escalation: {steps: []}, targets: {first_attempt_minutes_of_1: 20000, contact_hours: 999}}")
    callback, changes = opened(at(23, day=1), rules), []
    while callback.wake_at is not None and callback.wake_at < at(23, day=4):
        now = callback.wake_at
        callback = woken(callback, now, rules).callback
        changes.append((now, callback.ready))
    assert changes == [(at(hour, day=day), hour == 9) for day in (2, 3, 4) for hour in (9, 20)]


def test_the_ladder_is_climbed_once_on_the_clock_of_the_first_attempt() -> None:
    _, happened = through(opened(at(19, 30)), at(23, day=3))
    # The hour runs from 19:30 to 20:00 and from 09:00 to 09:30; half of it is over at 20:00, one and a half at 10:00.
    assert happened == [
        (at(20), "owner"),
        (at(9, 30, day=3), "first_attempt"),
        (at(9, 30, day=3), "lead"),
        (at(10, day=3), "manager"),
        (at(19, 30, day=3), "contact"),
    ]


def test_once_an_attempt_was_made_the_ladder_follows_the_contact_on_the_wall() -> None:
    tried_once = tried(claimed(opened()), "busy", at(10, 1)).callback
    _, happened = through(tried_once, at(23, day=3))
    assert happened == [
        (at(22), "owner"),
        (at(10, day=3), "contact"),
        (at(10, day=3), "lead"),
        (at(22, day=3), "manager"),
    ]


def test_the_managers_step_takes_the_lease_away() -> None:
    late = woken(opened(), at(11)).callback
    leased = claimed(late, at(11, 20))
    moved = woken(leased, at(11, 30))
    assert kinds(moved) == ["escalated", "released"]
    assert moved.callback.state is State.WAITING
    assert moved.callback.ready


def test_a_step_after_the_one_that_closed_it_is_not_taken() -> None:
    leased = supersede(claimed(opened(rules=STEEP)), ClosedReason.OPTED_OUT, now=at(10, 1), policy=STEEP).callback
    moved = woken(leased, at(10, 10), STEEP)
    assert kinds(moved) == ["escalated", "released", "closed"]


def test_a_step_is_not_taken_at_once_because_the_new_queue_is_closed() -> None:
    rules = policy(
        """
        queues: [{name: night, calendar: nights}]
        calendars: {nights: {zone: UTC, weekly: {mon: ["22:00-23:00"], tue: ["22:00-23:00"]}}}
        """
    )
    moved = move(
        opened(rules=rules),
        queue="night",
        customer=SOMEONE,
        actor=LEAD,
        now=at(10, 1),
        policy=rules,
    )
    assert woken(moved.callback, at(10, 2), rules).events == ()
    assert kinds(woken(moved.callback, at(10, 30), rules)) == ["escalated"]


def test_a_target_is_missed_once() -> None:
    late = woken(opened(), at(11))
    assert event(late, "target_missed").data["target"] == Target.FIRST_ATTEMPT
    assert "target_missed" not in kinds(woken(late.callback, at(12)))
    attempted = tried(claimed(late.callback, at(12)), "connected", at(12, 1))
    assert "target_missed" not in kinds(attempted)
    assert attempted.callback.targets == {Target.FIRST_ATTEMPT: "missed", Target.CONTACT: "met"}


def test_a_call_that_began_in_time_meets_its_target_though_it_is_recorded_late() -> None:
    leased = woken(claimed(opened(), at(10, 50)), at(11)).callback
    assert leased.targets == {}
    assert leased.overdue(at(11)) == (Target.FIRST_ATTEMPT,)
    moved = tried(leased, "connected", at(11, 3), started_at=at(10, 58))
    assert moved.callback.targets[Target.FIRST_ATTEMPT] == "met"


def test_a_lease_that_ends_without_a_call_has_missed_the_target() -> None:
    moved = woken(claimed(opened(), at(10, 50)), at(11, 5))
    assert moved.callback.targets == {Target.FIRST_ATTEMPT: "missed"}


def test_a_lease_taken_after_the_target_does_not_put_it_off() -> None:
    assert woken(claimed(opened(), at(11, 1)), at(11, 2)).callback.targets == {Target.FIRST_ATTEMPT: "missed"}


def test_an_expired_lease_a_due_promise_and_an_age_take_their_turn() -> None:
    assert kinds(woken(claimed(opened()), at(10, 15)))[0] == "released"
    assert kinds(woken(promised(claimed(opened()), at(15)).callback, at(15)))[0] == "due"
    assert kinds(woken(opened(), TEN + timedelta(days=14)))[-1] == "closed"


def test_waking_one_that_has_ended_changes_nothing() -> None:
    ended = solved(claimed(opened())).callback
    assert woken(ended, at(23)) == Transition(callback=ended)


def test_three_days_in_the_life_of_a_callback() -> None:
    """Answered on Monday evening, tried twice, promised for Thursday, reached late, solved."""
    callback = opened(at(19, 30), points=2)
    callback, _ = through(callback, at(9, 10, day=3))
    assert callback.ready
    callback = tried(claimed(callback, at(9, 10, day=3)), "no_answer", at(9, 12, day=3)).callback
    assert callback.targets == {Target.FIRST_ATTEMPT: "met"}
    callback, _ = through(callback, at(12, day=3))
    assert callback.ready
    callback = tried(claimed(callback, at(12, day=3)), "voicemail", at(12, 1, day=3)).callback
    callback, _ = through(callback, at(15, day=4))
    assert callback.callable_from == at(14, 1, day=4)  # neither within two hours of 09:12 nor of 12:01
    assert callback.targets[Target.CONTACT] == "missed"
    leased = tried(claimed(callback, at(15, day=4)), "connected", at(15, 1, day=4)).callback
    callback = promised(leased, at(10, day=5), at(15, 5, day=4)).callback
    callback, _ = through(callback, at(10, day=5))
    assert (callback.ready, callback.priority_class, callback.owner) == (True, 0, ANN)
    leased = claimed(callback, at(10, 25, day=5), advisor=BEN)
    leased = tried(leased, "connected", at(10, 26, day=5)).callback
    assert leased.promise_state == "late"
    ended = solved(leased, at(10, 39, day=5)).callback
    assert ended.targets == {
        Target.FIRST_ATTEMPT: "met",
        Target.CONTACT: "missed",
        Target.RESOLUTION: "met",
    }
    assert (ended.attempts_count, ended.failed_count, ended.lease_number) == (4, 2, 4)


# Whatever has happened to it


POLICIES = st.sampled_from(
    [
        POLICY,
        STEEP,
        policy("calling: {no_number: hold, days: [mon, wed]}"),
        policy("{attempts: {maximum: 9, avoid_minutes: 300}, expire_after_days: 2}"),
        policy("promises: {grace_minutes: 1, owner_minutes: 0}"),
        policy("{leases: {seconds: 5, ceiling_seconds: 86400}, targets: {first_attempt_minutes_of_1: 0}}"),
    ]
)
PLACES = st.sampled_from(
    [
        Place(("Europe/London",), "GB"),
        Place(("Australia/Perth",), "AU"),
        Place(("America/New_York", "America/Los_Angeles"), "US"),
        Place(("Europe/London", "Pacific/Auckland"), None),
        Place(("Asia/Kolkata",), None, guessed=True),
    ]
)
STEPS = (
    *("wake", "claim", "extend", "release", "skip", "busy"),
    *("no_answer", "voicemail", "invalid_number", "refused", "connected", "opt_out"),
    *("resolve", "promise", "promise_by_lead", "join", "called_in", "opted_out"),
    *("rerated", "erased", "duplicate", "assign", "move", "follow", "escalate", "reopen"),
)


def step(callback: Callback, what: str, place: Place, now: datetime, rules: Policy) -> Transition:
    """One move of anybody's; Refused when it is not possible now."""
    secret = callback.lease_token or "none"
    news = {
        "called_in": ClosedReason.CUSTOMER_CALLED_IN,
        "opted_out": ClosedReason.OPTED_OUT,
        "rerated": ClosedReason.RERATED,
        "erased": ClosedReason.ERASED,
        "duplicate": ClosedReason.DUPLICATE,
    }
    match what:
        case "wake":
            return wake(callback, now=now, policy=rules)
        case "claim":
            return claim(callback, advisor=ANN, token="t", seconds=3000, now=now, policy=rules)
        case "extend":
            return extend(callback, token=secret, seconds=900, now=now, policy=rules)
        case "release":
            return release(callback, token=secret, reason="r", now=now, policy=rules)
        case "skip":
            return skip(callback, token=secret, reason="r", now=now, policy=rules)
        case "resolve":
            return solved(callback.evolve(lease_token=secret), now, rules, version=callback.version)
        case "promise" | "promise_by_lead":
            by_lead, later = what == "promise_by_lead", now + timedelta(hours=5)
            return schedule(
                callback,
                at=later,
                keep_owner=True,
                actor=LEAD if by_lead else ANN,
                token=None if by_lead else secret,
                now=now,
                policy=rules,
            )
        case "join":
            return join(callback, alert(), someone(where=place), now=now, policy=rules)
        case "assign":
            return assign(callback, advisor=BEN, actor=LEAD, now=now, policy=rules)
        case "move":
            return move(callback, queue="other", customer=someone(where=place), actor=LEAD, now=now, policy=rules)
        case "follow":
            return follow(callback, someone(where=place, status="none"), actor=LEAD, now=now, policy=rules)
        case "escalate":
            return escalate(callback, actor=LEAD, now=now, policy=rules)
        case "reopen":
            return reopen(callback, SOMEONE, actor=LEAD, now=now, policy=rules)
        case "opt_out":
            return tried(callback.evolve(lease_token=secret), "refused", now, rules, opt_out=True)
        case _ if what in news:
            return supersede(callback, news[what], now=now, policy=rules)
        case _:
            return tried(callback.evolve(lease_token=secret), what, now, rules)


@settings(max_examples=300, deadline=None)
@given(
    rules=POLICIES,
    place=PLACES,
    start=st.integers(0, 7 * 24 * 60),
    life=st.lists(
        st.tuples(st.sampled_from(STEPS), PLACES, st.integers(0, 60 * 60), st.sampled_from([1, 1, 1, 40])),
        max_size=25,
    ),
)
def test_whatever_happens_waking_leaves_nothing_due_and_twice_is_once(
    rules: Policy,
    place: Place,
    start: int,
    life: list[tuple[str, Place, int, int]],
) -> None:
    now = TEN + timedelta(minutes=start)
    callback = opened(now, rules, where=place)
    happened: Counter[tuple[str, str]] = Counter()
    for what, where, seconds, factor in life:
        now += timedelta(seconds=seconds * factor)
        try:
            moved = step(callback, what, where, now, rules)
        except Refused:
            continue
        if what == "reopen":
            happened.clear()
        assert [each.version for each in moved.events] == list(range(callback.version + 1, moved.callback.version + 1))
        callback = moved.callback
        for each in moved.events:
            happened[each.kind, str(each.data.get("target", ""))] += 1
        _check(callback, happened)
        woke = wake(callback, now=now, policy=rules)
        assert woke.callback.wake_at is None or woke.callback.wake_at > now
        again = wake(woke.callback, now=now, policy=rules)
        assert again.events == ()
        assert again.callback == woke.callback
    _check_soundness(callback)


def _check(callback: Callback, happened: Counter[tuple[str, str]]) -> None:
    """A target is decided at most once, and an open callback has a next moment."""
    for target in Target:
        assert happened["target_met", target] + happened["target_missed", target] <= 1
    _check_soundness(callback)


def _check_soundness(callback: Callback) -> None:
    assert callback.is_open == (callback.wake_at is not None) == (callback.ended_at is None)
    assert (callback.state is State.LEASED) == (callback.lease_token is not None)
    assert (callback.state is State.CLOSED) == (callback.closed_reason is not None)
    assert not callback.ready or callback.state is State.WAITING
    if Flag.OPTED_OUT in callback.flags:
        assert callback.state not in (State.WAITING, State.SCHEDULED)
