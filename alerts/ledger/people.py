"""What people and platforms say of a customer: a fact put right, an opt-out, a contact; and what that does to the call.

Whatever changes a customer locks the customer's row first and the open callback after it (see `alerts.ledger.intake`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import ClosedReason, Moved, State
from alerts.customer import Customer, correct
from alerts.errors import StaleVersion
from alerts.identity import Handle
from alerts.ledger.audit import write_audit
from alerts.ledger.customers import customer_by_ref, find_customer, store_customer
from alerts.ledger.database import ledger_now
from alerts.ledger.moves import apply
from alerts.ledger.queue import open_callback_of
from alerts.ledger.tables import alerts, callbacks, customers, responses
from alerts.moves import follow, supersede
from alerts.policy import Policy


async def correct_customer(
    connection: AsyncConnection, ref: str, changes: dict[str, str | None], *, version: str, actor: str, policy: Policy
) -> tuple[Customer, list[Moved]]:
    """Sets what a person knows better. From then on answers leave it alone. Raises NotFound, StaleVersion, Invalid."""
    before = await customer_by_ref(connection, ref, lock=True)
    if before.version != version:
        raise StaleVersion("this customer was changed since you read it; read it again")
    after = correct(before, changes)
    await store_customer(connection, before, after)
    await write_audit(connection, principal=actor, action="correct", customer_id=after.id)
    return after, await follow_customer(connection, after, actor=actor, policy=policy)


async def follow_customer(connection: AsyncConnection, customer: Customer, *, actor: str, policy: Policy) -> list[Moved]:
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


async def opt_out(connection: AsyncConnection, ref: str, *, actor: str, policy: Policy) -> list[Moved]:
    """No more calls: closes a waiting or scheduled callback, flags a leased one. Safe twice. Raises NotFound."""
    customer = await customer_by_ref(connection, ref, lock=True)
    await write_audit(connection, principal=actor, action="opt_out", customer_id=customer.id)
    if customer.opted_out_at is None:
        await store_customer(connection, customer, customer.evolve(opted_out_at=await ledger_now(connection)))
    return await supersede_open_callback(connection, customer.id, ClosedReason.OPTED_OUT, policy)


async def withdraw_opt_out(connection: AsyncConnection, ref: str, *, actor: str) -> None:
    """Later answers count again; what was closed stays closed. Raises NotFound."""
    customer = await customer_by_ref(connection, ref, lock=True)
    await write_audit(connection, principal=actor, action="opt_out_withdrawn", customer_id=customer.id)
    await store_customer(connection, customer, customer.evolve(opted_out_at=None))


async def record_contact(
    connection: AsyncConnection, handles: Sequence[Handle], at: datetime, *, policy: Policy
) -> list[Moved]:
    """The customer called in, chatted or visited at `at`: what was newer than the answers makes the call needless."""
    found = await find_customer(connection, handles)
    if found is None:
        return []
    customer = await customer_by_ref(connection, found.ref, lock=True)
    callback_id = await open_callback_of(connection, customer.id)
    if callback_id is None or await _last_answer(connection, callback_id) > at:
        return []
    return await supersede_open_callback(connection, customer.id, ClosedReason.CUSTOMER_CALLED_IN, policy)


async def _last_answer(connection: AsyncConnection, callback_id: str) -> datetime:
    query = (
        select(func.max(responses.c.answered_at))
        .join(alerts, alerts.c.response_id == responses.c.id)
        .where(alerts.c.callback_id == callback_id)
    )
    moment = (await connection.execute(query)).scalar_one()
    assert isinstance(moment, datetime)
    return moment


async def supersede_open_callback(
    connection: AsyncConnection, customer_id: int, reason: ClosedReason, policy: Policy
) -> list[Moved]:
    callback_id = await open_callback_of(connection, customer_id)
    if callback_id is None:
        return []
    return [
        await apply(connection, callback_id, lambda callback, now: supersede(callback, reason, now=now, policy=policy))
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
