"""What decides how much of a callback may be shown now: who holds it, and what its customer has asked for since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Callback, State
from alerts.ledger.moves import read_callback
from alerts.ledger.tables import callbacks, customers


class Present(Struct, frozen=True):
    """A callback as it is at this moment, and what of its customer counts for showing data."""

    callback: Callback
    phone: str | None
    opted_out: bool
    erased: bool

    def is_held_with(self, token: str, now: datetime) -> bool:
        """Whether the lease with this token still lives."""
        expires_at = self.callback.lease_expires_at
        is_leased = self.callback.state is State.LEASED and self.callback.lease_token == token
        return is_leased and expires_at is not None and expires_at > now


async def present(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Present]:
    """By the callback's id; one that is gone is not among them."""
    facts = (customers.c.phone, customers.c.opted_out_at, customers.c.erased_at)
    query = (
        select(callbacks, *(fact.label(f"customer_{fact.name}") for fact in facts))
        .join(customers, customers.c.id == callbacks.c.customer_id)
        .where(callbacks.c.id.in_(ids))
    )
    return {
        row.id: Present(
            callback=read_callback(row),
            phone=row.customer_phone,
            opted_out=row.customer_opted_out_at is not None,
            erased=row.customer_erased_at is not None,
        )
        for row in await connection.execute(query)
    }
