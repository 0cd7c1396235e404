"""An action plan: what somebody does, until when, so that the next customers need no call.

    planned, in_progress, on_hold: open, and overdue once `due_on` has passed
    complete, cancelled: ended; what it promised can be changed no more unless it begins again

Plans are leading indicators: how many are open, late and done in time is known weeks before the bottom box moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from alerts.errors import Invalid


class PlanState(StrEnum):
    PLANNED = "planned"  # agreed, not begun
    IN_PROGRESS = "in_progress"  # somebody is at it
    ON_HOLD = "on_hold"  # it waits for something
    COMPLETE = "complete"  # done
    CANCELLED = "cancelled"  # it will not be done


OPEN_PLANS = (PlanState.PLANNED, PlanState.IN_PROGRESS, PlanState.ON_HOLD)

MOVES: dict[PlanState, tuple[PlanState, ...]] = {
    PlanState.PLANNED: (PlanState.IN_PROGRESS, PlanState.ON_HOLD, PlanState.COMPLETE, PlanState.CANCELLED),
    PlanState.IN_PROGRESS: (PlanState.PLANNED, PlanState.ON_HOLD, PlanState.COMPLETE, PlanState.CANCELLED),
    PlanState.ON_HOLD: (PlanState.PLANNED, PlanState.IN_PROGRESS, PlanState.COMPLETE, PlanState.CANCELLED),
    PlanState.COMPLETE: (PlanState.IN_PROGRESS,),
    PlanState.CANCELLED: (PlanState.PLANNED,),
}
"""Where each state may lead. What has ended only begins again."""

PROMISED = ("title", "cause_kind", "cause_driver", "match", "owner", "due_on", "percent")
"""What an ended plan keeps as it was: a date that is moved afterwards would make every plan one in time."""

ALL_OF_IT = 100


class ActionPlan(Struct, frozen=True, kw_only=True):
    """One plan, as it is stored. `match`: a condition of the policy, as JSON, for the answers that its effect looks at.

    `callbacks`: ids of callbacks that are its evidence. `version` rises with every change. Times are aware, in UTC.
    """

    id: str
    title: str
    cause_kind: str | None = None
    cause_driver: str | None = None
    match: dict[str, Any] | None = None
    owner: str
    due_on: date
    state: PlanState = PlanState.PLANNED
    percent: int = 0
    effective_on: date | None = None
    note: str | None = None
    callbacks: tuple[str, ...] = ()
    version: int = 1
    created_at: datetime
    created_by: str
    changed_at: datetime
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_PLANS

    def is_overdue(self, today: date) -> bool:
        return self.is_open and self.due_on < today


def begin_plan(members: Mapping[str, Any], *, id: str, by: str, now: datetime) -> ActionPlan:
    """A plan as somebody wrote it down; it may be complete already. Raises Invalid."""
    plan = ActionPlan(id=id, created_at=now, created_by=by, changed_at=now, **members)
    return _settled(plan, members, now)


def revise_plan(plan: ActionPlan, changes: Mapping[str, Any], *, now: datetime) -> ActionPlan:
    """With these members changed, as the next version; the same plan when nothing is another. Raises Invalid."""
    changed = {name: value for name, value in changes.items() if value != getattr(plan, name)}
    if not changed:
        return plan
    state = changed.get("state", plan.state)
    if state != plan.state and state not in MOVES[plan.state]:
        allowed = " or ".join(MOVES[plan.state])
        raise Invalid(f"this plan is {plan.state}; from there it becomes {allowed}", "/state")
    if not plan.is_open and state not in OPEN_PLANS:
        _keep_promises(changed)
    after = structs.replace(plan, **changed, version=plan.version + 1, changed_at=now)
    return _settled(after, changes, now)


def _keep_promises(changed: Mapping[str, Any]) -> None:
    for name in PROMISED:
        if name in changed:
            member = "cause" if name.startswith("cause_") else name
            raise Invalid("this plan has ended and keeps what it promised; begin it again first", f"/{member}")


def _settled(plan: ActionPlan, said: Mapping[str, Any], now: datetime) -> ActionPlan:
    """What is complete is so wholly, and what has ended has a moment at which it did."""
    if plan.state is PlanState.COMPLETE:
        if said.get("percent", ALL_OF_IT) != ALL_OF_IT:
            raise Invalid("what is complete is 100 per cent; leave percent out", "/percent")
        plan = structs.replace(plan, percent=ALL_OF_IT)
    if plan.is_open:
        return structs.replace(plan, ended_at=None)
    return plan if plan.ended_at is not None else structs.replace(plan, ended_at=now)


def changed_members(before: ActionPlan, after: ActionPlan) -> list[str]:
    """Which members are others now, for the audit; not what they were."""
    silent = ("version", "changed_at", "ended_at")
    names = [name for name in before.__struct_fields__ if name not in silent]
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def check_evidence(named: tuple[str, ...], known: set[str]) -> None:
    """Raises Invalid when one of the ids is no callback's."""
    if not known.issuperset(named):
        raise Invalid("one of these is no callback; name ids of callbacks", "/callbacks")
