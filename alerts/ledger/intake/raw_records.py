"""Keeps the records of answers as they came, where the policy says so, and forgets them when their days are over."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import RawRecord
from alerts.ledger.database import transaction

# Several processes may forget at once: each takes what no other has locked.
FORGET = text("""
DELETE FROM raw_records WHERE response_id IN (
    SELECT response_id FROM raw_records WHERE kept_at <= ledger_now() - make_interval(days => :days)
    ORDER BY kept_at LIMIT :at_most FOR UPDATE SKIP LOCKED
)
""")


COLUMNS = ("response_id", "key", "value", "headers")


def raw_record_row(response_id: int, raw: RawRecord) -> tuple[Any, ...]:
    """A row in the order of COLUMNS, beside the stored answer that came with it."""
    return response_id, raw.key, raw.value, msgspec.json.encode(raw.headers)


async def forget_raw(engine: AsyncEngine, *, days: int | None, at_most: int = 200) -> int:
    """Removes those older than `days`, all where none is kept, the oldest first; says how many. Call it again until it
    says none. Raises Unavailable."""
    async with transaction(engine) as connection:
        return (await connection.execute(FORGET, {"days": days or 0, "at_most": at_most})).rowcount
