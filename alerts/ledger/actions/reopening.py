"""A lead begins a callback again."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import OPEN_STATES, Transition
from alerts.errors import (
    NotClaimable,
)
from alerts.ledger.callbacks.of_customer import customer_of
from alerts.ledger.callbacks.store import apply
from alerts.ledger.customers.record import lock_customer
from alerts.ledger.tables.callbacks import callbacks
from alerts.policy import Policy
from alerts.transitions import reopen


async def reopen_callback(
    connection: AsyncConnection, callback_id: str, *, actor: str, reason: str | None, policy: Policy
) -> Transition:
    """Raises NotClaimable, naming it, when the customer has another open callback; DoNotCall after an opt-out."""
    customer_id = await customer_of(connection, callback_id)
    customer = await lock_customer(connection, customer_id)
    other = select(callbacks.c.id).where(
        callbacks.c.customer_id == customer_id,
        callbacks.c.state.in_(OPEN_STATES),
        callbacks.c.id != callback_id,
    )
    found = (await connection.execute(other)).scalar_one_or_none()
    if found is not None:
        raise NotClaimable(f"the customer has another open callback, {found}; work on that one")
    return await apply(
        connection,
        callback_id,
        lambda callback, now: reopen(callback, customer, actor=actor, now=now, policy=policy, reason=reason),
    )
