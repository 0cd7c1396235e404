"""Finds the callbacks whose moment has come and lets time do its work on them. Any number of replicas may do so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Transition
from alerts.ledger.callbacks.isolation import PUT_OFF, put_off, store_each
from alerts.ledger.callbacks.store import ALL_OF_C, read_callback
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.tables.callbacks import callbacks
from alerts.policy import Policy
from alerts.transitions import wake

# Whose moment has come? The most urgent of those that fell due together go first; replicas step around each other.
DUE = text(f"""
SELECT {ALL_OF_C} FROM callbacks AS c
WHERE c.wake_at <= (SELECT ledger_now())
ORDER BY c.wake_at, c.priority_class, c.rank_at
LIMIT :limit
FOR UPDATE SKIP LOCKED
""").columns(*callbacks.columns)


async def wake_due(engine: AsyncEngine, policy: Policy, *, limit: int = 500) -> list[Transition]:
    """One small batch in one transaction; an empty list when nothing is due. Raises Unavailable.

    One that cannot be woken, or not be stored, is put off, so that the others beside it and behind it are woken.
    """
    async with transaction(engine) as connection:
        rows = (await connection.execute(DUE, {"limit": limit})).all()
        now = await ledger_now(connection)
        moved, failed = await asyncio.to_thread(_wake_all, rows, now, policy)
        for callback_id, error in failed:
            await put_off(connection, callback_id, PUT_OFF, error)
        return await store_each(connection, moved, PUT_OFF)


def _wake_all(
    rows: Sequence[Row[Any]], now: datetime, policy: Policy
) -> tuple[list[Transition], list[tuple[str, Exception]]]:
    """What the time makes of each, and of which it can make nothing. For a thread: hundreds take a while."""
    moved, failed = [], []
    for row in rows:
        try:
            moved.append(wake(read_callback(row), now=now, policy=policy))
        except Exception as error:  # noqa: BLE001 - a fault of ours, or a policy that cannot be right
            failed.append((row.id, error))
    return moved, failed
