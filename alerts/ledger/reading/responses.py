"""Reading the answers: one page of them, one, those behind a callback, and what else a customer has said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.errors import NotFound
from alerts.ledger.tables.customers import customers
from alerts.ledger.tables.responses import alerts, responses

LAST_ID = 2**63 - 1


class ResponseView(Struct, frozen=True, kw_only=True):
    """A row of `responses`, as far as people see it."""

    id: int
    event_source: str
    event_id: str
    response_id: str
    source: str
    survey_id: str | None
    question: str | None
    rating: int
    worst: int
    best: int
    points: int
    box: str
    outcome: str
    suppressed: str | None
    comment: str | None
    attributes: dict[str, Any]
    interaction_id: str | None
    channel: str | None
    contact_queue: str | None
    contact_reason: str | None
    agent_id: str | None
    agent_team: str | None
    started_at: datetime | None
    ended_at: datetime | None
    answered_at: datetime
    received_at: datetime
    flags: list[str]


class AlertView(Struct, frozen=True, kw_only=True):
    """An answer on a callback, and what scoring said of it."""

    answer: ResponseView
    raised_at: datetime
    severity: int
    reasons: list[str]


class ListedResponse(Struct, frozen=True, kw_only=True):
    answer: ResponseView
    customer: str
    callback: str | None


class ResponseFilter(Struct, frozen=True, kw_only=True):
    customer: str | None = None  # a ref, and a UUID
    source: str | None = None
    box: str | None = None
    outcome: str | None = None
    answered_after: datetime | None = None
    answered_before: datetime | None = None


_FIELDS = ResponseView.__struct_fields__
ANSWER = tuple(responses.c[name] for name in _FIELDS)


def _answer(mapping: Any) -> ResponseView:
    return ResponseView(**{name: mapping[name] for name in _FIELDS})


async def alerts_of(connection: AsyncConnection, callback_ids: Sequence[str]) -> dict[str, list[AlertView]]:
    """The alerts of each callback, the oldest first."""
    query = (
        select(
            *ANSWER,
            alerts.c.callback_id,
            alerts.c.raised_at,
            alerts.c.severity.label("alert_severity"),
            alerts.c.reasons.label("alert_reasons"),
        )
        .join(alerts, alerts.c.response_id == responses.c.id)
        .where(alerts.c.callback_id.in_(callback_ids))
        .order_by(alerts.c.raised_at, responses.c.id)
    )
    found: dict[str, list[AlertView]] = {}
    for row in await connection.execute(query):
        seen = AlertView(
            answer=_answer(row._mapping),
            raised_at=row.raised_at,
            severity=row.alert_severity,
            reasons=list(row.alert_reasons),
        )
        found.setdefault(row.callback_id, []).append(seen)
    return found


async def list_responses(
    connection: AsyncConnection, wanted: ResponseFilter, *, before: int | None, limit: int
) -> tuple[list[ListedResponse], int | None]:
    """One page, the newest first, and the id before which the next one begins; None on the last page."""
    query = _filtered(_all(), wanted).order_by(responses.c.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(responses.c.id < before)
    rows = (await connection.execute(query)).all()
    page = [_response(row._mapping) for row in rows[:limit]]
    return page, page[-1].answer.id if len(rows) > limit else None


async def load_response(connection: AsyncConnection, answer_id: int) -> ListedResponse:
    """Raises NotFound."""
    row = None
    if 0 < answer_id <= LAST_ID:
        row = (await connection.execute(_all().where(responses.c.id == answer_id))).one_or_none()
    if row is None:
        raise NotFound("there is no such answer")
    return _response(row._mapping)


def _all() -> Select[Any]:
    return (
        select(*ANSWER, customers.c.ref, alerts.c.callback_id)
        .join(customers, customers.c.id == responses.c.customer_id)
        .outerjoin(alerts, alerts.c.response_id == responses.c.id)
    )


def _response(mapping: Any) -> ListedResponse:
    return ListedResponse(answer=_answer(mapping), customer=mapping["ref"], callback=mapping["callback_id"])


def _filtered(query: Select[Any], wanted: ResponseFilter) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (customers.c.ref, wanted.customer),
        (responses.c.source, wanted.source),
        (responses.c.box, wanted.box),
        (responses.c.outcome, wanted.outcome),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.answered_after is not None:
        conditions.append(responses.c.answered_at >= wanted.answered_after)
    if wanted.answered_before is not None:
        conditions.append(responses.c.answered_at < wanted.answered_before)
    return query.where(*conditions)
