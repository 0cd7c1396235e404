"""Behind a pooler that works by transaction everything is as without one, and nothing need be set for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.errors import Unavailable
from alerts.ledger.connection.direct import Statement, rows
from alerts.ledger.connection.opening import complaints
from alerts.ledger.database import (
    direct_transaction,
    ledger_now,
    open_engine,
    require_writable,
    single_statement,
    transaction,
)
from alerts.ledger.migrate import is_current, upgrade
from tests.parts.effort import times
from tests.parts.pgbouncer import PgBouncer, missing_pgbouncer
from tests.parts.postgres import PostgresServer
from tests.parts.requirements import require
from tests.parts.topics import unique_name

IGNORES = "statement_timeout,lock_timeout,idle_in_transaction_session_timeout,jit,extra_float_digits"
"""What administrators let their pooler take and forget, so that programs start at all."""


@pytest.fixture(params=[{}, {"ignore_startup_parameters": IGNORES}], ids=["by itself", "ignoring our settings"])
def pooler(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[PgBouncer]:
    require("pgbouncer", missing_pgbouncer())
    with PgBouncer.start(postgres, mode="transaction", sessions=2, **request.param) as bouncer:
        yield bouncer


@pytest.fixture
async def engine(pooler: PgBouncer, database_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(pooler.in_front_of(database_url), pool_size=8)
    yield opened
    await opened.dispose()


async def test_many_connections_share_few_sessions_and_no_statement_is_lost(engine: AsyncEngine) -> None:
    async def work(number: int) -> None:
        async with transaction(engine) as connection:
            asked = text(f"SELECT CAST(:value AS bigint) + {number % 7}")
            assert (await connection.execute(asked, {"value": number})).scalar_one() == number + number % 7
            await ledger_now(connection)

    for start in range(0, times(4000), 100):
        await asyncio.gather(*(work(start + each) for each in range(100)))


async def test_what_speaks_to_the_driver_itself_loses_no_statement_either(engine: AsyncEngine) -> None:
    asked = [Statement(f"SELECT CAST(:value AS bigint) + {number} AS sum") for number in range(7)]

    async def work(number: int) -> None:
        begin = direct_transaction if number % 2 else single_statement
        async with begin(engine) as connection:
            [found] = await rows(connection, asked[number % 7], value=number)
            assert found["sum"] == number + number % 7

    for start in range(0, times(4000), 100):
        await asyncio.gather(*(work(start + each) for each in range(100)))


async def test_our_limits_hold_in_each_transaction_and_stay_with_nobody_else(
    engine: AsyncEngine, pooler: PgBouncer, database_url: str
) -> None:
    asked = text("SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('jit')")
    for _ in range(3):
        async with transaction(engine) as connection:
            assert tuple((await connection.execute(asked)).one()) == ("15s", "8s", "off")
    other = open_engine(pooler.in_front_of(f"{database_url}?options=-cstatement_timeout%3D3s"))
    async with transaction(other) as connection:
        assert (await connection.execute(asked)).one()[0] == "3s"
    await other.dispose()


async def test_a_search_path_goes_through_the_pooler_too(pooler: PgBouncer, database_url: str) -> None:
    engine = open_engine(pooler.in_front_of(f"{database_url}?options=-csearch_path%3Dpg_catalog%2Cpublic"))
    async with transaction(engine) as connection:
        assert (await connection.execute(text("SHOW search_path"))).scalar_one() == "pg_catalog,public"
    await engine.dispose()


async def test_a_column_that_changes_its_type_changes_the_answer_and_breaks_nothing(engine: AsyncEngine) -> None:
    async def ask() -> object:
        async with transaction(engine) as connection:
            return (await connection.execute(text("SELECT at FROM moments"))).scalar_one()

    async with transaction(engine) as connection:
        await connection.execute(text("CREATE TABLE moments AS SELECT 7 AS at"))
    assert [await ask() for _ in range(3)] == [7, 7, 7]
    async with transaction(engine) as connection:
        await connection.execute(text("ALTER TABLE moments ALTER COLUMN at TYPE text"))
    assert [await ask() for _ in range(3)] == ["7", "7", "7"]


async def test_migrating_works_through_the_pooler(pooler: PgBouncer, postgres: PostgresServer) -> None:
    name = unique_name("empty")
    url = pooler.in_front_of(postgres.create_database(name))
    await asyncio.gather(*(asyncio.to_thread(upgrade, url) for _ in range(2)))
    engine = open_engine(url)
    assert await is_current(engine)
    await require_writable(engine)
    await engine.dispose()


class Switch:
    """One address behind which the server may be changed, as a virtual address is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._passing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> str:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self.url.replace(f":{urlsplit(self.url).port}/", f":{self._listener.sockets[0].getsockname()[1]}/")

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        await asyncio.gather(*self._passing)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", urlsplit(self.url).port)
        self._passing |= {asyncio.create_task(self._pass(*pair)) for pair in ((reader, back), (there, writer))}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while some := await reader.read(65536):
                writer.write(some)
            writer.close()
            await writer.wait_closed()


async def test_a_pooler_that_comes_between_while_we_run_is_noticed(pooler: PgBouncer, database_url: str) -> None:
    async def ask(number: int) -> int:
        async with transaction(switched) as connection:
            return int((await connection.execute(text(f"SELECT {number % 7}"))).scalar_one())

    switch = Switch(database_url)
    async with switch as address:
        switched = open_engine(address, pool_size=4)
        await asyncio.gather(*(ask(number) for number in range(40)))
        switch.url = pooler.in_front_of(database_url)
        await switched.dispose()  # as when the sessions of before were ended
        told = await asyncio.gather(*(ask(number) for number in range(40)), return_exceptions=True)
        assert all(isinstance(each, int | Unavailable) for each in told)
        assert [await ask(number) for number in range(40)] == [number % 7 for number in range(40)]
        await switched.dispose()


async def test_a_pooler_that_works_by_statement_is_named_as_the_wrong_setting(
    postgres: PostgresServer, database_url: str
) -> None:
    require("pgbouncer", missing_pgbouncer())
    with PgBouncer.start(postgres, mode="statement") as bouncer:
        url = bouncer.in_front_of(database_url)
        words = "the pooler in front of it must work by transaction or by session, not by statement"
        assert await complaints(url) == [f"the database is away: {words}"]
        engine = open_engine(url)
        with pytest.raises(Unavailable, match=words):
            await require_writable(engine)
        await engine.dispose()


async def test_a_setting_that_the_server_does_not_know_is_named(pooler: PgBouncer, database_url: str) -> None:
    for url in (database_url, pooler.in_front_of(database_url)):
        [told] = await complaints(f"{url}?options=-cwork_memory%3D1")
        assert told == "the database is away: it does not know a setting in `options`"
        [told] = await complaints(f"{url}?options=-cwork_mem%3Dplenty")
        assert told == "the database is away: it does not take a setting in `options`"


async def test_check_has_nothing_to_say_of_a_pooler_by_transaction(pooler: PgBouncer, database_url: str) -> None:
    assert await complaints(pooler.in_front_of(database_url)) == []
