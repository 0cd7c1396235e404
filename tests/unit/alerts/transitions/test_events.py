"""Each event says in which version and state it has left the callback."""

from __future__ import annotations

from alerts.callback import ClosedReason, State, Transition
from alerts.event import EventKind
from alerts.transitions import note, release, supersede, wake
from tests.unit.alerts.transitions.builders import (
    ANN,
    POLICY,
    TEN,
    at,
    claimed,
    due,
    opened,
    promised,
    solved,
    token,
    tried,
)


def told(moved: Transition) -> list[tuple[EventKind, int, State]]:
    return [(event.kind, event.version, event.state) for event in moved.events]


def test_a_callback_is_in_its_first_version_when_it_was_opened() -> None:
    assert opened().version == 1


def test_every_event_of_one_move_has_a_version_and_a_state_of_its_own() -> None:
    leased = claimed(opened()).evolve(failed_count=2)
    assert told(tried(leased, "busy", at(10, 5))) == [
        (EventKind.ATTEMPTED, 3, State.LEASED),
        (EventKind.TARGET_MET, 4, State.LEASED),
        (EventKind.TARGET_MISSED, 5, State.LEASED),
        (EventKind.TARGET_MISSED, 6, State.LEASED),
        (EventKind.CLOSED, 7, State.CLOSED),
    ]


def test_a_try_is_told_before_what_it_leads_to() -> None:
    moved = tried(claimed(opened()), "no_answer", at(10, 5))
    assert told(moved)[0] == (EventKind.ATTEMPTED, 3, State.LEASED)
    assert told(moved)[-1] == (EventKind.RELEASED, moved.callback.version, State.WAITING)


def test_a_lease_that_ends_in_an_opt_out_is_given_back_and_then_closed() -> None:
    leased = supersede(claimed(opened()), ClosedReason.OPTED_OUT, now=at(10, 1), policy=POLICY).callback
    moved = release(leased, token=token(leased), reason="r", now=at(10, 5), policy=POLICY)
    assert told(moved) == [(EventKind.RELEASED, 4, State.WAITING), (EventKind.CLOSED, 5, State.CLOSED)]


def test_what_a_conversation_decides_is_told_before_its_end() -> None:
    waiting = due(promised(claimed(opened()), at(15)).callback, at(15))
    moved = solved(claimed(waiting, at(15)), at(15, 5))
    *before, (kind, version, state) = told(moved)
    assert {each for _, _, each in before} == {State.LEASED}
    assert (kind, version, state) == (EventKind.RESOLVED, moved.callback.version, State.RESOLVED)


def test_what_time_does_at_once_is_told_step_by_step() -> None:
    moved = wake(claimed(opened(), at(10, 50)), now=at(11, 30), policy=POLICY)
    assert [version for _, version, _ in told(moved)] == list(range(3, 3 + len(moved.events)))
    assert told(moved)[0] == (EventKind.RELEASED, 3, State.WAITING)


def test_a_note_is_an_event_like_any_other_on_a_callback_in_any_state() -> None:
    for callback in (opened(), claimed(opened()), solved(claimed(opened())).callback):
        moved = note(callback, text="prefers mornings", actor=ANN, now=TEN, policy=POLICY)
        assert told(moved) == [(EventKind.NOTED, callback.version + 1, callback.state)]
        assert moved.callback == callback.evolve(version=callback.version + 1)
        assert moved.events[0].text == "prefers mornings"
        assert "prefers" not in repr(moved.events[0].data)
