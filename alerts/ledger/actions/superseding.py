"""News of a customer makes the call needless."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import ClosedReason, Transition
from alerts.ledger.callbacks.of_customer import open_callback_of
from alerts.ledger.callbacks.store import apply
from alerts.policy import Policy
from alerts.transitions import supersede


async def supersede_open_callback(
    connection: AsyncConnection, customer_id: int, reason: ClosedReason, policy: Policy
) -> list[Transition]:
    callback_id = await open_callback_of(connection, customer_id)
    if callback_id is None:
        return []
    return [
        await apply(connection, callback_id, lambda callback, now: supersede(callback, reason, now=now, policy=policy))
    ]
