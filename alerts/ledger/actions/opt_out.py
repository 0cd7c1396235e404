"""A customer wants no more calls, or wants them again."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import ClosedReason, Transition
from alerts.ledger.access.audit import write_audit
from alerts.ledger.actions.superseding import supersede_open_callback
from alerts.ledger.customers.record import customer_by_ref, store_customer
from alerts.ledger.database import ledger_now
from alerts.policy import Policy


async def opt_out(connection: AsyncConnection, ref: str, *, actor: str, policy: Policy) -> list[Transition]:
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
