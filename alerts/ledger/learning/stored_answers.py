"""Stored answers as the house knew them when they came, but for the facts of their customers, which are those of today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.customer import FACTS
from alerts.ledger.tables.customers import customers
from alerts.ledger.tables.responses import alerts, responses
from alerts.scale import Scale
from alerts.survey import Interaction, Respondent, SurveyResponse

r = responses.c
OF_CUSTOMERS = {f"customer_{name}": customers.c[name] for name in FACTS}


def answers_query(*more: Any) -> Select[Any]:
    """Every column that `read_response` needs, and `more`; joins the customers."""
    facts = [column.label(name) for name, column in OF_CUSTOMERS.items()]
    return select(responses, *facts, *more).join(customers, customers.c.id == r.customer_id)


def read_response(row: Row[Any]) -> SurveyResponse:
    known = row._mapping
    return SurveyResponse(
        event_source=known["event_source"],
        event_id=known["event_id"],
        source=known["source"],
        response_id=known["response_id"],
        survey_id=known["survey_id"],
        question=known["question"],
        rating=known["rating"],
        scale=Scale(known["worst"], known["best"]),
        comment=known["comment"],
        answered_at=known["answered_at"],
        revised_at=known["revised_at"],
        customer=Respondent(**{name: known[f"customer_{name}"] for name in FACTS}),
        interaction=Interaction(
            id=known["interaction_id"],
            channel=known["channel"],
            queue=known["contact_queue"],
            reason=known["contact_reason"],
            agent_id=known["agent_id"],
            agent_team=known["agent_team"],
            started_at=known["started_at"],
            ended_at=known["ended_at"],
        ),
        attributes=known["attributes"],
        flags=tuple(known["flags"]),
    )


async def answers_behind(connection: AsyncConnection, callback_ids: Sequence[str]) -> dict[str, list[SurveyResponse]]:
    """The answers on each callback, the oldest first."""
    query = (
        answers_query(alerts.c.callback_id)
        .join(alerts, alerts.c.response_id == r.id)
        .where(alerts.c.callback_id.in_(callback_ids))
        .order_by(r.id)
    )
    found: dict[str, list[SurveyResponse]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.callback_id, []).append(read_response(row))
    return found
