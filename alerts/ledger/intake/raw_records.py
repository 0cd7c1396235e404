"""Keeps the records of answers as they came, where the policy says so, and forgets them when their days are over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.case import Decision, ScopedId, event_identity
from alerts.ledger.bulk import insert_rows
from alerts.ledger.database import transaction
from alerts.ledger.tables.responses import raw_records

# Several processes may forget at once: each takes what no other has locked.
FORGET = text("""
DELETE FROM raw_records WHERE response_id IN (
    SELECT response_id FROM raw_records WHERE kept_at <= ledger_now() - make_interval(days => :days)
    ORDER BY kept_at LIMIT :at_most FOR UPDATE SKIP LOCKED
)
""")


async def keep_raw(
    connection: AsyncConnection, decisions: Iterable[Decision], response_ids: Mapping[ScopedId, int]
) -> None:
    """Beside the stored answers; of those that came with it."""
    rows = [
        {
            "response_id": response_ids[event_identity(each.answer.response)],
            "key": each.answer.raw.key,
            "value": each.answer.raw.value,
            "headers": msgspec.json.encode(each.answer.raw.headers),
        }
        for each in decisions
        if each.answer.raw is not None
    ]
    await insert_rows(connection, raw_records, rows)


async def forget_raw(engine: AsyncEngine, *, days: int | None, at_most: int = 200) -> int:
    """Removes those older than `days`, all where none is kept, the oldest first; says how many. Call it again until it
    says none. Raises Unavailable."""
    async with transaction(engine) as connection:
        return (await connection.execute(FORGET, {"days": days or 0, "at_most": at_most})).rowcount
