"""Counts stored answers that a condition of the policy fits, with the condition's own code and not with a second one in SQL.

Answers that are alike in the parts that the condition names are counted together by the database; the condition is then
asked once for each kind. A condition on segments and channels sees a few dozen kinds of however many answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Date

from alerts.conditions import When
from alerts.insights.share import Count, total
from alerts.ledger.insights.counted import COUNTED_ANSWERS
from alerts.ledger.tables.customers import customers
from alerts.ledger.tables.responses import responses
from alerts.scale import Box
from alerts.survey import Interaction, Respondent, SurveyResponse

answered = responses.alias("r")  # as COUNTED_ANSWERS calls it
r, c = answered.c, customers.c

OF_ANSWERS: Mapping[str, ColumnElement[Any]] = {
    "sources": r.source,
    "surveys": r.survey_id,
    "channels": r.channel,
    "queues": r.contact_queue,
    "contact_reasons": r.contact_reason,
    "teams": r.agent_team,
    "comment_mentions": r.comment,
    "attribute": r.attributes,
}
OF_CUSTOMERS: Mapping[str, ColumnElement[Any]] = {
    "segments": c.segment,
    "languages": c.language,
    "countries": c.country,
    "value_at_least": c.value,
    "tenure_years_at_least": c.since,
}
COLUMNS = {**OF_ANSWERS, **OF_CUSTOMERS}
"""The column that each part of a condition looks at. Facts of customers are those of today."""

DAY = cast(func.timezone("UTC", r.answered_at), Date)


async def counts_by_day(connection: AsyncConnection, when: When | None, since: date, until: date) -> list[Count]:
    """The bottom box among the answers of each day (UTC) of [since, until), days without answers included."""
    named = _parts(when)
    found: dict[date, list[Count]] = {}
    for row in await connection.execute(_kinds(named, since, until)):
        if when is None or when.holds(_answer(row, named)):
            found.setdefault(row.day, []).append(Count(row.bottom, row.answers))
    return [total(found.get(day, ())) for day in _days(since, until)]


def _parts(when: When | None) -> list[str]:
    given = when.model_fields_set if when is not None else set()
    return [part for part in COLUMNS if part in given]


def _kinds(named: Sequence[str], since: date, until: date) -> Select[Any]:
    columns = [COLUMNS[part].label(part) for part in named]
    is_bottom = case((r.box == Box.BOTTOM, 1))
    query = (
        select(DAY.label("day"), *columns, func.count().label("answers"), func.count(is_bottom).label("bottom"))
        .where(r.answered_at >= midnight(since), r.answered_at < midnight(until), text(COUNTED_ANSWERS))
        .select_from(answered)
        .group_by(DAY, *columns)
    )
    return query.join(customers, c.id == r.customer_id) if set(named) & set(OF_CUSTOMERS) else query


def _answer(row: Row[Any], named: Sequence[str]) -> SurveyResponse:
    """An answer of that kind: what the condition does not name is left out."""
    seen = {part: row._mapping[part] for part in named}
    at = midnight(row.day)
    return SurveyResponse(
        event_source="",
        event_id="",
        source=seen.get("sources") or "",
        response_id="",
        survey_id=seen.get("surveys"),
        rating=1,
        comment=seen.get("comment_mentions"),
        answered_at=at,
        revised_at=at,
        customer=Respondent(
            segment=seen.get("segments"),
            language=seen.get("languages"),
            country=seen.get("countries"),
            value=seen.get("value_at_least"),
            since=seen.get("tenure_years_at_least"),
        ),
        interaction=Interaction(
            channel=seen.get("channels"),
            queue=seen.get("queues"),
            reason=seen.get("contact_reasons"),
            agent_team=seen.get("teams"),
        ),
        attributes=seen.get("attribute") or {},
    )


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _days(since: date, until: date) -> Iterator[date]:
    return (since + timedelta(days=number) for number in range((until - since).days))
