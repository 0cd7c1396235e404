"""A try to reach the customer, and what it says of the customer: the number, or the wish not to be phoned."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Moved
from alerts.ledger.customers import lock_customer
from alerts.ledger.database import ledger_now
from alerts.ledger.moves import lock_callback, store_moves
from alerts.ledger.people import Person, change_person, dialable, mended, people_by_id
from alerts.ledger.queue import customer_of
from alerts.moves import NewAttempt, attempt
from alerts.policy import Policy


async def record_attempt(
    connection: AsyncConnection,
    callback_id: str,
    new: NewAttempt,
    *,
    token: str,
    number: str | None,
    actor: str,
    policy: Policy,
) -> Moved:
    """`number`: what was dialled where it is not what we had; it becomes the customer's.

    Raises NotFound, LeaseLost, AlreadyResolved, OutsideCallingWindow, Invalid.
    """
    customer_id = await customer_of(connection, callback_id)
    await lock_customer(connection, customer_id)
    callback = await lock_callback(connection, callback_id)
    now = await ledger_now(connection)
    moved = attempt(callback, new, token=token, now=now, policy=policy)
    person = (await people_by_id(connection, [customer_id]))[customer_id]
    facts = _learned(person, new, number, now)
    if facts:
        person = await change_person(connection, person, facts)
    if number is not None and moved.callback.is_open:
        moved = moved.then(mended(moved.callback, person, actor=actor, now=now, policy=policy))
    await store_moves(connection, [moved])
    return moved


def _learned(person: Person, new: NewAttempt, number: str | None, now: datetime) -> dict[str, Any]:
    """The columns of the customer that this try has put right."""
    facts: dict[str, Any] = {}
    if number is not None:
        facts |= {"phone": dialable(number, person.country, "/number"), "number_status": "ok"}
    if new.result.is_bad_number:
        facts["number_status"] = "bad"
    if new.opt_out:
        facts["opted_out_at"] = person.opted_out_at or now
    return facts
