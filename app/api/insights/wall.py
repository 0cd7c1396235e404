"""One object for a wall: the live hour, today, what is open, and how the last weeks went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.insights.buckets import HOUR, Grain, begin_of
from alerts.insights.question import Question
from alerts.insights.strip import Point, plan, strip
from alerts.ledger.database import ledger_now
from alerts.ledger.insights.counting import counting
from alerts.ledger.insights.hours import count_boxes
from alerts.ledger.insights.wall import OpenWork, Results, load_open_work, load_results
from alerts.ledger.learning.plans import count_plans
from alerts.ledger.learning.signals import SignalFilter, list_signals
from app.api.context import Context
from app.api.http.route import GuardedRoute, declare
from app.api.insights.figures import hour_item, share_resource
from app.api.insights.table import CSV, tell
from app.api.insights.turn import in_turn
from app.api.learning.signals import tell_signal
from app.api.schemas.insight import CauseKinds
from app.api.schemas.insight_query import InsightQuery
from app.api.schemas.insight_wall import ActionCounts, Wall

router = APIRouter(prefix="/v1/insights", tags=["insights"], route_class=GuardedRoute)

RESOLUTION = timedelta(microseconds=1)
"""So that there is an hour even at the very moment in which it begins."""


@router.get("/summary", summary="One object for a wall", **declare("callbacks:read", also=CSV, response_model=Wall))
@in_turn
async def summary(query: Annotated[InsightQuery, Query()], context: Context) -> Response:
    """The live hour and today are until now, whatever the range; what is open is open now."""
    async with counting(context.dependencies.engine) as connection:
        now = await ledger_now(connection)
        question = query.question(now)
        live_hour = await _until_now(connection, question, Grain.HOUR, now)
        today = await _until_now(connection, question, Grain.DAY, now)
        work = await load_open_work(connection, question, now, now + HOUR)
        results = await load_results(connection, question)
        learned = await _learned(connection)
    answer = _wall(question, now, live_hour, today, work, results, learned)
    return tell(context, answer, [answer], Wall)


async def _until_now(connection: AsyncConnection, question: Question, grain: Grain, now: datetime) -> Point:
    since = begin_of(now, grain, question.clock)
    planned = plan(structs.replace(question, since=since, until=max(now, since + RESOLUTION)), grain)
    (point,) = strip(planned, await count_boxes(connection, planned), now)
    return point


async def _learned(connection: AsyncConnection) -> dict[str, Any]:
    plans = await count_plans(connection)
    signals, _ = await list_signals(connection, SignalFilter(), before=None, limit=1)
    return {
        "actions": ActionCounts(open=plans.open, overdue=plans.overdue),
        "last_signal": tell_signal(signals[0]) if signals else None,
    }


def _wall(
    question: Question,
    now: datetime,
    live_hour: Point,
    today: Point,
    work: OpenWork,
    results: Results,
    learned: dict[str, Any],
) -> Wall:
    members: dict[str, Any] = {
        **learned,
        "at": now,
        "zone": question.zone,
        "from": question.since,
        "to": question.until,
        "live_hour": hour_item(live_hour),
        "today": hour_item(today),
        **structs.asdict(work),
        "recovered": share_resource(results.recovered),
        "kinds": CauseKinds(skill=share_resource(results.skill), operations=share_resource(results.operations)),
        "promises_kept": share_resource(results.promises_kept),
    }
    return Wall(**members)
