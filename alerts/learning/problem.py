"""A known problem: one thing went wrong for many, and whoever phones them should know what it is.

open: it explains the bad answers that its condition fits; advisors read its note
solved: it explains no further answer; the customers who were not told yet are a list to work through
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from alerts.conditions import When
from alerts.errors import Invalid
from alerts.policy import Policy
from alerts.survey import SurveyResponse

LOWEST = 5  # priority


class ProblemState(StrEnum):
    OPEN = "open"  # it goes on
    SOLVED = "solved"  # it is over; its customers are told


class KnownProblem(Struct, frozen=True, kw_only=True):
    """One problem, as it is stored. `match`: a condition of the policy, as JSON. `note`: what advisors say meanwhile.

    `message`: what customers are told once it is solved. `signal_id`: what it was noticed by. Times are aware, in UTC.
    """

    id: str
    title: str
    match: dict[str, Any]
    note: str | None = None
    signal_id: str | None = None
    state: ProblemState = ProblemState.OPEN
    message: str | None = None
    version: int = 1
    created_at: datetime
    created_by: str
    changed_at: datetime
    solved_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state is ProblemState.OPEN


class OpenProblem(Struct, frozen=True):
    """As much of one as intake asks about."""

    id: str
    when: When


def explaining(response: SurveyResponse, problems: Iterable[OpenProblem]) -> str | None:
    """The id of the first of these that the answer is about."""
    return next((each.id for each in problems if each.when.holds(response)), None)


def lowered(priority: int, policy: Policy) -> int:
    """The priority of what a known problem explains: later perhaps, never dropped."""
    return min(LOWEST, priority + policy.problems.lower_priority_by)


def revise_problem(problem: KnownProblem, changes: Mapping[str, Any], *, now: datetime) -> KnownProblem:
    """With these members changed, as the next version; the same when nothing is another. Raises Invalid."""
    changed = {name: value for name, value in changes.items() if value != getattr(problem, name)}
    if not changed:
        return problem
    if "match" in changed and not problem.is_open:
        raise Invalid("this problem is solved and explains no further answer; leave match out", "/match")
    return structs.replace(problem, **changed, version=problem.version + 1, changed_at=now)


def solve_problem(problem: KnownProblem, message: str, *, now: datetime) -> KnownProblem:
    """It is over. Solving it again only changes the message."""
    return structs.replace(
        problem,
        state=ProblemState.SOLVED,
        message=message,
        version=problem.version + 1,
        changed_at=now,
        solved_at=problem.solved_at or now,
    )
