"""Finds a customer by a handle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.customer import Customer
from alerts.identity import Handle
from alerts.ledger.customers.record import CUSTOMER, read_customer
from alerts.ledger.tables.customers import customers
from alerts.ledger.tables.responses import responses


async def find_customer(connection: AsyncConnection, handles: Sequence[Handle]) -> Customer | None:
    """Whom the first handle that is known names; a phone or an e-mail only when it names one customer alone."""
    for handle in handles:
        exact = select(*CUSTOMER).where(customers.c.key == handle.key)
        row = (await connection.execute(exact)).one_or_none() or await _only_one(connection, handle)
        if row is not None:
            return read_customer(row)
    return None


async def _only_one(connection: AsyncConnection, handle: Handle) -> Row[Any] | None:
    query = select(*CUSTOMER).limit(2)
    if handle.kind == "interaction":
        rated = select(responses.c.customer_id).where(
            responses.c.interaction_id == handle.value, responses.c.source == handle.scope
        )
        query = query.where(customers.c.id.in_(rated))
    elif handle.kind in ("phone", "email"):
        query = query.where(customers.c[handle.kind] == handle.value)
    else:
        return None
    rows = (await connection.execute(query)).all()
    return rows[0] if len(rows) == 1 else None
