"""What the database takes of a claim and of a resolve, without us: pgbench writes what one of each has left.

One callback is claimed and resolved over REST. The columns that changed and the rows that came of it make the script,
so it writes the same rows, of the same size, in two transactions; it computes, checks and looks up nothing.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import asyncpg
from msgspec import Struct

from tests.parts.postgres import PostgresServer

COMES_OF_IT = {
    "history": ("callback_id = $1", "id"),
    "outbox": ("subject = $1::text", "sequence"),
    "audit": ("callback_id = $1", "id"),
    "idempotency": ("body LIKE '%' || $1::text || '%'", "stored_at"),
}
"""By table: which rows belong to a callback, and in which order they came."""

FRESH = {
    ("history", "callback_id"): ":callback",
    ("outbox", "id"): "uuidv7()",
    ("outbox", "subject"): "CAST(CAST(:callback AS uuid) AS text)",
    ("audit", "callback_id"): ":callback",
    ("idempotency", "key"): "CAST(gen_random_uuid() AS text)",
}
"""What is not the same for every callback."""

# The first in the order of work that nobody else has locked, as the service's claim takes it, and from the same index: that is
# why the queue is a range of keys (docs/decisions/0007). By `queue = ...` all that was ever resolved would be read again.
CLAIM = """UPDATE callbacks SET {changed} WHERE id = ANY (ARRAY(
    SELECT id FROM callbacks
    WHERE (queue, priority_class) >= ('{queue}', 0) AND (queue, priority_class) <= ('{queue}', 32767)
        AND state = 'waiting' AND ready AND callable_until > now()
    ORDER BY queue, priority_class, rank_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)) RETURNING id AS callback \\gset"""
CLOSED_WAYS = ("enable_sort", "enable_seqscan", "enable_bitmapscan")
"""What else the planner might do, which hopes for few rows where it cannot count them."""
RESOLVE = "UPDATE callbacks SET {changed} WHERE id = :callback;"

COUNTS = """SELECT (SELECT count(*) FROM callbacks WHERE state = 'resolved') AS resolved,
    (SELECT count(*) FROM history) AS history, (SELECT count(*) FROM outbox) AS outbox,
    (SELECT count(*) FROM audit) AS audit, (SELECT count(*) FROM idempotency) AS idempotency"""

DONE = re.compile(r"number of transactions actually processed: (\d+)")
RATE = re.compile(r"tps = ([0-9.]+)")

Ledger: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Row = Mapping[str, str | None]


class Seen(Struct, frozen=True):
    """A callback at one moment, and the rows of each table that belong to it."""

    callback: Row
    rows: dict[str, list[Row]]


class Moves(Struct, frozen=True):
    """A script for pgbench, and how many rows one claim with one resolve leaves, by table."""

    script: str
    statements: int
    left: dict[str, int]


async def record_moves(
    ledger: Ledger, callback: str, claim: Callable[[], Awaitable[None]], resolve: Callable[[], Awaitable[None]]
) -> Moves:
    """Has `callback`, which waits, claimed and resolved, and looks at what each left."""
    started = await counted(ledger)
    waiting = await _see(ledger, callback)
    await claim()
    claimed = await _see(ledger, callback)
    await resolve()
    resolved = await _see(ledger, callback)
    left = {name: number - started[name] for name, number in (await counted(ledger)).items()}
    take = CLAIM.format(changed=_changed(waiting, claimed), queue=waiting.callback["queue"])
    end = RESOLVE.format(changed=_changed(claimed, resolved))
    statements = [
        "BEGIN;",
        take,
        *_came(waiting, claimed),
        "COMMIT;",
        "BEGIN;",
        end,
        *_came(claimed, resolved),
        "COMMIT;",
    ]
    return Moves("\n".join(statements) + "\n", len(statements), left)


async def counted(ledger: Ledger) -> dict[str, int]:
    """How many rows there are of what a claim and a resolve leave."""
    row = await ledger.fetchrow(COUNTS)
    assert row is not None
    return dict(row)


async def replay_moves(
    server: PostgresServer, url: str, moves: Moves, *, clients: int, seconds: int
) -> tuple[int, float]:
    """How often pgbench went through the script, and how often a second."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(moves.script)
        file.flush()
        options = (
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={clients}",
            f"--time={seconds}",
            f"--file={file.name}",
        )
        pgbench = await asyncio.create_subprocess_exec(
            server.binaries / "pgbench",
            *options,
            url,
            env={**os.environ, "PGOPTIONS": " ".join(f"-c {way}=off" for way in CLOSED_WAYS)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, wrong = await pgbench.communicate()
    done, rate = DONE.search(said.decode()), RATE.search(said.decode())
    assert pgbench.returncode == 0, wrong.decode()
    assert done is not None, said
    assert rate is not None, said
    return int(done.group(1)), float(rate.group(1))


async def _see(ledger: Ledger, callback: str) -> Seen:
    [row] = await _rows(ledger, "callbacks", "id = $1", "id", callback)
    return Seen(row, {name: await _rows(ledger, name, *how, callback) for name, how in COMES_OF_IT.items()})


async def _rows(ledger: Ledger, table: str, belongs: str, order: str, callback: str) -> list[Row]:
    """Every value as text; what the table numbers by itself is left out."""
    names = [
        f'"{row[0]}"'
        for row in await ledger.fetch(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = $1 AND is_identity = 'NO' ORDER BY ordinal_position",
            table,
        )
    ]
    columns = ", ".join(f"{name}::text" for name in names)
    found = await ledger.fetch(f"SELECT {columns} FROM {table} WHERE {belongs} ORDER BY {order}", callback)
    return [dict(row) for row in found]


def _changed(before: Seen, after: Seen) -> str:
    return ", ".join(
        f'"{name}" = {as_literal(value)}' for name, value in after.callback.items() if value != before.callback[name]
    )


def _came(before: Seen, after: Seen) -> list[str]:
    """An INSERT for each table that has more rows than before."""
    new = {table: rows[len(before.rows[table]) :] for table, rows in after.rows.items()}
    return [_insert(table, rows) for table, rows in new.items() if rows]


def _insert(table: str, rows: Sequence[Row]) -> str:
    names = ", ".join(f'"{name}"' for name in rows[0])
    values = (", ".join(FRESH.get((table, name)) or as_literal(value) for name, value in row.items()) for row in rows)
    return f"INSERT INTO {table} ({names}) VALUES {', '.join(f'({each})' for each in values)};"


def as_literal(value: str | None) -> str:
    """pgbench would take a colon and a letter for a variable, in a quoted text too."""
    if value is None:
        return "NULL"
    return "E'" + value.replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\x3a").replace("\n", "\\n") + "'"
