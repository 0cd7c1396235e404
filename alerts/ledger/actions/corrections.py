"""A person puts a customer's number, zone or language right."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import State, Transition
from alerts.customer import Customer, correct
from alerts.errors import StaleVersion
from alerts.ledger.access.audit import write_audit
from alerts.ledger.callbacks.of_customer import open_callback_of
from alerts.ledger.callbacks.store import apply
from alerts.ledger.customers.record import customer_by_ref, store_customer
from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.customers import customers
from alerts.policy import Policy
from alerts.transitions import follow


async def correct_customer(
    connection: AsyncConnection, ref: str, changes: dict[str, str | None], *, version: str, actor: str, policy: Policy
) -> tuple[Customer, list[Transition]]:
    """Sets what a person knows better. From then on answers leave it alone. Raises NotFound, StaleVersion, Invalid."""
    before = await customer_by_ref(connection, ref, lock=True)
    if before.version != version:
        raise StaleVersion("this customer was changed since you read it; read it again")
    after = correct(before, changes)
    await store_customer(connection, before, after)
    await write_audit(connection, principal=actor, action="correct", customer_id=after.id)
    return after, await follow_customer(connection, after, actor=actor, policy=policy)


async def follow_customer(
    connection: AsyncConnection, customer: Customer, *, actor: str, policy: Policy
) -> list[Transition]:
    """The open callback of a customer whose row is locked learns of the new number, zone or language."""
    callback_id = await open_callback_of(connection, customer.id)
    if callback_id is None:
        return []
    return [
        await apply(
            connection,
            callback_id,
            lambda callback, now: follow(callback, customer, actor=actor, now=now, policy=policy),
        )
    ]


async def holds_callback_of(connection: AsyncConnection, ref: str, advisor: str | None) -> bool:
    """Whether `advisor` has a living lease on a callback of this customer."""
    query = (
        select(callbacks.c.id)
        .join(customers, customers.c.id == callbacks.c.customer_id)
        .where(
            customers.c.ref == ref,
            callbacks.c.state == State.LEASED,
            callbacks.c.lease_holder == advisor,
            callbacks.c.lease_expires_at > func.ledger_now(),
        )
    )
    return advisor is not None and (await connection.execute(query)).first() is not None
