"""The schema: what the steps make is what the tables say, however often and by how many hosts they are run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.ledger.database import open_engine, transaction
from alerts.ledger.migrate import differences, is_current, upgrade, upgrade_engine
from tests.parts.postgres import PostgresServer
from tests.parts.topics import unique_name


@pytest.fixture
def empty_url(postgres: PostgresServer) -> Iterator[str]:
    name = unique_name("empty")
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(empty_url)
    yield engine
    await engine.dispose()


async def test_the_steps_make_exactly_the_tables_that_the_ledger_speaks_of(empty: AsyncEngine) -> None:
    assert not await is_current(empty)
    await upgrade_engine(empty)
    assert await is_current(empty)
    assert await differences(empty) == []


async def test_several_hosts_may_migrate_at_once(empty: AsyncEngine, empty_url: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(upgrade, empty_url) for _ in range(4)))
    assert await is_current(empty)


async def test_a_newer_schema_does_not_stop_the_replicas_that_are_still_the_old_ones(empty: AsyncEngine) -> None:
    await upgrade_engine(empty)
    async with transaction(empty) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert await is_current(empty)
