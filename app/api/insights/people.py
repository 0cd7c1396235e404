"""What single advisors did: for leads, and only where the policy says so."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import structs
from starlette.responses import Response

from alerts.errors import NotFound
from alerts.insights.share import share_of
from alerts.insights.team import Member, team
from alerts.ledger.database import ledger_now
from alerts.ledger.insights.counted import truncated_from
from alerts.ledger.insights.counting import counting
from alerts.ledger.insights.team import count_deeds
from app.api.context import Context
from app.api.http.route import GuardedRoute, declare
from app.api.insights.figures import share_resource
from app.api.insights.table import CSV, tell
from app.api.insights.turn import in_turn
from app.api.schemas.insight import as_asked
from app.api.schemas.insight_query import InsightQuery
from app.api.schemas.insight_team import FairResource, PromisesResource, TeamItem, TeamList

router = APIRouter(prefix="/v1/insights", tags=["insights"], route_class=GuardedRoute)


@router.get(
    "/team",
    summary="What each advisor did",
    **declare("callbacks:lead", "not-found", also=CSV, response_model=TeamList),
)
@in_turn
async def show_team(query: Annotated[InsightQuery, Query()], context: Context) -> Response:
    """Read docs/insights.md first: what it says of people has limits. 404 unless the policy says `team_insights: on`."""
    if context.policy.team_insights == "off":
        raise NotFound("the policy does not show figures of single advisors (team_insights)")
    async with counting(context.dependencies.engine) as connection:
        question = query.question(await ledger_now(connection))
        counts = await count_deeds(connection, question)
        first = await truncated_from(connection, question)
    found = await asyncio.to_thread(team, counts.deeds, counts.promises, counts.taken)
    items = [_member(each) for each in found]
    return tell(context, TeamList(items=items, **as_asked(question, first)), items, TeamItem)


def _member(member: Member) -> TeamItem:
    hard = member.fair.hard if member.fair else share_of(0, 0)
    return TeamItem(
        advisor=member.advisor,
        **structs.asdict(member.deeds),
        promises=PromisesResource(**{name: member.promises.get(name, 0) for name in ("kept", "late", "broken")}),
        hard_share=share_resource(hard),
        fair=FairResource(
            flagged=member.fair is not None and member.fair.flagged,
            why=member.fair.why if member.fair else "nothing was taken",
        ),
    )
