"""What a lead does with a callback, and the steps of the ladder."""

from __future__ import annotations

import pytest

from alerts.callback import Flag, State
from alerts.calling_hours.window import Place
from alerts.errors import AlreadyResolved, NotClaimable
from alerts.transitions import assign, escalate, follow, move
from tests.unit.alerts.transitions.builders import (
    ANN,
    BEN,
    LEAD,
    POLICY,
    SOMEONE,
    TEN,
    at,
    claimed,
    due,
    event,
    kinds,
    opened,
    policy,
    promised,
    solved,
    someone,
)

GUESSED = Place(("America/New_York",), None, guessed=True)


def test_an_assigned_callback_is_its_advisors_alone_for_a_day() -> None:
    moved = assign(opened(), advisor=BEN, actor=LEAD, now=TEN, policy=POLICY)
    assert kinds(moved) == ["assigned"]
    assert moved.callback.state is State.WAITING
    assert (moved.callback.owner, moved.callback.owner_until) == (BEN, at(10, day=3))
    with pytest.raises(NotClaimable):
        claimed(moved.callback, at(10, 1), advisor=ANN)
    assert claimed(moved.callback, at(10, 1), advisor=BEN).lease_holder == BEN


def test_an_assigned_promise_is_its_advisors_until_shortly_after_its_time() -> None:
    scheduled = promised(claimed(opened()), at(15)).callback
    assigned = assign(scheduled, advisor=BEN, actor=LEAD, now=at(11), policy=POLICY).callback
    assert assigned.state is State.SCHEDULED
    assert (assigned.owner, assigned.owner_until) == (BEN, at(15, 5))
    with pytest.raises(NotClaimable):
        claimed(due(assigned, at(15)), at(15, 1), advisor=ANN)


def test_a_callback_moved_to_another_queue_keeps_the_waiting_time_it_has_earned() -> None:
    before = opened()
    moved = move(before, queue="billing", customer=SOMEONE, actor=LEAD, now=at(12), policy=POLICY)
    after = moved.callback
    assert after.queue == "billing"
    for name in (
        "opened_at",
        "rank_at",
        "priority_class",
        "due_first_attempt",
        "due_contact",
        "due_resolution",
        "state",
    ):
        assert getattr(after, name) == getattr(before, name), name
    assert event(moved, "moved").data == {"from": "general", "to": "billing", "queue": "billing"}


def test_a_guessed_zone_is_that_of_the_queue_it_was_moved_to() -> None:
    after = move(opened(), queue="us", customer=someone(where=GUESSED), actor=LEAD, now=at(12), policy=POLICY).callback
    assert after.flags == (Flag.ZONE_GUESSED,)
    assert after.callable_from == at(14)
    back = move(after, queue="general", customer=SOMEONE, actor=LEAD, now=at(12, 1), policy=POLICY).callback
    assert back.flags == ()
    assert back.ready


def test_each_step_of_the_ladder_is_taken_once_and_the_last_one_again() -> None:
    callback, steps = opened(), []
    for minute in range(4):
        moved = escalate(callback, actor=LEAD, now=at(10, minute), policy=POLICY, reason="angry")
        steps.append(event(moved, "escalated").data["step"])
        callback = moved.callback
    assert steps == ["owner", "lead", "manager", "manager"]
    assert Flag.ESCALATED in callback.flags
    assert callback.escalated_steps == 3


def test_the_step_that_withdraws_takes_the_lease_away() -> None:
    leased = claimed(opened()).evolve(escalated_steps=2)
    moved = escalate(leased, actor=LEAD, now=at(10, 5), policy=POLICY)
    assert kinds(moved) == ["escalated", "released"]
    assert moved.callback.state is State.WAITING
    assert event(moved, "released").data == {"reason": "withdrawn", "queue": "general", "holder": ANN}


def test_a_policy_without_steps_escalates_nothing() -> None:
    moved = escalate(opened(), actor=LEAD, now=TEN, policy=policy("escalation: {steps: []}"))
    assert moved.events == ()


def test_a_lead_does_nothing_with_a_callback_that_has_ended() -> None:
    ended = solved(claimed(opened())).callback
    facts = {"actor": LEAD, "now": TEN, "policy": POLICY}
    with pytest.raises(AlreadyResolved):
        assign(ended, advisor=BEN, **facts)  # type: ignore[arg-type]  # the facts are of three kinds
    with pytest.raises(AlreadyResolved):
        move(ended, queue="billing", customer=SOMEONE, **facts)  # type: ignore[arg-type]  # as above
    with pytest.raises(AlreadyResolved):
        escalate(ended, **facts)  # type: ignore[arg-type]  # as above
    with pytest.raises(AlreadyResolved):
        follow(ended, SOMEONE, **facts)  # type: ignore[arg-type]  # as above
