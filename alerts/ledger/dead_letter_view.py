"""One page of the index of dead letters."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.ledger.database import transaction
from alerts.ledger.dead_letters import DeadLetter
from alerts.ledger.tables import dead_letters


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
