"""A callback goes to another queue, one or many at a time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Transition
from alerts.errors import Invalid, NotFound, Refused
from alerts.ledger.callbacks.queues import ensure_queues
from alerts.ledger.callbacks.store import lock_callback, read_callback, store_transitions
from alerts.ledger.customers.record import customers_by_id
from alerts.ledger.database import ledger_now
from alerts.ledger.tables.callbacks import callbacks, queues
from alerts.policy import Policy
from alerts.transitions import move


async def check_queue(connection: AsyncConnection, queue: str, policy: Policy) -> None:
    """Raises Invalid for a queue that neither the policy nor the ledger knows: nobody would look there."""
    if queue in policy.queue_names:
        await ensure_queues(connection, [queue])
    elif (await connection.execute(select(queues.c.name).where(queues.c.name == queue))).first() is None:
        raise Invalid("there is no such queue; name one that /v1/queues lists", "/queue")


async def move_to_queue(
    connection: AsyncConnection, callback_id: str, queue: str, *, actor: str, policy: Policy
) -> Transition:
    """Raises NotFound, AlreadyResolved.

    The customer is read after the callback is locked, and not locked: whoever changes the customer meanwhile waits for
    the callback and then makes it follow.
    """
    callback, now = await lock_callback(connection, callback_id)
    customer = (await customers_by_id(connection, [callback.customer_id]))[callback.customer_id]
    moved = move(callback, queue=queue, customer=customer, actor=actor, now=now, policy=policy)
    await store_transitions(connection, [moved])
    return moved


async def move_many_to_queue(
    connection: AsyncConnection, ids: Sequence[str], queue: str, *, actor: str, policy: Policy
) -> dict[str, Transition | Refused]:
    """What became of each id; four statements for the locks, the people, the clock and the callbacks, however many.

    They are locked in one order, so that two of these cannot wait for each other.
    """
    query = select(callbacks).where(callbacks.c.id.in_(set(ids))).order_by(callbacks.c.id).with_for_update()
    found = {row.id: read_callback(row) for row in await connection.execute(query)}
    customers = await customers_by_id(connection, [callback.customer_id for callback in found.values()])
    now = await ledger_now(connection)
    results: dict[str, Transition | Refused] = {named: NotFound("there is no such callback") for named in ids}
    for named, callback in found.items():
        customer = customers[callback.customer_id]
        try:
            results[named] = move(callback, queue=queue, customer=customer, actor=actor, now=now, policy=policy)
        except Refused as error:
            results[named] = error
    await store_transitions(connection, [each for each in results.values() if isinstance(each, Transition)])
    return results
