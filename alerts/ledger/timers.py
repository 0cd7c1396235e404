"""Finds the callbacks whose moment has come and lets time do its work on them. Any number of replicas may do so."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Moved
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.moves import ALL_OF_C, read_callback, store_moves
from alerts.ledger.tables import callbacks
from alerts.moves import wake
from alerts.policy import Policy

# Whose moment has come? The most urgent of those that fell due together go first; replicas step around each other.
DUE = text(f"""
SELECT {ALL_OF_C} FROM callbacks AS c
WHERE c.wake_at <= (SELECT ledger_now())
ORDER BY c.wake_at, c.band, c.rank_at
LIMIT :limit
FOR UPDATE SKIP LOCKED
""").columns(*callbacks.columns)


async def wake_due(engine: AsyncEngine, policy: Policy, *, limit: int = 500) -> list[Moved]:
    """One small batch in one transaction; an empty list when nothing is due. Raises Unavailable."""
    async with transaction(engine) as connection:
        rows = (await connection.execute(DUE, {"limit": limit})).all()
        now = await ledger_now(connection)
        moved = [wake(read_callback(row), now=now, policy=policy) for row in rows]
        await store_moves(connection, moved)
    return moved
