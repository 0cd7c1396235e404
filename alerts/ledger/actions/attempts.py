"""A try to reach the customer, and what it says of the customer: the number, or the wish not to be phoned."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Transition
from alerts.customer import Customer, with_number
from alerts.ledger.callbacks.of_customer import customer_of
from alerts.ledger.callbacks.store import lock_callback, store_transitions
from alerts.ledger.customers.record import lock_customer, store_customer
from alerts.policy import Policy
from alerts.transitions import NewAttempt, attempt, follow


async def record_attempt(
    connection: AsyncConnection,
    callback_id: str,
    new: NewAttempt,
    *,
    token: str,
    number: str | None,
    actor: str,
    policy: Policy,
) -> Transition:
    """`number`: what was dialled where it is not what we had; it becomes the customer's.

    Raises NotFound, LeaseLost, AlreadyResolved, OutsideCallingWindow, Invalid.
    """
    customer = await lock_customer(connection, await customer_of(connection, callback_id))
    callback, now = await lock_callback(connection, callback_id)
    moved = attempt(callback, new, token=token, now=now, policy=policy)
    after = _learned(customer, new, number, now)
    await store_customer(connection, customer, after)
    if moved.callback.is_open:
        moved = moved.then(follow(moved.callback, after, actor=actor, now=now, policy=policy))
    await store_transitions(connection, [moved])
    return moved


def _learned(customer: Customer, new: NewAttempt, number: str | None, now: datetime) -> Customer:
    """What this try has taught us of the customer: another number, that the number is not theirs, an opt-out."""
    if number is not None:
        customer = with_number(customer, number, "/number")
    if new.result.is_bad_number:
        customer = customer.evolve(number_failed=True)
    if new.opt_out:
        customer = customer.evolve(opted_out_at=customer.opted_out_at or now)
    return customer
