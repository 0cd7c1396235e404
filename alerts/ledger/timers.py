"""Finds the callbacks whose moment has come and lets time do its work on them. Any number of replicas may do so."""

from __future__ import annotations

import logging

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Moved
from alerts.errors import where
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.moves import ALL_OF_C, read_callback, store_moves
from alerts.ledger.tables import callbacks
from alerts.moves import wake
from alerts.policy import Policy

logger = logging.getLogger(__name__)

# Whose moment has come? The most urgent of those that fell due together go first; replicas step around each other.
DUE = text(f"""
SELECT {ALL_OF_C} FROM callbacks AS c
WHERE c.wake_at <= (SELECT ledger_now())
ORDER BY c.wake_at, c.band, c.rank_at
LIMIT :limit
FOR UPDATE SKIP LOCKED
""").columns(*callbacks.columns)


# One that cannot be woken is looked at again later, so that the others behind it are.
PUT_OFF = text("UPDATE callbacks SET wake_at = ledger_now() + interval '5 minutes' WHERE id = :id")


async def wake_due(engine: AsyncEngine, policy: Policy, *, limit: int = 500) -> list[Moved]:
    """One small batch in one transaction; an empty list when nothing is due. Raises Unavailable."""
    async with transaction(engine) as connection:
        rows = (await connection.execute(DUE, {"limit": limit})).all()
        now = await ledger_now(connection)
        moved = []
        for row in rows:
            try:
                moved.append(wake(read_callback(row), now=now, policy=policy))
            except Exception as error:  # noqa: BLE001 - a fault of ours, or a policy that cannot be right
                logger.error("callback %s cannot be woken and is put off: %s", row.id, where(error))
                await connection.execute(PUT_OFF, {"id": row.id})
        await store_moves(connection, moved)
    return moved
