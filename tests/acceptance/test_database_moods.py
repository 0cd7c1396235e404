"""The database's moods, under answers and requests that keep coming: nothing is lost, nothing doubled, and whoever cannot
be answered is told to come again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from alerts.ledger import migrate
from alerts.ledger.access.keys import create_key
from alerts.ledger.database import open_engine
from tests.acceptance.test_main_job import noon
from tests.parts.checks import check_alerts, check_conservation, check_history
from tests.parts.clock import MOVABLE_CLOCK, Clock
from tests.parts.effort import times
from tests.parts.kafka import KafkaBroker
from tests.parts.pgbouncer import PgBouncer, missing_pgbouncer
from tests.parts.postgres import PostgresServer, missing_postgres
from tests.parts.requirements import require
from tests.parts.service import Service, environment
from tests.parts.topics import unique_name
from tests.parts.town import Town, eventually
from tests.parts.traffic import Traffic

ANSWERS, REQUESTS = times(500), times(100)
"""A second, of each."""

BEFORE, AFTER = times(300), times(700)
"""Requests answered before the mishap, and after it."""

Mishap = Callable[[Traffic], Awaitable[None]]
ADVISORS = ("ann", "ben", "cho", "dia", "eve")


async def endures(town: Town, mishap: Mishap, *, after: str | None = None, **changed: str) -> Traffic:
    """One process with all roles, traffic, the mishap, and then the account of it, at the address `after`."""
    advisors = await keys(town)
    env = {**town.env, **{f"BOTTOMBOX_{name}": value for name, value in changed.items()}}
    if "DATABASE_URL_FILE" in changed:
        del env["BOTTOMBOX_DATABASE_URL"]
    with Service.start("run", env) as service:
        async with Traffic(town, service.http, advisors, answers=ANSWERS, requests=REQUESTS) as traffic:
            await traffic.flows(more=BEFORE)
            await mishap(traffic)
            await traffic.flows(more=AFTER)
            await traffic.end()
            async with asyncpg.create_pool(after or town.database, min_size=0, max_size=2) as town.ledger:
                await eventually(town.accounted, lambda done: done == len(traffic.sent))
                await check_account(town, traffic)
        assert "Traceback" not in service.log
    return traffic


async def keys(town: Town) -> list[dict[str, str]]:
    """The headers of advisors, of whom each may hold a few callbacks only."""
    engine = open_engine(town.database, pool_size=1)
    made = [await create_key(engine, name=name, scopes=["callbacks:work"], advisor=name) for name in ADVISORS]
    await engine.dispose()
    return [{"Authorization": f"Bearer {secret}"} for _, secret in made]


async def check_account(town: Town, traffic: Traffic) -> None:
    assert traffic.unfit == []
    assert len(traffic.claims) == len(set(traffic.claims)) > 0
    await check_alerts(town, traffic.bottom)
    await check_conservation(town)
    await check_history(town)
    rows = await town.rows("SELECT event_id FROM responses")
    assert {row["event_id"] for row in rows} == traffic.sent
    assert len(rows) == len(traffic.sent)
    assert await town.value("SELECT count(*) FROM dead_letters") == 0


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """A server, and one that follows it; no commit is told before both have it."""
    require("postgres", missing_postgres())
    with PostgresServer.start(settings={"synchronous_commit": "on"}) as first:
        second = first.start_standby()
        with second:
            first.run_sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            first.run_sql("SELECT pg_reload_conf()")
            yield first, second
        shutil.rmtree(second.folder)


async def test_a_failover_to_the_second_server_of_the_address(
    pair: tuple[PostgresServer, PostgresServer], kafka: KafkaBroker, new_topic: Callable[..., Awaitable[str]]
) -> None:
    first, second = pair
    url = await asyncio.to_thread(first.create_database, "moods")
    await asyncio.to_thread(migrate.upgrade, url)
    await asyncio.to_thread(first.run_sql, MOVABLE_CLOCK, "moods")
    clock = await asyncpg.connect(url)
    await noon(Clock(clock))
    await clock.close()
    both = url.replace(f":{first.port}/", f":{second.port},127.0.0.1:{first.port}/")

    async def mishap(traffic: Traffic) -> None:
        await asyncio.to_thread(first.kill)
        await traffic.waits()  # the second is not promoted before somebody met the gap
        await asyncio.to_thread(second.run_sql, "SELECT pg_promote()")

    topic, dead = await new_topic("surveys", partitions=3), await new_topic("dead")
    env = environment(
        database=f"{both}?target_session_attrs=read-write",
        kafka=kafka.bootstrap,
        topics=topic,
        dead_letters=dead,
        group=unique_name("group"),
    )
    async with Town.open(env, bootstrap=kafka.bootstrap, topic=topic, dead=dead, database=url) as town:
        await endures(town, mishap, after=second.url("moods"))


@pytest.fixture
async def login(postgres: PostgresServer, town: Town, clock: Clock) -> AsyncIterator[str]:
    """The story's database at noon, and the address of a user of one's own in it."""
    await noon(clock)
    user = unique_name("user")
    postgres.run_sql(f'CREATE ROLE "{user}" LOGIN PASSWORD \'first\'; GRANT bottombox TO "{user}"')
    yield f"postgresql://{user}:first@127.0.0.1:{postgres.port}{urlsplit(town.database).path}"
    postgres.run_sql(f'REASSIGN OWNED BY "{user}" TO bottombox; DROP ROLE "{user}"')


def end_sessions(postgres: PostgresServer, login: str) -> None:
    """All that this user has in this database."""
    user, name = urlsplit(login).username, urlsplit(login).path.removeprefix("/")
    found = f"FROM pg_stat_activity WHERE usename = '{user}' AND datname = '{name}' AND application_name = 'bottombox'"
    postgres.run_sql(f"SELECT pg_terminate_backend(pid) {found}")


async def test_a_password_that_is_changed_under_us(
    postgres: PostgresServer, town: Town, login: str, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    file.write_text(login)

    async def mishap(traffic: Traffic) -> None:
        user = urlsplit(login).username
        await asyncio.to_thread(postgres.run_sql, f"ALTER ROLE \"{user}\" PASSWORD 'second'")
        await asyncio.to_thread(end_sessions, postgres, login)
        await traffic.waits()
        file.write_text(login.replace(":first@", ":second@"))

    await endures(town, mishap, DATABASE_URL_FILE=str(file))


async def test_sessions_that_end_behind_a_pooler_by_transaction(
    postgres: PostgresServer, town: Town, clock: Clock
) -> None:
    """Half the sessions that we have connections; and then the pooler loses them all."""
    require("pgbouncer", missing_pgbouncer())
    await noon(clock)
    with PgBouncer.start(postgres, mode="transaction", sessions=5) as pooler:

        async def mishap(traffic: Traffic) -> None:
            await asyncio.to_thread(end_sessions, postgres, town.database)
            await traffic.flows()

        await endures(town, mishap, DATABASE_URL=pooler.in_front_of(town.database))


async def test_columns_that_change_their_type_under_us(postgres: PostgresServer, town: Town, login: str) -> None:
    database = urlsplit(town.database).path.removeprefix("/")
    changes = (
        "callbacks ALTER severity TYPE integer",
        "responses ALTER rating TYPE bigint",
        "api_keys ADD later integer",
    )

    async def mishap(traffic: Traffic) -> None:
        for change in changes:
            await asyncio.to_thread(postgres.run_sql, f"ALTER TABLE {change}", database)
            await traffic.flows()

    await endures(town, mishap, DATABASE_URL=login)


async def test_a_server_that_has_no_connection_left(postgres: PostgresServer, town: Town, login: str) -> None:
    user = urlsplit(login).username

    async def mishap(traffic: Traffic) -> None:
        await asyncio.to_thread(postgres.run_sql, f'ALTER ROLE "{user}" CONNECTION LIMIT 2')
        await asyncio.to_thread(end_sessions, postgres, login)
        await traffic.waits()
        await traffic.flows()  # with what there is
        await asyncio.to_thread(postgres.run_sql, f'ALTER ROLE "{user}" CONNECTION LIMIT -1')

    await endures(town, mishap, DATABASE_URL=login)
