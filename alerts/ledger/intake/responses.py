"""The answers themselves: which we know already, and the rows of new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alerts.case import Decision
from alerts.ledger.bulk import recordset
from alerts.ledger.tables.responses import responses
from alerts.members import absent_members

# Which of these events ($2) do we have, and with what content? Each is looked up (OFFSET 0): a plan that was kept from when the
# ledger was empty would read all of it for every batch, until somebody counts its rows.
KNOWN_EVENTS = (
    "SELECT e.event_source, e.event_id, e.value_hash, e.content_hash"
    f" FROM {recordset(responses, ('event_source', 'event_id'), parameter='$2')}"
    " CROSS JOIN LATERAL (SELECT * FROM responses AS e"
    " WHERE e.event_source = r.event_source AND e.event_id = r.event_id OFFSET 0) AS e"
)


COLUMNS = (
    *("id", "event_source", "event_id", "source", "response_id", "customer_id", "survey_id", "question"),
    *("rating", "worst", "best", "points", "box", "outcome", "suppressed", "revises"),
    *("comment", "answered_at", "revised_at"),
    *(
        "interaction_id",
        "channel",
        "contact_queue",
        "contact_reason",
        "agent_id",
        "agent_team",
        "started_at",
        "ended_at",
    ),
    *("attributes", "flags", "absent", "value_hash", "content_hash"),
    *("topic", "partition", "offset", "recorded_at", "origin_partition", "origin_offset"),
)


def response_row(id_: int, decision: Decision, document: Callable[[Any], Any]) -> tuple[Any, ...]:
    """A row in the order of COLUMNS; `document` makes of an object what its column is given."""
    answer, response, verdict = decision.answer, decision.answer.response, decision.verdict
    scale, interaction, address = response.scale, response.interaction, answer.address
    return (
        id_,
        response.event_source,
        response.event_id,
        response.source,
        response.response_id,
        decision.case.customer.id,
        response.survey_id,
        response.question,
        response.rating,
        scale.worst,
        scale.best,
        verdict.points,
        verdict.box,
        decision.outcome,
        decision.suppressed,
        decision.revises,
        response.comment,
        response.answered_at,
        response.revised_at,
        interaction.id,
        interaction.channel,
        interaction.queue,
        interaction.reason,
        interaction.agent_id,
        interaction.agent_team,
        interaction.started_at,
        interaction.ended_at,
        document(response.attributes),
        response.flags,
        absent_members(response),
        answer.value_hash,
        answer.content_hash,
        address.topic,
        address.partition,
        address.offset,
        address.timestamp,
        answer.origin_partition,
        answer.origin_offset,
    )
