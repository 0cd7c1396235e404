"""Finds the open callbacks that a problem explains which was named after they were opened."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.callback import OPEN_STATES, Callback, Transition
from alerts.learning.match import stored_match
from alerts.learning.problem import OpenProblem, ProblemState, explaining
from alerts.ledger.callbacks.isolation import PUT_OFF, store_each
from alerts.ledger.callbacks.store import read_callback
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.learning.stored_answers import answers_behind
from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.learning import problems
from alerts.policy import Policy
from alerts.survey import SurveyResponse
from alerts.transitions import explain

AT_ONCE = 200
"""So many callbacks are looked at in one transaction."""

AGAIN_AFTER = timedelta(minutes=1)
"""So long after a problem was named, a batch that did not know of it has surely ended; then all is looked through once more."""

p, c = problems.c, callbacks.c


class Swept(Struct, frozen=True):
    """What was explained, and whether there is more to look through."""

    moved: Sequence[Transition] = ()
    more: bool = False


async def sweep_once(engine: AsyncEngine, policy: Policy) -> Swept:
    """One piece of one problem's open callbacks, in one transaction. Raises Unavailable."""
    async with transaction(engine) as connection:
        now = await ledger_now(connection)
        query = (
            select(p.id, p.match, p.changed_at, p.swept_to)
            .where(p.state == ProblemState.OPEN, p.sweep_at <= now)
            .order_by(p.sweep_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return Swept()
        found = await _unexplained(connection, row.swept_to)
        problem = OpenProblem(row.id, stored_match(row.match))
        moved = await _explain(connection, problem, found, policy)
        is_over = len(found) < AT_ONCE
        values = _rest(row.changed_at, now) if is_over else {"swept_to": found[-1].id}
        await connection.execute(update(problems).where(p.id == row.id).values(values))
        return Swept(moved, True)


def _rest(changed_at: datetime, now: datetime) -> dict[str, object]:
    """When all is looked through again: once, after the batches that ran meanwhile."""
    again = changed_at + AGAIN_AFTER
    return {"swept_to": None, "sweep_at": again if now < again else None}


async def _unexplained(connection: AsyncConnection, after: str | None) -> list[Callback]:
    """The next open callbacks in the order of their ids, which is that of locks."""
    query = (
        select(callbacks)
        .where(c.state.in_(OPEN_STATES), c.problem_id.is_(None))
        .order_by(c.id)
        .limit(AT_ONCE)
        .with_for_update()
    )
    rows = await connection.execute(query if after is None else query.where(c.id > after))
    return [read_callback(row) for row in rows]


async def _explain(
    connection: AsyncConnection, problem: OpenProblem, found: Sequence[Callback], policy: Policy
) -> list[Transition]:
    answers = await answers_behind(connection, [each.id for each in found])
    now = await ledger_now(connection)
    moved = await asyncio.to_thread(_explain_all, problem, found, answers, now, policy)
    return await store_each(connection, moved, PUT_OFF)


def _explain_all(
    problem: OpenProblem,
    found: Sequence[Callback],
    answers: Mapping[str, Sequence[SurveyResponse]],
    now: datetime,
    policy: Policy,
) -> list[Transition]:
    """For a thread: hundreds take a while."""
    return [
        explain(each, problem_id=problem.id, now=now, policy=policy)
        for each in found
        if any(explaining(answer, [problem]) for answer in answers.get(each.id, ()))
    ]
