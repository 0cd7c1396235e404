"""What decides how much of a callback may be shown now: who holds it, and what its customer has asked for since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Callback, State
from alerts.customer import Customer
from alerts.ledger.callbacks.store import read_callback
from alerts.ledger.customers.record import customers_by_id
from alerts.ledger.tables.callbacks import callbacks


class Present(Struct, frozen=True):
    """A callback and its customer as they are at this moment."""

    callback: Callback
    customer: Customer

    def is_held_with(self, token: str, now: datetime) -> bool:
        """Whether the lease with this token still lives."""
        expires_at = self.callback.lease_expires_at
        is_leased = self.callback.state is State.LEASED and self.callback.lease_token == token
        return is_leased and expires_at is not None and expires_at > now


async def present(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Present]:
    """By the callback's id; one that is gone is not among them."""
    rows = await connection.execute(select(callbacks).where(callbacks.c.id.in_(ids)))
    found = [read_callback(row) for row in rows]
    customers = await customers_by_id(connection, [each.customer_id for each in found])
    return {each.id: Present(each, customers[each.customer_id]) for each in found}
