"""A database that says no is waited for like one that is away: the process lives, says why, and goes on by itself."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from alerts.errors import Unavailable
from alerts.ledger.database import open_engine, transaction
from app import vital_signs
from app.vital_signs import DatabaseState, look_at
from tests.parts.effort import times
from tests.parts.postgres import PostgresServer
from tests.parts.service import Service, environment, said
from tests.parts.topics import unique_name
from tests.parts.town import eventually

WORKED_WITH = ("ledger", "keys create ann --scope callbacks:work --advisor ann")


@pytest.fixture
def login(postgres: PostgresServer, database_url: str) -> Iterator[tuple[str, str]]:
    """A user of one's own who may use the ledger, and the address with it."""
    user, name = unique_name("user"), urlsplit(database_url).path.removeprefix("/")
    postgres.run_sql(f'CREATE ROLE "{user}" LOGIN PASSWORD \'first\'; GRANT bottombox TO "{user}"')
    yield user, f"postgresql://{user}:first@127.0.0.1:{postgres.port}/{name}"
    postgres.run_sql(f'DROP ROLE "{user}"')


def surroundings(database: str, **more: str) -> dict[str, str]:
    """No broker is needed to wait for a database."""
    return environment(database=database, kafka="127.0.0.1:1", topics="t", dead_letters="d", group="g", **more)


async def reasons(service: Service) -> list[str]:
    """What /readyz gives; empty when ready. That the process lives is asked beside it."""
    async with httpx.AsyncClient(base_url=service.metrics, timeout=30) as client:
        assert (await client.get("/livez")).status_code == 200
        ready = await client.get("/readyz")
    if ready.status_code == 200:
        return []
    assert ready.status_code == 503
    assert ready.headers["retry-after"]
    found: list[str] = ready.json()["reasons"]
    return found


async def refused(service: Service) -> tuple[int, str | None]:
    async with httpx.AsyncClient(base_url=service.http, timeout=30) as client:
        answer = await client.get("/v1/queues", headers={"Authorization": "Bearer bbx_a.b"})
    return answer.status_code, answer.headers.get("retry-after")


NO: dict[str, tuple[str, str, str]] = {
    "a password that is not right any more": (
        "ALTER ROLE \"{user}\" PASSWORD 'second'",
        "ALTER ROLE \"{user}\" PASSWORD 'first'",
        "it refuses the user or the password",
    ),
    "a user who may not log in": (
        "ALTER ROLE \"{user}\" NOLOGIN",
        "ALTER ROLE \"{user}\" LOGIN",
        "it refuses the user or the password",
    ),
    "a database that was renamed": (
        "ALTER DATABASE \"{name}\" RENAME TO \"{name}-away\"",
        "ALTER DATABASE \"{name}-away\" RENAME TO \"{name}\"",
        "it has no such database",
    ),
    "a database closed to connections": (
        "ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false",
        "ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true",
        "it takes no connections now",
    ),
    "a user with no connection left": (
        "ALTER ROLE \"{user}\" CONNECTION LIMIT 0",
        "ALTER ROLE \"{user}\" CONNECTION LIMIT -1",
        "the server has no connection left",
    ),
    "a user without rights": (
        "REVOKE bottombox FROM \"{user}\"",
        "GRANT bottombox TO \"{user}\"",
        "the user may not do this; grant it the rights",
    ),
    "a database that takes no writes": (
        "ALTER ROLE \"{user}\" SET default_transaction_read_only = on",
        "ALTER ROLE \"{user}\" RESET default_transaction_read_only",
        "the server takes no writes; it may be a standby",
    ),
}  # fmt: skip


def closing(postgres: PostgresServer, user: str, name: str, statement: str) -> None:
    """The server changes its mind about `user`, whose sessions end as they would in a restart or a rotation."""
    change = statement.format(user=user, name=name)
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'"
    if "RENAME" not in statement:
        steps = [change, end]
    else:  # only a database that nobody uses can be renamed
        allow = 'ALTER DATABASE "{}" ALLOW_CONNECTIONS {}'
        steps = [allow.format(name, False), end, change, allow.format(f"{name}-away", True)]
    for step in steps:
        postgres.run_sql(step)


SOME = list(NO)[: times(len(NO), least=3)]


@pytest.mark.parametrize("case", SOME)
async def test_a_process_waits_for_a_database_that_says_no_and_goes_on(
    postgres: PostgresServer, login: tuple[str, str], case: str
) -> None:
    user, url = login
    name = urlsplit(url).path.removeprefix("/")
    no, yes, words = NO[case]
    with Service.start("run", surroundings(url)) as service:
        await eventually(lambda: reasons(service), lambda found: found != [] and "consumer group" in found[0])
        await asyncio.to_thread(closing, postgres, user, name, no)
        try:
            await eventually(lambda: reasons(service), lambda found: found == [f"the database is away: {words}"])
            if "takes no writes" not in case:  # reading goes on there
                assert await refused(service) == (503, "2")
        finally:
            await asyncio.to_thread(postgres.run_sql, yes.format(user=user, name=name))
        await eventually(lambda: reasons(service), lambda found: found != [] and "consumer group" in found[0])
        assert "Traceback" not in service.log
        assert user not in service.log
        assert service.stop() == 0


@pytest.mark.parametrize("case", SOME)
async def test_a_process_started_before_the_database_says_yes_waits_too(
    postgres: PostgresServer, login: tuple[str, str], case: str
) -> None:
    user, url = login
    name = urlsplit(url).path.removeprefix("/")
    no, yes, words = NO[case]
    await asyncio.to_thread(closing, postgres, user, name, no)
    with contextlib.ExitStack() as mended:
        mended.callback(postgres.run_sql, yes.format(user=user, name=name))
        with Service.start("work", surroundings(url)) as service:
            await eventually(lambda: reasons(service), lambda found: found == [f"the database is away: {words}"])
            await asyncio.to_thread(mended.close)
            await eventually(lambda: reasons(service), lambda found: found == [])
            assert "Traceback" not in service.log
            assert service.log.count(f"waiting: the database is away: {words}") == 1


@pytest.mark.parametrize("words", WORKED_WITH)
def test_a_command_says_in_one_sentence_that_the_database_says_no(login: tuple[str, str], words: str) -> None:
    _, url = login
    done = said(*words.split(), env=surroundings(url.replace(":first@", ":wrong@")))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "bottombox: the database is away: it refuses the user or the password\n"


@pytest.mark.parametrize("words", [*WORKED_WITH, "dead-letters redrive 1", "keys revoke 1"])
def test_a_command_before_the_first_migration_says_what_to_run(postgres: PostgresServer, words: str) -> None:
    name = unique_name("bare")
    done = said(*words.split(), env=surroundings(postgres.create_database(name)))
    postgres.drop_database(name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "bottombox: the schema is not there; run `bottombox migrate`\n"


@pytest.mark.parametrize("words", ["check", "ledger", "migrate", "run"])
def test_an_address_that_cannot_be_honoured_is_refused_at_the_start_in_one_sentence(words: str) -> None:
    done = said(*words.split(), env=surroundings("postgresql://ann:hunter2@db/l?channel_binding=require"))
    assert done.returncode == 1
    sentence = "BOTTOMBOX_DATABASE_URL: channel_binding=require cannot be honoured"
    assert sentence in (done.stdout if words == "check" else done.stderr)
    said_of_it = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("note: ")]
    assert len(said_of_it) == 1
    assert "hunter2" not in done.stdout + done.stderr


def test_check_says_what_a_server_that_answers_says_no_to(login: tuple[str, str], database_url: str) -> None:
    _, url = login
    wrong = said("check", env=surroundings(url.replace(":first@", ":wrong@")))
    assert wrong.returncode == 1
    assert "BOTTOMBOX_DATABASE_URL: the database is away: it refuses the user or the password" in wrong.stdout
    assert said("check", env=surroundings(database_url)).returncode == 0
    assert said("check", env=surroundings("postgresql://127.0.0.1:1/l")).returncode == 0  # not there yet is no mistake


async def test_a_password_that_was_changed_in_its_file_is_used_without_a_restart(
    postgres: PostgresServer, login: tuple[str, str], tmp_path: Path
) -> None:
    user, url = login
    file = tmp_path / "url"
    file.write_text(url)
    env = surroundings("")
    env = {name: value for name, value in env.items() if name != "BOTTOMBOX_DATABASE_URL"}
    with Service.start("work", {**env, "BOTTOMBOX_DATABASE_URL_FILE": str(file)}) as service:
        await eventually(lambda: reasons(service), lambda found: found == [])
        await asyncio.to_thread(closing, postgres, user, "", "ALTER ROLE \"{user}\" PASSWORD 'second'")
        await eventually(lambda: reasons(service), lambda found: found != [])
        file.write_text("")  # half written: as if nothing had changed
        await eventually(lambda: reasons(service), lambda found: "refuses the user" in found[0])
        file.write_text("postgresql://half:wri?ten")
        await eventually(lambda: reasons(service), lambda found: "none of PostgreSQL's" in found[0])
        file.write_text(url.replace(":first@", ":second@"))
        await eventually(lambda: reasons(service), lambda found: found == [])


async def test_a_plan_from_before_a_migration_is_let_go_of_on_every_connection(database_url: str) -> None:
    engine, migrator = open_engine(database_url, pool_size=3), await asyncpg.connect(database_url)
    together = asyncio.Barrier(3)

    async def ask() -> None:
        async with transaction(engine) as connection:
            await together.wait()  # so that the three are three connections
            await connection.execute(text("SELECT at FROM moments"))

    try:
        await migrator.execute("CREATE TABLE moments (at integer)")
        await asyncio.gather(ask(), ask(), ask())
        await migrator.execute("ALTER TABLE moments ALTER COLUMN at TYPE bigint")
        outcomes = await asyncio.gather(ask(), ask(), ask(), return_exceptions=True)
        assert [type(each) for each in outcomes] == [Unavailable] * 3
        await asyncio.gather(ask(), ask(), ask())
    finally:
        await migrator.close()
        await engine.dispose()


async def test_a_first_host_that_is_silent_does_not_hide_the_second(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks loses patience before the silent one's time is over; the next look begins with the other."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes connections, nobody speaks
        both = database_url.replace("127.0.0.1:", f"127.0.0.1:{silent.getsockname()[1]},127.0.0.1:")
        engine = open_engine(both, pool_size=2)
        assert not (await look_at(engine)).is_up
        monkeypatch.setattr(vital_signs, "LOOK_SECONDS", 30.0)  # what is asked first matters here, and not how fast
        assert await look_at(engine) == DatabaseState(is_up=True, reason=None)
        await engine.dispose()


async def test_nobody_is_let_in_by_a_standby_alone(database_url: str) -> None:
    engine = open_engine(f"{database_url}?options=-cdefault_transaction_read_only%3Don&target_session_attrs=read-write")
    assert (await look_at(engine)).reason == "the database is away: no server of its address takes writes"
    await engine.dispose()
