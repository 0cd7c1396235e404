"""Connections that cannot hang, transactions, and the ledger's clock."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import event, exc, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from alerts.errors import Unavailable
from alerts.ledger.connection.away import is_lost, is_stale, why_away, why_no_schema
from alerts.ledger.connection.direct import CONNECTOR, DirectConnection, begun, without_transaction
from alerts.ledger.connection.opening import DRIVER_ERRORS, Connection, Connector, is_pooled

POOL_SECONDS = 5.0
COMMAND_SECONDS = 20.0
"""Above the server's own limits, so that a paused server is noticed and a slow statement is named by the server."""

RESTED_SECONDS = 1.0

_GENERATION = "bottombox_generation"

STATEMENTS_KEPT = 100
"""Prepared statements of one connection; none behind a pooler, where the next transaction has another session."""

TAKES_WRITES = text("""
    DO $$ BEGIN
        IF current_setting('transaction_read_only')::boolean THEN
            RAISE EXCEPTION 'this server takes no writes' USING ERRCODE = 'read_only_sql_transaction';
        END IF;
    END $$
""")
"""Fails on a server that became a standby under our connections: it goes on answering reads, ever older ones."""


def open_engine(
    url: str | Callable[[], str],
    *,
    pool_size: int = 8,
    application: str = "bottombox",
    command_seconds: float | None = COMMAND_SECONDS,
) -> AsyncEngine:
    """An engine for `postgresql://user:password@host:port/name`. Opens nothing yet.

    A `url` that is a function is asked again for each new connection. Raises Misconfigured.
    """
    connector = Connector(
        (lambda: url) if isinstance(url, str) else url, application=application, command_seconds=command_seconds
    )
    engine = create_async_engine(
        "postgresql+asyncpg://",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        hide_parameters=True,  # an error message must not carry a customer's data
    )
    _connect_by(engine, connector)
    _ask_those_that_rested(engine)
    _let_go_of_what_is_stale(engine, connector)
    return engine


def _connect_by(engine: AsyncEngine, connector: Connector) -> None:
    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(dialect: Any, record: Any, positional: list[Any], named: dict[str, Any]) -> None:
        opened: Connection = await_only(connector())

        async def take() -> Connection:
            return opened

        named["async_creator_fn"] = take
        named["prepared_statement_cache_size"] = 0 if is_pooled(opened) else STATEMENTS_KEPT

    @event.listens_for(engine.sync_engine, "connect")
    def remember(opened: Any, record: Any) -> None:
        record.info[CONNECTOR], record.info[_GENERATION] = connector, connector.generation

    @event.listens_for(engine.sync_engine, "checkout")
    def renew(opened: Any, record: Any, proxy: Any) -> None:
        if record.info[_GENERATION] != connector.generation:
            raise exc.DisconnectionError  # the pool opens another


def _ask_those_that_rested(engine: AsyncEngine) -> None:
    """A connection that was not used for a second is asked whether it lives, before a request finds out that it does not.

    One in constant use needs no such question: it would double what the shortest requests ask of the server.
    """
    dialect = engine.sync_engine.dialect

    @event.listens_for(engine.sync_engine, "checkin")
    def rest(opened: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def ask(opened: Any, record: Any, proxy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", math.inf) < RESTED_SECONDS:
            return
        try:
            dialect.do_ping(opened)
        except (exc.DBAPIError, dialect.loaded_dbapi.Error, *DRIVER_ERRORS) as error:
            raise exc.DisconnectionError from error  # the pool opens another, and tries that


def _let_go_of_what_is_stale(engine: AsyncEngine, connector: Connector) -> None:
    """A connection to a server that became a standby, or whose plans are from before a migration, looks healthy to the
    pool for ever. So after such an error all of them are opened anew."""

    @event.listens_for(engine.sync_engine, "handle_error")
    def let_go(context: ExceptionContext) -> None:
        error = context.original_exception
        if is_stale(error):
            connector.forget()
            context.is_disconnect = True
        elif is_lost(error) and not context.is_disconnect:
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction at READ COMMITTED. Raises Unavailable when the database, not the work, is the trouble."""
    async with reachable(), engine.begin() as connection:
        yield connection


@asynccontextmanager
async def direct_transaction(engine: AsyncEngine) -> AsyncIterator[DirectConnection]:
    """As `transaction`, on the driver's own connection: for what is asked hundreds of times a second."""
    async with reachable(), begun(engine) as connection:
        yield connection


@asynccontextmanager
async def single_statement(engine: AsyncEngine) -> AsyncIterator[DirectConnection]:
    """For what is one statement, or several that need no common snapshot: without a transaction's two round trips."""
    async with reachable(), without_transaction(engine) as connection:
        yield connection


@asynccontextmanager
async def reachable() -> AsyncIterator[None]:
    """Turns every way in which a database can be away, or say no, into Unavailable. Messages name no data.

    For SQLAlchemy's errors and the driver's own alike. What a statement of ours is refused for goes through as it is.
    """
    try:
        yield
    except (exc.TimeoutError, exc.DBAPIError, *DRIVER_ERRORS) as error:
        why = why_away(error)
        told = why_no_schema(error) or (why and f"the database is away: {why}")
        if told is None:
            raise
        raise Unavailable(told) from error


async def ledger_now(connection: AsyncConnection) -> datetime:
    """The ledger's clock. Ask after a lock was taken: a moment from before the wait is too early."""
    moment = (await connection.execute(text("SELECT ledger_now()"))).scalar_one()
    assert isinstance(moment, datetime)
    return moment


async def require_writable(engine: AsyncEngine) -> None:
    """Raises Unavailable, saying why, unless the database answers and takes writes."""
    async with transaction(engine) as connection:
        await connection.execute(TAKES_WRITES)
