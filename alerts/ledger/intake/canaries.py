"""Our own answers: whose turn it is to send one, which of a batch are genuine, and whether they come through.

What a canary writes is rolled back to a savepoint of the batch that it came in. So no other transaction ever sees its
customer, its callback or its events, and no list, count or claim need leave it out (docs/decisions/0080).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts import canary
from alerts.arrival import Arrival, Canary, Passed, RecordOutcome
from alerts.consistency import CANARY_QUEUE
from alerts.errors import Unavailable, safe_traceback
from alerts.ledger.callbacks.claims import Claimer, claim_next
from alerts.ledger.connection.direct import DirectConnection, Statement, rows
from alerts.ledger.database import reachable, transaction
from alerts.ledger.tables.canary import canary as row

logger = logging.getLogger(__name__)

CLAIMER = Claimer(advisor="canary", queues=(CANARY_QUEUE,))

# Whose turn is it? Of all who ask, one in so many seconds is given the key, which is made when the first one asks:
# two UUIDs of PostgreSQL's strong random source.
TAKE_TURN = text("""
INSERT INTO canary (only_one, key, sent_at)
VALUES (true, decode(replace(concat(gen_random_uuid(), gen_random_uuid()), '-', ''), 'hex'), ledger_now())
ON CONFLICT (only_one) DO UPDATE SET sent_at = excluded.sent_at
WHERE canary.sent_at <= excluded.sent_at - CAST(:every AS interval)
RETURNING key
""")

SEEN = Statement("UPDATE canary SET seen_at = ledger_now()")

KEY = Statement("SELECT key FROM canary")


async def take_turn(engine: AsyncEngine, every: timedelta) -> bytes | None:
    """The key to sign a canary with, or None when another was sent less than `every` ago. Raises Unavailable."""
    async with transaction(engine) as connection:
        key: bytes | None = (await connection.execute(TAKE_TURN, {"every": every})).scalar_one_or_none()
        return key


async def last_seen(engine: AsyncEngine) -> datetime | None:
    """When a canary could last be claimed, on the ledger's clock. Raises Unavailable."""
    async with transaction(engine) as connection:
        moment: datetime | None = (await connection.execute(select(row.c.seen_at))).scalar_one_or_none()
        return moment


async def tell_apart(
    connection: DirectConnection, batch: Sequence[Arrival]
) -> tuple[Sequence[Arrival], Sequence[Canary]]:
    """The batch as it is to be taken in, and the genuine canaries, which are only counted; a forged one is an answer."""
    marked = [each for each in batch if type(each) is Canary]
    if not marked:
        return batch, marked
    key = next((found["key"] for found in await rows(connection, KEY)), None)
    genuine = [each for each in marked if key is not None and canary.is_genuine(key, each.value, each.mark)]
    counted = {each.address: Passed(each.address, RecordOutcome.CANARY) for each in genuine}
    plain = [counted.get(each.address, each.answer) if isinstance(each, Canary) else each for each in batch]
    return plain, genuine


async def come_through(connection: DirectConnection, count: int, raise_alerts: Callable[[], Awaitable[None]]) -> bool:
    """Whether the callbacks of `raise_alerts` can be claimed. Nothing is left of them but the moment of the sight.

    A canary that fails costs itself only. Raises Unavailable.
    """
    try:
        async with reachable(), _undone(connection):
            await raise_alerts()
            claimed = await claim_next(connection, CLAIMER, count=count, policy=canary.POLICY)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of ours, and the answers beside it must be taken in
        logger.error("the canary did not come through: %s", safe_traceback(error))
        return False
    if len(claimed) < count:
        logger.error("the canary became a callback that cannot be claimed")
        return False
    await rows(connection, SEEN)
    return True


@asynccontextmanager
async def _undone(connection: DirectConnection) -> AsyncIterator[None]:
    """Whatever is done within it is undone at its end."""
    savepoint = connection.driver.transaction()
    await savepoint.start()
    try:
        yield
    finally:
        await savepoint.rollback()
