"""The rows of queues: made when first needed, paused and resumed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.errors import (
    NotFound,
)
from alerts.ledger.tables.callbacks import queues


async def ensure_queues(connection: AsyncConnection, names: Sequence[str]) -> None:
    """Makes the rows of queues that the policy names and the ledger does not know yet."""
    rows = text("INSERT INTO queues (name) SELECT unnest(CAST(:names AS text[])) ON CONFLICT DO NOTHING")
    await connection.execute(rows, {"names": sorted(names)})


async def pause_queue(connection: AsyncConnection, name: str, *, by: str, reason: str) -> None:
    """A paused queue offers nothing. Raises NotFound."""
    values: dict[str, Any] = {"paused_at": func.ledger_now(), "paused_by": by, "paused_reason": reason}
    await _set_queue(connection, name, values)


async def resume_queue(connection: AsyncConnection, name: str) -> None:
    await _set_queue(connection, name, {"paused_at": None, "paused_by": None, "paused_reason": None})


async def _set_queue(connection: AsyncConnection, name: str, values: dict[str, Any]) -> None:
    done = await connection.execute(update(queues).where(queues.c.name == name).values(**values))
    if done.rowcount == 0:
        raise NotFound("there is no such queue")
