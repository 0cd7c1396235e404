"""The answers themselves: which we know already, which is an answer's newest revision, and writing new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.ledger.json_rows import encode, insert_rows, recordset
from alerts.ledger.tables import alerts, responses
from alerts.outcomes import Answer, RecordOutcome
from alerts.scale import Box

Identity = tuple[str, str]


class Revision(Struct, frozen=True, order=True):
    """Where an answer stands among its own revisions; the greatest is in force."""

    revised_at: datetime
    event_id: str
    box: str


# Which of these events do we have, and with what content?
KNOWN_EVENTS = text(
    "SELECT r.event_source, r.event_id, e.value_hash, e.content_hash"
    f" FROM {recordset(responses, ('event_source', 'event_id'))}"
    " JOIN responses e ON e.event_source = r.event_source AND e.event_id = r.event_id"
)

# What is the revision in force of each of these answers?
NEWEST_REVISIONS = text(
    "SELECT DISTINCT ON (r.event_source, r.response_id) r.event_source, r.response_id, e.revised_at, e.event_id, e.box"
    f" FROM {recordset(responses, ('event_source', 'response_id'))}"
    " JOIN responses e ON e.event_source = r.event_source AND e.response_id = r.response_id"
    " ORDER BY r.event_source, r.response_id, e.revised_at DESC, e.event_id DESC"
)


async def known_events(connection: AsyncConnection, answers: Iterable[Answer]) -> dict[Identity, tuple[bytes, bytes]]:
    """(event source, event id) -> both hashes, for those that are stored."""
    wanted = {(answer.response.event_source, answer.response.event_id) for answer in answers}
    rows = [{"event_source": source, "event_id": id_} for source, id_ in wanted]
    found = await connection.execute(KNOWN_EVENTS, {"rows": encode(rows)})
    return {(row.event_source, row.event_id): (row.value_hash, row.content_hash) for row in found}


async def newest_revisions(connection: AsyncConnection, answers: Iterable[Answer]) -> dict[Identity, Revision]:
    """(event source, response id) -> the revision in force, for those that are stored."""
    wanted = {(answer.response.event_source, answer.response.response_id) for answer in answers}
    rows = [{"event_source": source, "response_id": id_} for source, id_ in wanted]
    found = await connection.execute(NEWEST_REVISIONS, {"rows": encode(rows)})
    return {(row.event_source, row.response_id): Revision(row.revised_at, row.event_id, row.box) for row in found}


async def last_bottom_boxes(connection: AsyncConnection, customer_ids: Sequence[int]) -> dict[int, datetime]:
    """When each of these customers last gave a bottom-box answer, as far as stored."""
    query = (
        select(responses.c.customer_id, func.max(responses.c.answered_at).label("last"))
        .where(responses.c.customer_id.in_(customer_ids), responses.c.box == Box.BOTTOM)
        .group_by(responses.c.customer_id)
    )
    return {row.customer_id: row.last for row in await connection.execute(query)}


class NewResponse(Struct, frozen=True, kw_only=True):
    answer: Answer
    customer_id: int
    points: int
    box: Box
    outcome: RecordOutcome
    suppressed: str | None = None


async def insert_responses(connection: AsyncConnection, new: Sequence[NewResponse]) -> dict[Identity, int]:
    """(event source, event id) -> the new row's id. A row that somebody else wrote meanwhile is an integrity error."""
    done = await insert_rows(
        connection, responses, [_row(each) for each in new], "RETURNING id, event_source, event_id"
    )
    return {} if done is None else {(row.event_source, row.event_id): row.id for row in done}


async def insert_alerts(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    await insert_rows(connection, alerts, rows)


def _row(new: NewResponse) -> dict[str, Any]:
    answer, response = new.answer, new.answer.response
    interaction = response.interaction
    return {
        "event_source": response.event_source,
        "event_id": response.event_id,
        "source": response.source,
        "response_id": response.response_id,
        "customer_id": new.customer_id,
        "survey_id": response.survey_id,
        "question": response.question,
        "rating": response.rating,
        "worst": response.scale.worst,
        "best": response.scale.best,
        "points": new.points,
        "box": new.box,
        "outcome": new.outcome,
        "suppressed": new.suppressed,
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
        "value_hash": answer.value_hash,
        "content_hash": answer.content_hash,
        "topic": answer.address.topic,
        "partition": answer.address.partition,
        "offset": answer.address.offset,
        "recorded_at": answer.address.timestamp,
    }
