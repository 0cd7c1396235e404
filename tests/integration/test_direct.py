"""The driver's own connection, borrowed from the engine's pool: what goes wrong with it costs one request, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from alerts.errors import Unavailable
from alerts.ledger.connection.direct import DirectConnection, Statement, rows
from alerts.ledger.database import direct_transaction, open_engine, single_statement, transaction

Begin = Callable[[AsyncEngine], AbstractAsyncContextManager[DirectConnection]]

SESSION = Statement("SELECT pg_backend_pid() AS pid, current_setting('statement_timeout') AS longest")
KEEP = Statement("INSERT INTO moments (at) VALUES (:at)")
KEPT = Statement("SELECT at FROM moments ORDER BY at")
SLEEP = Statement("SELECT pg_sleep(60)")
END = Statement("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE moments (at integer UNIQUE)")
    yield connection
    await connection.close()


@pytest.fixture
async def engine(database_url: str, other: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database_url, pool_size=1)
    yield opened
    await opened.dispose()


async def session(engine: AsyncEngine) -> int:
    async with single_statement(engine) as connection:
        [found] = await rows(connection, SESSION)
    return int(found["pid"])


async def keep(engine: AsyncEngine, *moments: int) -> None:
    async with direct_transaction(engine) as direct:
        for at in moments:
            await rows(direct, KEEP, at=at)


async def kept(engine: AsyncEngine) -> list[int]:
    async with single_statement(engine) as connection:
        return [row["at"] for row in await rows(connection, KEPT)]


def lent(engine: AsyncEngine) -> int:
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.checkedout()


async def test_both_ways_use_one_pool_with_the_same_limits(engine: AsyncEngine) -> None:
    async with direct_transaction(engine) as direct:
        [found] = await rows(direct, SESSION)
    async with transaction(engine) as connection:
        assert [dict(row) for row in await rows(connection, SESSION)] == [dict(found)]
    assert found["longest"] == "15s"


async def test_a_transaction_is_kept_whole_or_not_at_all(engine: AsyncEngine) -> None:
    await keep(engine, 1, 2)
    with pytest.raises(asyncpg.UniqueViolationError):
        await keep(engine, 3, 1)
    assert (await kept(engine), lent(engine)) == ([1, 2], 0)


@pytest.mark.parametrize("begin", [direct_transaction, single_statement])
async def test_a_session_that_ended_is_told_as_unavailable_and_replaced(engine: AsyncEngine, begin: Begin) -> None:
    before = await session(engine)
    with pytest.raises(Unavailable, match="the database is away"):
        async with begin(engine) as direct:
            await rows(direct, END)
    assert await session(engine) != before
    assert lent(engine) == 0


async def test_work_that_is_given_up_in_the_middle_leaves_nothing_behind(
    engine: AsyncEngine, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    async def work() -> None:
        async with direct_transaction(engine) as direct:
            await rows(direct, KEEP, at=1)
            begun.set()
            await rows(direct, SLEEP)

    begun = asyncio.Event()
    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await kept(engine), lent(engine)) == ([], 0)


async def test_after_one_plan_from_before_a_migration_every_connection_is_opened_anew(
    database_url: str, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    engine, together = open_engine(database_url, pool_size=3), asyncio.Barrier(3)

    async def ask() -> None:
        async with direct_transaction(engine) as direct:
            await together.wait()  # so that the three are three connections
            await rows(direct, KEPT)

    try:
        await asyncio.gather(ask(), ask(), ask())
        await other.execute("ALTER TABLE moments ALTER COLUMN at TYPE bigint")
        with pytest.raises(Unavailable, match="after a migration"):
            await only(engine)
        await asyncio.gather(ask(), ask(), ask())
    finally:
        await engine.dispose()


async def only(engine: AsyncEngine) -> None:
    async with direct_transaction(engine) as direct:
        await rows(direct, KEPT)
