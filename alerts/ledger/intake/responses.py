"""The answers themselves: which we know already, which is an answer's newest revision, and writing new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.alert import Alert
from alerts.arrival import Answer
from alerts.case import Decision, Fingerprint, Revision, ScopedId, answer_identity, event_identity, revision_of
from alerts.ledger.bulk import (
    COPY_FROM,
    copy_rows,
    encode,
    insert_returning,
    insert_rows,
    recordset,
    reserve_ids,
)
from alerts.ledger.tables.responses import alerts, responses
from alerts.members import absent_members

# Which of these events do we have, and with what content?
KNOWN_EVENTS = text(
    "SELECT r.event_source, r.event_id, e.value_hash, e.content_hash"
    f" FROM {recordset(responses, ('event_source', 'event_id'))}"
    " JOIN responses e ON e.event_source = r.event_source AND e.event_id = r.event_id"
)

# What is the revision in force of each of these answers?
NEWEST_REVISIONS = text(
    "SELECT DISTINCT ON (r.event_source, r.response_id) r.event_source, r.response_id,"
    " e.revised_at, e.origin_partition, e.origin_offset, e.box"
    f" FROM {recordset(responses, ('event_source', 'response_id'))}"
    " JOIN responses e ON e.event_source = r.event_source AND e.response_id = r.response_id"
    " ORDER BY r.event_source, r.response_id, e.revised_at DESC, e.origin_partition DESC, e.origin_offset DESC"
)


async def known_events(connection: AsyncConnection, answers: Iterable[Answer]) -> dict[ScopedId, Fingerprint]:
    """By (event source, event id), those that are stored."""
    wanted = {event_identity(answer.response) for answer in answers}
    rows = [{"event_source": source, "event_id": id_} for source, id_ in wanted]
    found = await connection.execute(KNOWN_EVENTS, {"rows": encode(rows)})
    return {(row.event_source, row.event_id): Fingerprint(row.value_hash, row.content_hash) for row in found}


async def newest_revisions(connection: AsyncConnection, answers: Iterable[Answer]) -> dict[ScopedId, Revision]:
    """By (event source, response id), the revision in force of those that are stored."""
    wanted = {answer_identity(answer.response) for answer in answers}
    rows = [{"event_source": source, "response_id": id_} for source, id_ in wanted]
    found = await connection.execute(NEWEST_REVISIONS, {"rows": encode(rows)})
    return {
        (row.event_source, row.response_id): Revision(row.revised_at, row.origin_partition, row.origin_offset, row.box)
        for row in found
    }


async def insert_responses(connection: AsyncConnection, decisions: Iterable[Decision]) -> dict[ScopedId, int]:
    """(event source, event id) -> the new row's id. A row that somebody else wrote meanwhile is an integrity error."""
    rows = [_row(each) for each in decisions]
    if len(rows) >= COPY_FROM:
        ids = await reserve_ids(connection, responses, len(rows))
        await copy_rows(connection, responses, [{"id": id_, **row} for id_, row in zip(ids, rows, strict=True)])
        return {(row["event_source"], row["event_id"]): id_ for id_, row in zip(ids, rows, strict=True)}
    done = await insert_returning(connection, responses, rows, "RETURNING id, event_source, event_id")
    return {} if done is None else {(row.event_source, row.event_id): row.id for row in done}


async def insert_alerts(
    connection: AsyncConnection, raised: Iterable[Alert], response_ids: Mapping[ScopedId, int]
) -> None:
    rows = [
        {
            "response_id": response_ids[event_identity(alert.response)],
            "callback_id": alert.callback_id,
            "raised_at": alert.raised_at,
            "severity": alert.verdict.severity,
            "reasons": alert.verdict.reasons,
        }
        for alert in raised
    ]
    await insert_rows(connection, alerts, rows)


def _row(decision: Decision) -> dict[str, Any]:
    answer, response, verdict = decision.answer, decision.answer.response, decision.verdict
    interaction = response.interaction
    place = revision_of(answer)
    return {
        "event_source": response.event_source,
        "event_id": response.event_id,
        "source": response.source,
        "response_id": response.response_id,
        "customer_id": decision.case.customer.id,
        "survey_id": response.survey_id,
        "question": response.question,
        "rating": response.rating,
        "worst": response.scale.worst,
        "best": response.scale.best,
        "points": verdict.points,
        "box": verdict.box,
        "outcome": decision.outcome,
        "suppressed": decision.suppressed,
        "revises": decision.revises,
        "comment": response.comment,
        "answered_at": response.answered_at,
        "revised_at": response.revised_at,
        "interaction_id": interaction.id,
        "channel": interaction.channel,
        "contact_queue": interaction.queue,
        "contact_reason": interaction.reason,
        "agent_id": interaction.agent_id,
        "agent_team": interaction.agent_team,
        "started_at": interaction.started_at,
        "ended_at": interaction.ended_at,
        "attributes": response.attributes,
        "flags": response.flags,
        "absent": absent_members(response),
        "value_hash": answer.value_hash,
        "content_hash": answer.content_hash,
        "topic": answer.address.topic,
        "partition": answer.address.partition,
        "offset": answer.address.offset,
        "recorded_at": answer.address.timestamp,
        "origin_partition": place.partition,
        "origin_offset": place.offset,
    }
