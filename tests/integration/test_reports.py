"""The role that Grafana reads the ledger with sees the views that are made for it, and nothing else."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from app.embedded.postgres import wheel_binaries
from tests.parts.deployment import DEPLOY, read_yaml
from tests.parts.postgres import PostgresServer
from tests.parts.reports import READER, VIEWS, make_reports

COLUMNS = {
    "answers": {"at", "source", "box", "points", "suppressed"},
    "callbacks": {
        *("opened_at", "ended_at", "state", "queue", "source", "points", "severity", "priority", "attempts_count"),
        *("closed_reason", "cause_kind", "cause_driver", "outcome", "overdue"),
    },
    "durations": {"at", "queue", "cause_driver", "what", "clock", "seconds"},
    "targets": {"at", "queue", "target", "met"},
    "promises": {"at", "queue", "result"},
    "attempts": {"at", "queue", "result", "outside_window"},
    "dead_letters": {"at", "topic", "reason", "waits"},
    "offsets": {"topic", "partition", "epoch", "seen_again", "skipped", "difference"},
}
"""Each is a moment, a duration, a count, or a word out of a closed list. Think before you add one."""


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(await make_reports(database_url))
    yield connection
    await connection.close()


async def test_the_reader_sees_these_columns_and_no_others(reader: asyncpg.Connection[asyncpg.Record]) -> None:
    rows = await reader.fetch(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    assert {row["table_schema"] for row in rows} == {"bottombox_reports"}
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    assert found == COLUMNS
    for view in COLUMNS:
        assert await reader.fetch(f"SELECT * FROM {view}") == []


@pytest.mark.parametrize("table", ["customers", "responses", "callbacks", "history", "api_keys", "audit"])
async def test_the_reader_may_not_look_behind_the_views(reader: asyncpg.Connection[asyncpg.Record], table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch(f"SELECT * FROM public.{table}")


async def test_the_reader_writes_nothing_even_where_it_says_it_would(
    reader: asyncpg.Connection[asyncpg.Record],
) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await reader.execute("CREATE TEMPORARY TABLE mine ()")
    await reader.execute("SET default_transaction_read_only = off")
    for statement in (
        "DELETE FROM dead_letters",
        "UPDATE callbacks SET state = 'closed'",
        "CREATE TABLE public.mine ()",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)


async def test_the_views_can_be_dropped_for_an_upgrade_and_made_anew(database_url: str) -> None:
    await make_reports(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.FeatureNotSupportedError, match="used by a view"):
            await connection.execute("ALTER TABLE responses ALTER points TYPE integer")
        await connection.execute("DROP SCHEMA bottombox_reports CASCADE")
        await connection.execute("ALTER TABLE responses ALTER points TYPE integer")
        await connection.execute(VIEWS.read_text(encoding="utf-8"))
        await connection.execute(VIEWS.read_text(encoding="utf-8"))
        granted = (
            "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = $1 AND privilege_type = 'SELECT'"
        )
        assert await connection.fetchval(granted, READER) == len(COLUMNS)
    finally:
        await connection.close()


async def test_the_command_of_compose_makes_the_views_and_the_password(
    postgres: PostgresServer, database_url: str
) -> None:
    """Run as it stands in the file, but for where the database and the file are."""
    login = urlsplit(database_url)
    service = read_yaml(DEPLOY / "compose.yaml")["services"]["reports"]
    (script,) = service["command"]
    here = f"--host 127.0.0.1 --port {login.port} --username bottombox --dbname {login.path[1:]}"
    script = script.replace("--host postgres --username bottombox --dbname bottombox", here).replace("$$", "$")
    env = {
        "PATH": f"{wheel_binaries()}:{os.environ['PATH']}",
        "PGPASSWORD": str(login.password),
        "READER_PASSWORD": "it's a secret",
    }
    command = [*service["entrypoint"], script.replace("/ledger_views.sql", str(VIEWS))]
    done = await asyncio.to_thread(subprocess.run, command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    reader = await asyncpg.connect(
        host="127.0.0.1", port=login.port, user=READER, password="it's a secret", database=login.path[1:]
    )
    assert await reader.fetchval("SELECT count(*) FROM callbacks") == 0
    await reader.close()
