"""Gathers what a weekly page tells, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.insights.effect import ActionEffect, effect
from alerts.insights.pareto import pareto
from alerts.learning.plan import OPEN_PLANS, ActionPlan
from alerts.learning.problem import KnownProblem
from alerts.learning.signal import RaisedSignal
from alerts.learning.week import BEFORE, IsoWeek, WeekFigures, WeekOutcome, last_whole_week
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.learning.backtesting import READ_ONLY
from alerts.ledger.learning.effects import effect_of
from alerts.ledger.learning.matched_answers import counts_by_day, midnight
from alerts.ledger.learning.plans import read_plan
from alerts.ledger.learning.problems import PROBLEM, read_problem
from alerts.ledger.learning.signals import read_signal
from alerts.ledger.tables.learning import action_plans, problems, signals

FELT = timedelta(weeks=8)
"""So long after a plan took effect the page tells whether it helped."""

# What became of the week's callbacks, and why did those that were worked happen?
ENDED = text("""
SELECT count(*) FILTER (WHERE opened_at >= :since AND opened_at < :until) AS opened,
       count(*) FILTER (WHERE state = 'resolved' AND ended_at >= :since AND ended_at < :until) AS resolved,
       count(*) FILTER (WHERE outcome = 'recovered' AND ended_at >= :since AND ended_at < :until) AS recovered,
       count(*) FILTER (WHERE state = 'closed' AND ended_at >= :since AND ended_at < :until) AS closed
FROM callbacks
""")
CAUSES = text("""
SELECT cause_kind, cause_driver, count(*) AS callbacks FROM callbacks
WHERE cause_kind IS NOT NULL AND ended_at >= :since AND ended_at < :until GROUP BY cause_kind, cause_driver
""")


async def figures_of(engine: AsyncEngine, week: IsoWeek | None) -> WeekFigures:
    """Of the last whole week when none is given. Raises Unavailable."""
    async with transaction(engine) as connection:
        await connection.execute(READ_ONLY)
        today = (await ledger_now(connection)).date()
        week = week or last_whole_week(today)
        days = await counts_by_day(connection, None, week.monday - timedelta(days=BEFORE), week.until)
        span = {"since": midnight(week.monday), "until": midnight(week.until)}
        ended = (await connection.execute(ENDED, span)).one()
        causes: dict[tuple[str, ...], int] = {
            (row.cause_kind, row.cause_driver): row.callbacks for row in await connection.execute(CAUSES, span)
        }
        plans = await _plans(connection, week)
        return WeekFigures(
            week=week,
            days=days[BEFORE:],
            change=effect(days[:BEFORE], days[BEFORE:]),
            ended=WeekOutcome(**ended._mapping),
            causes=pareto(causes),
            signals=await _signals(connection, span),
            problems=await _problems(connection, span),
            plans=plans,
            effects=await _effects(connection, week, today),
        )


async def _signals(connection: AsyncConnection, span: Mapping[str, Any]) -> list[RaisedSignal]:
    s = signals.c
    query = select(signals).where(s.raised_at >= span["since"], s.raised_at < span["until"]).order_by(s.raised_at)
    return [read_signal(row) for row in await connection.execute(query)]


async def _problems(connection: AsyncConnection, span: Mapping[str, Any]) -> list[KnownProblem]:
    """Those that were open in the week."""
    p = problems.c
    query = select(*PROBLEM).where(p.created_at < span["until"], p.solved_at.is_(None) | (p.solved_at >= span["since"]))
    return [read_problem(row) for row in await connection.execute(query.order_by(p.created_at))]


async def _plans(connection: AsyncConnection, week: IsoWeek) -> list[ActionPlan]:
    """Those that are open, and those that ended in the week; what is due soonest first."""
    p = action_plans.c
    is_new = (p.ended_at >= midnight(week.monday)) & (p.ended_at < midnight(week.until))
    query = select(action_plans).where(p.created_at < midnight(week.until), p.state.in_(OPEN_PLANS) | is_new)
    return [read_plan(row) for row in await connection.execute(query.order_by(p.due_on, p.id))]


async def _effects(connection: AsyncConnection, week: IsoWeek, today: date) -> list[tuple[ActionPlan, ActionEffect]]:
    """Of what customers may have felt since some weeks; as it stood at the end of the week."""
    p = action_plans.c
    query = select(action_plans).where(p.effective_on < week.until, p.effective_on >= week.until - FELT)
    until = min(today, week.until)
    found = []
    for row in (await connection.execute(query.order_by(p.effective_on, p.id))).all():
        plan = read_plan(row)
        seen = await effect_of(connection, plan, until)
        if seen is not None:
            found.append((plan, seen))
    return found
