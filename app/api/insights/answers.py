"""What the answers say: hour by hour, and channel by channel.

What takes more than a moment to reckon is reckoned in a thread, so that nobody's claim waits for it.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from alerts.errors import Invalid
from alerts.insights.buckets import Grain
from alerts.insights.question import Question
from alerts.insights.segments import Segment, against_the_rest
from alerts.insights.share import share_of, total
from alerts.insights.strip import plan, strip
from alerts.ledger.database import ledger_now
from alerts.ledger.insights.counted import truncated_from
from alerts.ledger.insights.counting import counting
from alerts.ledger.insights.hours import count_boxes
from alerts.ledger.insights.repeats import count_first_contacts
from alerts.ledger.insights.segments import SegmentFigures, count_segments
from app.api.context import Context
from app.api.http.route import GuardedRoute, declare
from app.api.insights.figures import difference_resource, hour_item, share_resource
from app.api.insights.table import CSV, tell
from app.api.insights.turn import in_turn
from app.api.schemas.insight import HourItem, HourList, RepeatItem, RepeatList, SegmentItem, SegmentList, as_asked
from app.api.schemas.insight_query import DAY, HoursQuery, RepeatsQuery, SegmentsQuery

router = APIRouter(prefix="/v1/insights", tags=["insights"], route_class=GuardedRoute)

MOST_POINTS = 10_000
MOST_VALUES = 200
NOBODY_SAID = "\0"  # no text of an answer holds a NUL
HOURS = {Grain.HOUR: 1, Grain.DAY: 24, Grain.WEEK: 168}


@router.get("/hours", summary="The bottom box by time", **declare("callbacks:read", also=CSV, response_model=HourList))
@in_turn
async def hours(query: Annotated[HoursQuery, Query()], context: Context) -> Response:
    """By hour, day or week, with the limits that the same hours of the last twelve weeks set, and signals."""
    async with counting(context.dependencies.engine) as connection:
        now = await ledger_now(connection)
        question = query.question(now, DAY)
        _check_length(question, query.step)
        planned = await asyncio.to_thread(plan, question, query.step)
        counted = await count_boxes(connection, planned)
        first = await truncated_from(connection, question)
    points = await asyncio.to_thread(strip, planned, counted, now)
    items = [hour_item(point) for point in points]
    return tell(context, HourList(items=items, **as_asked(question, first)), items, HourItem)


@router.get(
    "/segments", summary="One standard for all", **declare("callbacks:read", also=CSV, response_model=SegmentList)
)
@in_turn
async def segments(query: Annotated[SegmentsQuery, Query()], context: Context) -> Response:
    """Each channel, team or country beside all others: who differs, and not by chance. The largest first."""
    async with counting(context.dependencies.engine) as connection:
        question = query.question(await ledger_now(connection))
        found = await count_segments(connection, question, query.by)
        first = await truncated_from(connection, question)
    shown, unseen = found[:MOST_VALUES], found[MOST_VALUES:]
    counts = {NOBODY_SAID if each.value is None else each.value: each.answers for each in shown}
    judged = await asyncio.to_thread(against_the_rest, counts, unseen=total(each.answers for each in unseen))
    items = [_segment(each, figures) for each, figures in zip(judged, shown, strict=True)]
    return tell(context, SegmentList(items=items, more=len(unseen), **as_asked(question, first)), items, SegmentItem)


def _segment(judged: Segment, figures: SegmentFigures) -> SegmentItem:
    return SegmentItem(
        value=figures.value,
        answers=judged.share.of,
        share=share_resource(judged.share),
        difference=difference_resource(judged.difference),
        p_value=judged.p_value,
        differs=judged.differs,
        contact_p50_seconds=figures.contact_p50_seconds,
        targets_kept=share_resource(share_of(figures.kept.count, figures.kept.of)),
    )


@router.get(
    "/repeats", summary="First-contact resolution", **declare("callbacks:read", also=CSV, response_model=RepeatList)
)
@in_turn
async def repeats(query: Annotated[RepeatsQuery, Query()], context: Context) -> Response:
    """Contacts after which the customer had no other one within the days, of all that are old enough to tell."""
    async with counting(context.dependencies.engine) as connection:
        question = query.question(await ledger_now(connection))
        found = await count_first_contacts(connection, question, query.by, query.days)
        first = await truncated_from(connection, question)
    items = [RepeatItem(value=each.value, share=share_resource(each.settled)) for each in found]
    answer = RepeatList(items=items, days=query.days, **as_asked(question, first))
    return tell(context, answer, items, RepeatItem)


def _check_length(question: Question, step: Grain) -> None:
    if (question.until - question.since).total_seconds() / 3600 > MOST_POINTS * HOURS[step]:
        raise Invalid(f"this asks for more than {MOST_POINTS} rows; shorten it, or take a longer step", "/step")
