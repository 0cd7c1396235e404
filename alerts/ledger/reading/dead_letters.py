"""The index of what was set aside; the records themselves stand in the dead-letter topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.errors import NotFound
from alerts.ledger.database import transaction
from alerts.ledger.tables.kafka import dead_letters


class DeadLetter(Struct, frozen=True, kw_only=True):
    """Where it came from, why it was set aside, and where it stands now. No value."""

    id: int
    topic: str
    partition: int
    offset: int
    recorded_at: datetime
    reason: str
    field: str | None
    detail: str
    source: str | None
    failed_at: datetime
    dead_topic: str | None
    dead_partition: int | None
    dead_offset: int | None
    redriven_at: datetime | None
    redriven_by: str | None
    gone_at: datetime | None


async def find_dead_letters(
    engine: AsyncEngine, *, ids: Sequence[int] = (), reason: str | None = None, pending: bool = False, limit: int = 100
) -> list[DeadLetter]:
    """The oldest first. `pending`: only those that were not sent again yet and still can be."""
    query = select(dead_letters).order_by(dead_letters.c.id).limit(limit)
    if ids:
        query = query.where(dead_letters.c.id.in_(ids))
    if reason is not None:
        query = query.where(dead_letters.c.reason == reason)
    if pending:
        query = query.where(dead_letters.c.redriven_at.is_(None), dead_letters.c.gone_at.is_(None))
    async with transaction(engine) as connection:
        return [DeadLetter(**row._mapping) for row in await connection.execute(query)]


async def one_dead_letter(engine: AsyncEngine, id: int) -> DeadLetter:
    found = await find_dead_letters(engine, ids=[id], limit=1)
    if not found:
        raise NotFound("there is no such dead letter")
    return found[0]


async def mark_redriven(engine: AsyncEngine, id: int, by: str) -> None:
    done = update(dead_letters).where(dead_letters.c.id == id).values(redriven_at=func.ledger_now(), redriven_by=by)
    async with transaction(engine) as connection:
        await connection.execute(done)


async def mark_gone(engine: AsyncEngine, id: int) -> None:
    gone = update(dead_letters).where(dead_letters.c.id == id).values(gone_at=func.ledger_now())
    async with transaction(engine) as connection:
        await connection.execute(gone)


async def list_dead_letters(
    engine: AsyncEngine, *, reason: str | None, topic: str | None, before: int | None, limit: int
) -> tuple[list[DeadLetter], int | None]:
    """The newest first, and the id before which the next page begins; None on the last page. Raises Unavailable."""
    query = select(dead_letters).order_by(dead_letters.c.id.desc()).limit(limit + 1)
    if reason is not None:
        query = query.where(dead_letters.c.reason == reason)
    if topic is not None:
        query = query.where(dead_letters.c.topic == topic)
    if before is not None:
        query = query.where(dead_letters.c.id < before)
    async with transaction(engine) as connection:
        rows = (await connection.execute(query)).all()
    page = [DeadLetter(**row._mapping) for row in rows[:limit]]
    return page, page[-1].id if len(rows) > limit else None
