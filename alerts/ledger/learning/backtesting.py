"""Reads stored answers in the order in which they came. The transaction is read-only: the database itself holds it to that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.arrival import Address, Answer
from alerts.customer import Customer
from alerts.learning.simulation import StoredAnswer
from alerts.ledger.customers.record import MEMBERS
from alerts.ledger.database import transaction
from alerts.ledger.learning.stored_answers import OF_CUSTOMERS, answers_query, r, read_response
from alerts.ledger.tables.customers import customers

READ_ONLY = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
"""All of it at one moment."""

# How long was a callback held, in the median, from its last claim to its resolve?
HELD = text("""
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended.at - begun.at))
FROM history AS ended
CROSS JOIN LATERAL (
    SELECT h.at FROM history AS h WHERE h.callback_id = ended.callback_id AND h.kind = 'claimed' AND h.id < ended.id
    ORDER BY h.id DESC LIMIT 1
) AS begun
WHERE ended.kind = 'resolved' AND ended.at >= :since AND ended.at < :until
""")

_REST = tuple(name for name in MEMBERS if f"customer_{name}" not in OF_CUSTOMERS)


async def replay_answers(
    engine: AsyncEngine, since: datetime, until: datetime, take: Callable[[StoredAnswer], object]
) -> timedelta | None:
    """Every answer received in [since, until), to `take`; then the median time held meanwhile. Raises Unavailable."""
    async with transaction(engine) as connection:
        await connection.execute(READ_ONLY)
        async for stored in _answers(connection, since, until):
            take(stored)
        seconds = (await connection.execute(HELD, {"since": since, "until": until})).scalar_one()
    return None if seconds is None else timedelta(seconds=float(seconds))


async def _answers(connection: AsyncConnection, since: datetime, until: datetime) -> AsyncIterator[StoredAnswer]:
    others = [customers.c[name].label(f"known_{name}") for name in _REST]
    query = answers_query(*others).where(r.received_at >= since, r.received_at < until).order_by(r.received_at, r.id)
    async with connection.stream(query.execution_options(yield_per=1000)) as rows:
        async for row in rows:
            yield _stored(row)


def _stored(row: Row[Any]) -> StoredAnswer:
    known, response = row._mapping, read_response(row)
    address = Address(known["topic"], known["partition"], known["offset"], known["recorded_at"])
    answer = Answer(address, response, b"", b"", known["origin_partition"], known["origin_offset"])
    facts = {name: known[f"known_{name}"] for name in _REST}
    facts |= {"ref": str(facts["ref"]), "corrected": tuple(facts["corrected"])}
    customer = Customer(**facts, **_facts(known))
    return StoredAnswer(answer, customer, known["received_at"])


def _facts(known: Any) -> dict[str, Any]:
    return {name.removeprefix("customer_"): known[name] for name in OF_CUSTOMERS}
