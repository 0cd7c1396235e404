"""Whose callback it is, and which one of a customer's is open."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import OPEN_STATES
from alerts.errors import (
    NotFound,
)
from alerts.ledger.tables.callbacks import callbacks


async def customer_of(connection: AsyncConnection, callback_id: str) -> int:
    query = select(callbacks.c.customer_id).where(callbacks.c.id == callback_id)
    found = (await connection.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound("there is no such callback")
    return int(found)


async def open_callback_of(connection: AsyncConnection, customer_id: int) -> str | None:
    """The customer's open callback, locked: it cannot end before the caller has. The caller holds the customer's lock."""
    query = (
        select(callbacks.c.id)
        .where(callbacks.c.customer_id == customer_id, callbacks.c.state.in_(OPEN_STATES))
        .with_for_update()
    )
    return (await connection.execute(query)).scalar_one_or_none()
