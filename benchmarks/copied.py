"""What the database takes when it is handed the very rows that the intake writes, ready as PostgreSQL's binary COPY.

No Kafka, no reading and no decision; tables, indexes, foreign keys, syncs and accounts are the same. What the intake does
besides, and this floor does not: it looks for what it has, updates customers that are known, and joins callbacks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from io import BytesIO

import asyncpg

from benchmarks.ledgers import fresh_ledger
from tests.parts.postgres import PostgresServer

BATCH = 2000
CONNECTIONS = 3

Batch = dict[str, bytes]
"""By table, in the order of foreign keys: rows as binary COPY."""

# A customer, and a callback, is written with the first of its answers.
_PARTS = {
    "customers": "id IN (SELECT customer_id FROM r GROUP BY 1 HAVING min(id) BETWEEN $1 AND $2)",
    "responses": "id IN (SELECT id FROM r WHERE id BETWEEN $1 AND $2)",
    "callbacks": "id IN (SELECT callback_id FROM a GROUP BY 1 HAVING min(id) BETWEEN $1 AND $2)",
    "history": "callback_id IN (SELECT callback_id FROM a GROUP BY 1 HAVING min(id) BETWEEN $1 AND $2)",
    "outbox": "subject IN (SELECT callback_id::text FROM a GROUP BY 1 HAVING min(id) BETWEEN $1 AND $2)",
    "alerts": "response_id IN (SELECT id FROM a WHERE id BETWEEN $1 AND $2)",
}
_OF_LANE = (
    "WITH r AS MATERIALIZED (SELECT id, customer_id FROM responses WHERE customer_id % {lanes} = {lane}),"
    " a AS MATERIALIZED (SELECT r.id, callback_id FROM r JOIN alerts ON response_id = r.id)"
)
_ACCOUNT = (
    "INSERT INTO partitions (topic, partition, epoch, first_offset, next_offset, outcomes, skipped, seen_again)"
    " VALUES ('floor', $1, 0, 0, $2, '{}', 0, 0)"
    " ON CONFLICT (topic, partition, epoch) DO UPDATE SET next_offset = partitions.next_offset + $2, moved_at = ledger_now()"
)


async def encoded_batches(url: str, lanes: int) -> list[list[Batch]]:
    """The rows of a filled ledger: for each lane, whose customers are its own, batches of 2,000 answers."""
    ledger = await asyncpg.connect(url)
    try:
        return [await _of_lane(ledger, lane, lanes) for lane in range(lanes)]
    finally:
        await ledger.close()


async def _of_lane(ledger: asyncpg.Connection[asyncpg.Record], lane: int, lanes: int) -> list[Batch]:
    ids = [
        row[0]
        for row in await ledger.fetch("SELECT id FROM responses WHERE customer_id % $1 = $2 ORDER BY id", lanes, lane)
    ]
    of_lane = _OF_LANE.format(lanes=lanes, lane=lane)
    batches = []
    for part in (ids[start : start + BATCH] for start in range(0, len(ids), BATCH)):
        batch = {}
        for table, rows in _PARTS.items():
            copied = BytesIO()
            query = f"{of_lane} SELECT * FROM {table} WHERE {rows}"
            await ledger.copy_from_query(query, part[0], part[-1], output=copied, format="binary")
            batch[table] = copied.getvalue()
        batches.append(batch)
    return batches


async def copy_in(server: PostgresServer, lanes: Sequence[Sequence[Batch]], count: int) -> float:
    """Answers a second into an empty ledger, one connection a lane, one transaction a batch."""
    async with fresh_ledger(server) as url:
        connections = [await asyncpg.connect(url) for _ in lanes]
        try:
            start = time.perf_counter()
            await asyncio.gather(*map(_copy_lane, connections, range(len(lanes)), lanes))
            taken = time.perf_counter() - start
            assert await connections[0].fetchval("SELECT count(*) FROM responses") == count
        finally:
            for connection in connections:
                await connection.close()
    return count / taken


async def _copy_lane(connection: asyncpg.Connection[asyncpg.Record], lane: int, batches: Sequence[Batch]) -> None:
    for batch in batches:
        async with connection.transaction():
            for table, rows in batch.items():
                await connection.copy_to_table(table, source=BytesIO(rows), format="binary")
            await connection.execute(_ACCOUNT, lane, BATCH)
