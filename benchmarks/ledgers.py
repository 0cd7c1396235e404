"""A database server that keeps its promises, and fresh ledgers in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from alerts.ledger.database import open_engine
from alerts.ledger.migrate import upgrade_engine
from tests.parts.postgres import PostgresServer
from tests.parts.topics import unique_name

# fsync, synchronous_commit and full_page_writes stay on; the rest is what an installation of this size would set.
SETTINGS = {
    "shared_buffers": "2GB",
    "wal_buffers": "64MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}

TEMPLATE = "template_ledger"


@contextmanager
def durable_postgres() -> Iterator[PostgresServer]:
    with PostgresServer.start(settings=SETTINGS, durable=True) as server:
        yield server


async def make_template(server: PostgresServer) -> None:
    """The migrated, empty ledger of which every other is a copy."""
    engine = open_engine(server.create_database(TEMPLATE), pool_size=1)
    try:
        await upgrade_engine(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def fresh_ledger(server: PostgresServer) -> AsyncIterator[str]:
    """The address of an empty ledger, dropped afterwards. The server has written everything older to disk."""
    name = unique_name("ledger")
    url = server.create_database(name, TEMPLATE)
    server.run_sql("CHECKPOINT")
    try:
        yield url
    finally:
        server.drop_database(name)


async def conditions(server: PostgresServer) -> str:
    """A sentence that says how the server was set."""
    connection = await asyncpg.connect(server.url())
    try:
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", *SETTINGS)
        values = [await connection.fetchval(f"SHOW {name}") for name in names]
    finally:
        await connection.close()
    return "PostgreSQL " + ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
