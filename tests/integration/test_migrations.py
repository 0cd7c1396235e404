"""The schema: what the steps make is what the tables say, however often and by how many hosts they are run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.ledger.database import open_engine, transaction
from alerts.ledger.migrate import differences, is_current, upgrade, upgrade_engine
from tests.parts.postgres import PostgresServer
from tests.parts.topics import unique_name


@pytest.fixture
async def empty(postgres: PostgresServer) -> AsyncIterator[AsyncEngine]:
    name = unique_name("empty")
    engine = open_engine(postgres.create_database(name))
    yield engine
    await engine.dispose()
    postgres.drop_database(name)


async def test_the_steps_make_exactly_the_tables_that_the_ledger_speaks_of(empty: AsyncEngine) -> None:
    assert not await is_current(empty)
    await upgrade_engine(empty)
    assert await is_current(empty)
    assert await differences(empty) == []


async def test_several_hosts_may_migrate_at_once(empty: AsyncEngine) -> None:
    url = empty.url.set(drivername="postgresql").render_as_string(hide_password=False)
    await asyncio.gather(*(asyncio.to_thread(upgrade, url) for _ in range(4)))
    assert await is_current(empty)


async def test_a_newer_schema_does_not_stop_the_replicas_that_are_still_the_old_ones(empty: AsyncEngine) -> None:
    await upgrade_engine(empty)
    async with transaction(empty) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert await is_current(empty)
