"""Grows a ledger to years of service: millions of answers and customers, and a backlog of callbacks that are open.

The server copies patterns, one row of each table, which the service itself has written. Meanwhile the tables are without
the indexes and foreign keys that hang on them, and these are made anew at the end: it takes a third of the time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
from msgspec import Struct
from sqlalchemy import Table

from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.customers import customers
from alerts.ledger.tables.responses import responses
from benchmarks.crowd import QUEUES, open_pattern, zone_in_the_morning

CHUNK = 1_000_000  # answers a statement

CUSTOMER = {"ref": "gen_random_uuid()", "key": "'id:grown-' || n"}
ANSWER = {
    "event_id": "md5(n::text)",
    "response_id": "md5(n::text)",
    "customer_id": "first + (n * 7919::bigint) % {customers}",
    "rating": "5",
    "points": "5",
    "box": "'top'",
    "outcome": "'not_bottom_box'",
    "interaction_id": "md5('i' || n)",
    "answered_at": "{past}",
    "revised_at": "{past}",
    "received_at": "{past}",
    "recorded_at": "{past}",
    "value_hash": "sha256(n::text::bytea)",
    "content_hash": "sha256(n::text::bytea)",
    "offset": "n",
    "origin_offset": "n",
}
PAST = "pattern.answered_at - interval '1 hour' - ({answers} - n) * interval '3 years' / {answers}"
CALLBACK = {
    "id": "uuidv7()",
    "customer_id": "first + n - 1",
    "queue": f"'queue-' || n % {QUEUES}",
    "opened_at": "pattern.opened_at - ({callbacks} - n) * interval '10 ms'",
    "waiting_since": "pattern.waiting_since - ({callbacks} - n) * interval '10 ms'",
    "rank_at": "pattern.rank_at - ({callbacks} - n) * interval '10 ms'",
}
# A worker of those years would have added them to the sums of the insights; nobody asks for these here.
IN_THE_SUMS = "INSERT INTO answer_sums_progress (only_one, through) SELECT true, max(id) FROM responses"
OLD_RECORDS = """INSERT INTO raw_records (response_id, kept_at, value, headers)
SELECT id, now() - interval '1 year', decode(repeat(md5(id::text), 19), 'hex'), '[]' FROM responses ORDER BY id LIMIT $1"""

# What can be dropped and made anew without loss. Primary keys stay: others refer to them.
DEFINED = """
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS away,
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS back
FROM pg_constraint WHERE contype IN ('f', 'u') AND conrelid = ANY (ARRAY['responses', 'customers', 'callbacks']::regclass[])
UNION ALL
SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid) FROM pg_index AS i
WHERE indrelid = ANY (ARRAY['responses', 'customers', 'callbacks']::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
"""


class Size(Struct, frozen=True):
    answers: int
    customers: int
    callbacks: int


async def grow_years(url: str, size: Size) -> None:
    now = datetime.now(UTC)
    await open_pattern(url, zone_in_the_morning(now), now)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO queues (name) SELECT 'queue-' || n FROM generate_series(0, $1 - 1) AS n", QUEUES
        )
        async with _without_indexes(connection):
            await _fill(connection, size)
        await connection.execute("DELETE FROM history; DELETE FROM outbox; DELETE FROM alerts")
        await connection.execute("DELETE FROM callbacks WHERE queue = 'general'")
        await connection.execute(IN_THE_SUMS)
        await connection.execute("VACUUM ANALYZE")
        counted = await connection.fetchrow(
            "SELECT (SELECT count(*) - 1 FROM responses), (SELECT count(*) - 1 FROM customers),"
            " (SELECT count(*) FROM callbacks WHERE state = 'waiting' AND ready)"
        )
        assert counted is not None
        assert tuple(counted) == (size.answers, size.customers, size.callbacks), tuple(counted)
    finally:
        await connection.close()


async def keep_old_records(connection: asyncpg.Connection[asyncpg.Record], count: int) -> None:
    """Raw records of a year ago, which the worker may remove."""
    assert await connection.execute(OLD_RECORDS, count) == f"INSERT 0 {count}"


async def _fill(connection: asyncpg.Connection[asyncpg.Record], size: Size) -> None:
    first = await connection.fetchval("SELECT max(id) + 1 FROM customers")
    sizes = {"customers": size.customers, "answers": size.answers, "callbacks": size.callbacks}
    told = {**sizes, "past": PAST.format(**sizes)}
    await _copies(connection, customers, CUSTOMER, 1, size.customers, first=first, told=told)
    for start in range(1, size.answers + 1, CHUNK):
        await _copies(
            connection, responses, ANSWER, start, min(size.answers, start + CHUNK - 1), first=first, told=told
        )
    await _copies(connection, callbacks, CALLBACK, 1, size.callbacks, first=first, told=told)


async def _copies(
    connection: asyncpg.Connection[asyncpg.Record],
    table: Table,
    different: Mapping[str, str],
    start: int,
    end: int,
    *,
    first: int,
    told: Mapping[str, object],
) -> None:
    """Rows `start` to `end` of a table, like its first row but for what is different."""
    names = [str(column.name) for column in table.columns if column.identity is None]
    values = ", ".join(different.get(name, f'pattern."{name}"').format(**told) for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    await connection.execute(
        f"INSERT INTO {table.name} ({columns}) SELECT {values}"
        f" FROM (SELECT * FROM {table.name} ORDER BY id LIMIT 1) AS pattern, (SELECT {first} AS first) AS f,"
        f" generate_series({start}::bigint, {end}) AS n"
    )


@asynccontextmanager
async def _without_indexes(connection: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[None]:
    defined = await connection.fetch(DEFINED)
    for each in defined:
        await connection.execute(each["away"])
    await connection.execute("SET maintenance_work_mem = '512MB'")
    yield
    for each in sorted(defined, key=lambda each: "FOREIGN KEY" in each["back"]):
        await connection.execute(each["back"])
