"""A customer was in touch by themselves, which may make the call needless."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import ClosedReason, Transition
from alerts.identity import Handle
from alerts.ledger.actions.superseding import supersede_open_callback
from alerts.ledger.callbacks.of_customer import open_callback_of
from alerts.ledger.customers.lookup import find_customer
from alerts.ledger.customers.record import customer_by_ref
from alerts.ledger.tables.responses import alerts, responses
from alerts.policy import Policy


async def record_contact(
    connection: AsyncConnection, handles: Sequence[Handle], at: datetime, *, policy: Policy
) -> list[Transition]:
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
