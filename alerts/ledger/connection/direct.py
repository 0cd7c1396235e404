"""The driver's own connection, for what is asked hundreds of times a second; and statements that either way can run.

A transaction of one SELECT costs several times as much through SQLAlchemy as without. So the shortest requests borrow a
connection from the engine's own pool and speak to the driver. All else about it is the pool's: how many there are, how
they are opened, asked after a rest, and let go of when they are stale.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util.concurrency import greenlet_spawn

from alerts.ledger.connection.away import is_lost, is_stale
from alerts.ledger.connection.opening import DRIVER_ERRORS, Connection, is_pooled

CONNECTOR = "bottombox_connector"
"""Where a pooled connection's `info` has what opened it."""

_dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


class Statement:
    """Hand-written SQL with `:names`, for `rows`."""

    def __init__(self, sql: str) -> None:
        self.text = text(sql)
        compiled: Any = self.text.compile(dialect=_dialect)
        self.sql = str(compiled)
        self.names: Sequence[str] = tuple(compiled.positiontup or ())


class DirectConnection:
    """The driver's connection. `info` is what is remembered with it for as long as it is open."""

    __slots__ = ("driver", "info")

    def __init__(self, driver: Connection, info: dict[Any, Any]) -> None:
        self.driver = driver
        self.info = info

    async def fetch(self, statement: Statement, given: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        found = await self.driver.fetch(statement.sql, *[given[name] for name in statement.names])
        return cast("Sequence[Mapping[str, Any]]", found)


AnyConnection = AsyncConnection | DirectConnection


async def rows(connection: AnyConnection, statement: Statement, **given: Any) -> Sequence[Mapping[str, Any]]:
    """What the statement gives. Raises the driver's own errors, or SQLAlchemy's around them."""
    if isinstance(connection, DirectConnection):
        return await connection.fetch(statement, given)
    done = await connection.execute(statement.text, given)
    return cast("Sequence[Mapping[str, Any]]", done.mappings().all() if done.returns_rows else ())


def savepoint(connection: AnyConnection) -> AbstractAsyncContextManager[Any]:
    """What is done within it is undone when it fails, and the transaction goes on."""
    return connection.driver.transaction() if isinstance(connection, DirectConnection) else connection.begin_nested()


@asynccontextmanager
async def begun(engine: AsyncEngine) -> AsyncIterator[DirectConnection]:
    """One transaction at READ COMMITTED on the driver's own connection."""
    async with _Borrowed(engine) as connection:
        transaction = connection.driver.transaction()
        await transaction.start()
        try:
            yield connection
        except Exception:
            await _roll_back(connection.driver, transaction)
            raise
        await transaction.commit()


@asynccontextmanager
async def without_transaction(engine: AsyncEngine) -> AsyncIterator[DirectConnection]:
    """For single statements. Behind a pooler they have one, for what prepares a statement and what runs it must meet the
    same session."""
    async with _Borrowed(engine) as connection:
        if is_pooled(connection.driver):
            async with connection.driver.transaction():
                yield connection
        else:
            yield connection


async def _roll_back(driver: Connection, transaction: Any) -> None:
    """What the work failed of is what is told; a connection that cannot even roll back is not used again."""
    try:
        await transaction.rollback()
    except DRIVER_ERRORS:
        driver.terminate()


class _Borrowed:
    """A connection of the pool, for as long as somebody works with it. A class, for it is entered hundreds of times a second."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._pool = engine.sync_engine.pool

    async def __aenter__(self) -> DirectConnection:
        self._held = held = await greenlet_spawn(self._pool.connect)
        return DirectConnection(cast("Connection", held.driver_connection), held.info)

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        held = self._held
        try:
            if error is not None:
                _part_with(held, error)
        finally:
            await greenlet_spawn(held.close)


def _part_with(held: PoolProxiedConnection, error: BaseException) -> None:
    """Whether the connection, or all of them, can go on after this."""
    if is_stale(error):
        held.info[CONNECTOR].condemn()
    if not isinstance(error, Exception) or is_lost(error) or _is_closed(held):
        held.invalidate(error)  # in the middle of something: the server ends it with the connection


def _is_closed(held: PoolProxiedConnection) -> bool:
    driver = held.driver_connection
    return driver is None or bool(driver.is_closed())
