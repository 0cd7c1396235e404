"""Connections that cannot hang, transactions, and the ledger's clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
from sqlalchemy import exc, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from alerts.errors import Misconfigured, Unavailable

CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 20.0
"""Above the server's own limits, so that a paused server is noticed and a slow statement is named by the server."""

SERVER_SETTINGS = {
    "application_name": "bottombox",
    "timezone": "UTC",
    "jit": "off",  # short statements; compiling them costs more than it saves
    "statement_timeout": "15s",
    "lock_timeout": "8s",
    "idle_in_transaction_session_timeout": "30s",
}

TRY_AGAIN = ("08", "25006", "40001", "40P01", "53", "55P03", "57", "58", "XX")
"""SQLSTATE classes and codes after which the same work may succeed later (PostgreSQL manual, appendix A)."""


def open_engine(
    url: str,
    *,
    pool_size: int = 8,
    application: str = "bottombox",
    command_seconds: float | None = COMMAND_SECONDS,
) -> AsyncEngine:
    """An engine for `postgresql://user:password@host:port/name`. Opens nothing yet."""
    return create_async_engine(
        async_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,  # an error message must not carry a customer's data
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": command_seconds,
            "server_settings": {**SERVER_SETTINGS, "application_name": application},
        },
    )


def async_url(url: str) -> str:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise Misconfigured(
            "the database URL cannot be read; write postgresql://user:password@host:port/name"
        ) from None
    if parsed.get_backend_name() != "postgresql":
        raise Misconfigured("the database must be PostgreSQL; write postgresql://user:password@host:port/name")
    return parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction at READ COMMITTED. Raises Unavailable when the database, not the work, is the trouble."""
    async with reachable(), engine.begin() as connection:
        yield connection


@asynccontextmanager
async def reachable() -> AsyncIterator[None]:
    """Turns every way in which a database can be away into Unavailable. Messages name no data."""
    try:
        yield
    except exc.TimeoutError as error:
        raise Unavailable("every database connection is in use") from error
    except exc.DBAPIError as error:
        if _is_passing(error):
            raise Unavailable(f"the database is away ({_state(error) or type(error.orig).__name__})") from error
        raise
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        raise Unavailable(f"the database is away ({type(error).__name__})") from error


def _state(error: exc.DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def _is_passing(error: exc.DBAPIError) -> bool:
    return error.connection_invalidated or isinstance(error, exc.InterfaceError) or _state(error).startswith(TRY_AGAIN)


async def ledger_now(connection: AsyncConnection) -> datetime:
    """The ledger's clock. Ask after a lock was taken: a moment from before the wait is too early."""
    moment = (await connection.execute(text("SELECT ledger_now()"))).scalar_one()
    assert isinstance(moment, datetime)
    return moment


async def is_reachable(engine: AsyncEngine) -> bool:
    try:
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT 1"))
    except Unavailable:
        return False
    return True
