"""What will be late until the calling day ends, if it goes on as in the last hours."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import structs
from starlette.responses import Response

from alerts.calling_hours.hours import Hours, hours_of
from alerts.insights.forecast import again, forecast
from alerts.insights.workday import LAST_HOURS, end_of_calling_day, pace_of
from alerts.ledger.database import ledger_now
from alerts.ledger.insights.counting import counting
from alerts.ledger.insights.forecast import Load, load_queue_loads
from app.api.context import Context
from app.api.http.route import GuardedRoute, declare
from app.api.insights.table import CSV, tell
from app.api.insights.turn import in_turn
from app.api.schemas.insight import ForecastItem, ForecastList, PaceResource
from app.api.schemas.insight_query import ForecastQuery

router = APIRouter(prefix="/v1/insights", tags=["insights"], route_class=GuardedRoute)


@router.get(
    "/forecast", summary="What will be late today", **declare("callbacks:read", also=CSV, response_model=ForecastList)
)
@in_turn
async def show_forecast(query: Annotated[ForecastQuery, Query()], context: Context) -> Response:
    """By queue: which callbacks will miss a target until the calling day ends, at the pace of the last four hours."""
    async with counting(context.dependencies.engine) as connection:
        now = await ledger_now(connection)
        loads = await load_queue_loads(connection, now)
    items = [
        await asyncio.to_thread(_item, name, load, hours_of(context.policy, name), now)
        for name, load in sorted(loads.items())
        if not query.queue or name in query.queue
    ]
    return tell(context, ForecastList(items=items, next=None), items, ForecastItem)


def _item(queue: str, load: Load, hours: Hours, now: datetime) -> ForecastItem:
    until = end_of_calling_day(hours, now)
    owed = [*load.owed, *again(load.recent, LAST_HOURS, until)]
    found = forecast(owed, pace_of(load.handled, hours, now), now, until)
    members = structs.asdict(found) | {"pace": PaceResource(**structs.asdict(found.pace))}
    return ForecastItem(queue=queue, until=until, **members)
