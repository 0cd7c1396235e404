"""Whether an action plan helped: the days before it took effect beside those after."""

from __future__ import annotations

from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.effect import ActionEffect, effect, spans
from alerts.learning.match import stored_match
from alerts.learning.plan import ActionPlan
from alerts.ledger.learning.matched_answers import counts_by_day


async def effect_of(connection: AsyncConnection, plan: ActionPlan, today: date) -> ActionEffect | None:
    """None while nobody has said when it takes effect. Of the answers that the plan's condition fits, else of all."""
    if plan.effective_on is None:
        return None
    when = None if plan.match is None else stored_match(plan.match)
    days = spans(plan.effective_on, today)
    counts = await counts_by_day(connection, when, days.before, days.until)
    so_far = (days.effective_on - days.before).days
    return effect(counts[:so_far], counts[so_far:])
