"""Action plans: written down, changed under their version, found, and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Row, literal, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.errors import NotFound, StaleVersion
from alerts.learning.plan import (
    OPEN_PLANS,
    ActionPlan,
    PlanState,
    begin_plan,
    changed_members,
    check_evidence,
    revise_plan,
)
from alerts.ledger.access.audit import write_change
from alerts.ledger.bulk import insert_rows
from alerts.ledger.database import ledger_now
from alerts.ledger.ids import new_id
from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.learning import action_plans

p = action_plans.c


class PlanFilter(Struct, frozen=True, kw_only=True):
    """None lets everything pass; several states match any of them. `overdue`: on `today`."""

    states: Sequence[PlanState] | None = None
    owner: str | None = None
    overdue: bool | None = None
    today: date


class PlanCounts(Struct, frozen=True, kw_only=True):
    """How many there are. `completed`: in time (`on_time`: on its due day or before) or `late`."""

    states: dict[str, int]
    overdue: int
    completed: dict[str, int]

    @property
    def open(self) -> int:
        return sum(self.states[state] for state in OPEN_PLANS)


def today_of(now: datetime) -> date:
    """The day on which plans fall due: the ledger's, in UTC."""
    return now.date()


async def add_plan(connection: AsyncConnection, members: Mapping[str, Any], *, by: str) -> ActionPlan:
    """Raises Invalid."""
    now = await ledger_now(connection)
    plan = begin_plan(members, id=new_id(now), by=by, now=now)
    await _check_evidence(connection, plan.callbacks)
    await insert_rows(connection, action_plans, [msgspec.structs.asdict(plan)])
    await write_change(connection, principal=by, action="action_planned", subject=f"action {plan.id}")
    return plan


async def change_plan(
    connection: AsyncConnection, plan_id: str, changes: Mapping[str, Any], *, version: str, by: str
) -> ActionPlan:
    """Raises NotFound, StaleVersion, Invalid."""
    before = await load_plan(connection, plan_id, lock=True)
    if version != str(before.version):
        raise StaleVersion("this action plan was changed since you read it; read it again")
    after = revise_plan(before, changes, now=await ledger_now(connection))
    if after == before:
        return before
    await _check_evidence(connection, after.callbacks)
    values = {name: value for name, value in msgspec.structs.asdict(after).items() if name != "id"}
    await connection.execute(update(action_plans).where(p.id == plan_id).values(values))
    said = ", ".join(changed_members(before, after))
    await write_change(connection, principal=by, action="action_changed", subject=f"action {plan_id}", reason=said)
    return after


async def load_plan(connection: AsyncConnection, plan_id: str, *, lock: bool = False) -> ActionPlan:
    """Raises NotFound."""
    query = select(action_plans).where(p.id == plan_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound("there is no such action plan")
    return read_plan(row)


async def list_plans(
    connection: AsyncConnection, wanted: PlanFilter, *, after: tuple[date, str] | None, limit: int
) -> tuple[list[ActionPlan], tuple[date, str] | None]:
    """One page, what is due soonest first, and the key after which the next one begins; None on the last page."""
    query = select(action_plans).order_by(p.due_on, p.id).limit(limit + 1)
    if wanted.states is not None:
        query = query.where(p.state.in_(wanted.states))
    if wanted.owner is not None:
        query = query.where(p.owner == wanted.owner)
    if wanted.overdue is not None:
        late = p.state.in_(OPEN_PLANS) & (p.due_on < wanted.today)
        query = query.where(late if wanted.overdue else ~late)
    if after is not None:
        query = query.where(
            tuple_(p.due_on, p.id) > tuple_(literal(after[0], p.due_on.type), literal(after[1], p.id.type))
        )
    rows = (await connection.execute(query)).all()
    page = [read_plan(row) for row in rows[:limit]]
    return page, (page[-1].due_on, page[-1].id) if len(rows) > limit else None


# How many plans are there in each state, how many of them are late, and how many were done in time?
COUNTS = text("""
SELECT state, count(*) AS plans,
       count(*) FILTER (WHERE ended_at IS NULL AND due_on < (clock.at AT TIME ZONE 'UTC')::date) AS overdue,
       count(*) FILTER (WHERE state = 'complete' AND (ended_at AT TIME ZONE 'UTC')::date <= due_on) AS on_time
FROM action_plans CROSS JOIN (SELECT ledger_now() AS at) AS clock
GROUP BY state
""")


async def count_plans(connection: AsyncConnection) -> PlanCounts:
    rows = {row.state: row for row in await connection.execute(COUNTS)}
    states = {str(state): rows[state].plans if state in rows else 0 for state in PlanState}
    on_time = sum(row.on_time for row in rows.values())
    return PlanCounts(
        states=states,
        overdue=sum(row.overdue for row in rows.values()),
        completed={"on_time": on_time, "late": states[PlanState.COMPLETE] - on_time},
    )


def read_plan(row: Row[Any]) -> ActionPlan:
    return msgspec.convert({name: row._mapping[name] for name in ActionPlan.__struct_fields__}, ActionPlan)


async def _check_evidence(connection: AsyncConnection, named: tuple[str, ...]) -> None:
    if named:
        rows = await connection.execute(select(callbacks.c.id).where(callbacks.c.id.in_(named)))
        check_evidence(named, {row.id for row in rows})
