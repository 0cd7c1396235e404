"""The page, the table of moves and the code say the same about the life of a callback."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from alerts import transitions
from alerts.callback import TRANSITIONS, Callback, ClosedReason, State, Transition
from alerts.errors import Refused
from alerts.resolution import Cause, CauseKind, Outcome
from alerts.result import Result
from tests.unit.alerts.transitions.builders import POLICY, SOMEONE, alert, at, claimed, opened, promised, solved

PAGE = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text(encoding="utf-8")
NOT_MOVES = {"NewAttempt", "check_lease"}
NOW = at(10, 5)

STATES: dict[State, Callable[[], Callback]] = {
    State.WAITING: opened,
    State.LEASED: lambda: claimed(opened()),
    State.SCHEDULED: lambda: promised(claimed(opened()), at(15)).callback,
    State.RESOLVED: lambda: solved(claimed(opened())).callback,
    State.CLOSED: lambda: transitions.expire(opened(), now=NOW, policy=POLICY).callback,
}

# A value for each argument that some move takes beside callback, now and policy.
ARGUMENTS = {
    "alert": alert(),
    "customer": SOMEONE,
    "advisor": "ben",
    "token": "1.t",
    "seconds": 900,
    "reason": "r",
    "actor": "lead",
    "new": transitions.NewAttempt(result=Result.BUSY),
    "at": at(16),
    "keep_owner": False,
    "cause": Cause(CauseKind.SKILL, "other"),
    "outcome": Outcome.RECOVERED,
    "note": None,
    "text": "prefers mornings",
    "checklist": {},
    "version": None,
    "queue": "billing",
    "problem_id": "p",
}


def applied(name: str, callback: Callback) -> Transition:
    function = getattr(transitions, name)
    takes = inspect.signature(function).parameters
    given = {argument: ARGUMENTS[argument] for argument in takes if argument in ARGUMENTS}
    if name == "supersede":
        given["reason"] = ClosedReason.CUSTOMER_CALLED_IN
    if name == "permit":
        callback = callback.evolve(awaits_lead=True)
    if name == "schedule" and callback.state is not State.LEASED:
        given["token"] = None
    result = function(callback, now=NOW, policy=POLICY, **given)
    assert isinstance(result, Transition)
    return result


def arrows_of_the_table() -> set[tuple[str, str, str]]:
    return {
        (source, name, target) for name, ways in TRANSITIONS.items() for source, ends in ways.items() for target in ends
    }


def test_every_move_of_the_code_is_in_the_table_and_the_other_way_round() -> None:
    assert set(transitions.__all__) - NOT_MOVES == set(TRANSITIONS)


def test_the_pages_table_of_moves_is_the_table_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*)\|", PAGE.partition("## The transitions")[2].partition("\n## ")[0], re.M)
    on_the_page = {name: _ways(ways) for name, ways in rows}
    assert on_the_page == {
        name: {str(source): [str(end) for end in ends] for source, ends in ways.items()}
        for name, ways in TRANSITIONS.items()
    }


def _ways(text: str) -> dict[str, list[str]]:
    pairs = [pair.split(" -> ") for pair in text.strip().split("; ") if pair]
    return {source: ends.split(", ") for source, ends in pairs}


def test_every_arrow_of_the_drawing_is_in_the_table_and_none_that_changes_the_state_is_left_out() -> None:
    drawing = PAGE.partition("```\n")[2].partition("```")[0]
    drawn = {arrow for line in drawing.splitlines() if not line.startswith("open_callback") for arrow in _arrows(line)}
    changing = {arrow for arrow in arrows_of_the_table() if arrow[0] != arrow[2] and arrow[1] != "wake"}
    assert drawn == changing


def _arrows(line: str) -> set[tuple[str, str, str]]:
    """`a, b ──x, y──> c ──z──> d`: from a and b by x or y to c, from there by z to d."""
    parts = [part.strip().split(", ") for part in re.split(r"──>|──", line)]
    return {
        (source, move, target)
        for place in range(0, len(parts) - 2, 2)
        for source in parts[place]
        for move in parts[place + 1]
        for target in parts[place + 2]
    }


def test_the_page_explains_every_state_and_every_result() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE.partition("## The states")[2].partition("\n## ")[0], re.M)) == set(
        State
    )
    results = PAGE.partition("## What each result")[2].partition("\n## ")[0]
    assert all(f"`{result}`" in results for result in Result)


def test_every_state_is_the_one_it_is_said_to_be() -> None:
    assert {state: make().state for state, make in STATES.items()} == {state: state for state in State}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", [name for name in TRANSITIONS if name != "open_callback"])
def test_a_move_goes_where_the_table_says_and_is_refused_from_anywhere_else(name: str, state: State) -> None:
    callback = STATES[state]()
    if state in TRANSITIONS[name]:
        assert applied(name, callback).callback.state in TRANSITIONS[name][state]
    else:
        with pytest.raises(Refused):
            applied(name, callback)
