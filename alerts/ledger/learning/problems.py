"""Known problems: written down, changed under their version, solved, found, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, exists, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.errors import Invalid, NotFound, StaleVersion
from alerts.learning.match import stored_match
from alerts.learning.problem import KnownProblem, OpenProblem, ProblemState, revise_problem, solve_problem
from alerts.ledger.access.audit import write_change
from alerts.ledger.bulk import insert_rows
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.ids import new_id
from alerts.ledger.tables.learning import problems, signals

p = problems.c
MEMBERS = KnownProblem.__struct_fields__
PROBLEM = tuple(p[name] for name in MEMBERS)

Change = Callable[[KnownProblem, datetime], KnownProblem]


async def add_problem(connection: AsyncConnection, members: Mapping[str, Any], *, by: str) -> KnownProblem:
    """From now on it explains new answers; open callbacks are looked through by the worker. Raises Invalid."""
    await _check_signal(connection, members)
    now = await ledger_now(connection)
    problem = KnownProblem(id=new_id(now), created_at=now, created_by=by, changed_at=now, **members)
    await insert_rows(connection, problems, [{**msgspec.structs.asdict(problem), "sweep_at": now}])
    await write_change(connection, principal=by, action="problem_opened", subject=f"problem {problem.id}")
    return problem


async def change_problem(
    connection: AsyncConnection, problem_id: str, changes: Mapping[str, Any], *, version: str, by: str
) -> KnownProblem:
    """Another condition explains more from now on; what was explained stays so. Raises NotFound, StaleVersion, Invalid."""
    await _check_signal(connection, changes)
    return await _change(
        connection,
        problem_id,
        lambda problem, now: revise_problem(problem, changes, now=now),
        action="problem_changed",
        version=version,
        by=by,
    )


async def end_problem(connection: AsyncConnection, problem_id: str, message: str, *, by: str) -> KnownProblem:
    """Raises NotFound."""
    return await _change(
        connection,
        problem_id,
        lambda problem, now: solve_problem(problem, message, now=now),
        action="problem_solved",
        version=None,
        by=by,
    )


async def _change(
    connection: AsyncConnection, problem_id: str, change: Change, *, action: str, version: str | None, by: str
) -> KnownProblem:
    before = await load_problem(connection, problem_id, lock=True)
    if version is not None and version != str(before.version):
        raise StaleVersion("this problem was changed since you read it; read it again")
    now = await ledger_now(connection)
    after = change(before, now)
    if after == before:
        return before
    values: dict[str, Any] = {name: getattr(after, name) for name in MEMBERS if name != "id"}
    if not after.is_open:
        values["sweep_at"] = None
    elif after.match != before.match:
        values |= {"sweep_at": now, "swept_to": None}
    await connection.execute(update(problems).where(p.id == problem_id).values(values))
    await write_change(connection, principal=by, action=action, subject=f"problem {problem_id}")
    return after


async def _check_signal(connection: AsyncConnection, members: Mapping[str, Any]) -> None:
    named = members.get("signal_id")
    if named is not None and not (await connection.execute(select(exists().where(signals.c.id == named)))).scalar_one():
        raise Invalid("there is no such signal; name one of /v1/signals", "/signal")


async def load_problem(connection: AsyncConnection, problem_id: str, *, lock: bool = False) -> KnownProblem:
    """Raises NotFound."""
    query = select(*PROBLEM).where(p.id == problem_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound("there is no such problem")
    return read_problem(row)


async def list_problems(
    connection: AsyncConnection,
    states: Sequence[ProblemState] | None,
    *,
    before: tuple[datetime, str] | None,
    limit: int,
) -> tuple[list[KnownProblem], tuple[datetime, str] | None]:
    """One page, the newest first, and the key before which the next one begins; None on the last page."""
    query = select(*PROBLEM).order_by(p.created_at.desc(), p.id.desc()).limit(limit + 1)
    if states is not None:
        query = query.where(p.state.in_(states))
    if before is not None:
        query = query.where(tuple_(p.created_at, p.id) < tuple_(*before))
    rows = (await connection.execute(query)).all()
    page = [read_problem(row) for row in rows[:limit]]
    return page, (page[-1].created_at, page[-1].id) if len(rows) > limit else None


async def problems_by_id(connection: AsyncConnection, ids: Iterable[str | None]) -> dict[str, KnownProblem]:
    """Asks nothing when there are none, as on most days."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    rows = await connection.execute(select(*PROBLEM).where(p.id.in_(wanted)))
    return {row.id: read_problem(row) for row in rows}


async def open_problems(connection: AsyncConnection) -> list[OpenProblem]:
    """What explains answers now, the oldest first."""
    query = select(p.id, p.match).where(p.state == ProblemState.OPEN).order_by(p.created_at, p.id)
    return [OpenProblem(row.id, stored_match(row.match)) for row in await connection.execute(query)]


async def count_problems(engine: AsyncEngine) -> dict[str, int]:
    """By state. Raises Unavailable."""
    async with transaction(engine) as connection:
        rows = (await connection.execute(select(p.state, func.count().label("problems")).group_by(p.state))).all()
    found = {row.state: row.problems for row in rows}
    return {str(state): found.get(state, 0) for state in ProblemState}


def read_problem(row: Row[Any]) -> KnownProblem:
    return msgspec.convert({name: row._mapping[name] for name in MEMBERS}, KnownProblem)
