"""Takes the schema to the newest version; safe twice, and from several hosts at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations
from alerts.ledger.database import open_engine, reachable, transaction
from alerts.ledger.tables.schema import metadata

ONE_AT_A_TIME = 7_264_100_501
"""Key of the advisory lock under which migrations run; any number, the same everywhere."""


def upgrade(url: str) -> None:
    """Migrates the database at `url`, however long that takes. Raises Unavailable, Misconfigured."""
    asyncio.run(_upgrade(url))


async def _upgrade(url: str) -> None:
    engine = open_engine(url, pool_size=1, application="bottombox-migrate", command_seconds=None)
    try:
        await upgrade_engine(engine)
    finally:
        await engine.dispose()


async def upgrade_engine(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), "head"))


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the schema is at least what this program was written for. Raises Unavailable.

    A newer one counts too: while replicas are replaced one by one, the old ones go on working on it.
    """
    async with reachable(), engine.connect() as connection:
        return await connection.run_sync(_is_head)


async def differences(engine: AsyncEngine) -> list[Any]:
    """What the migrated schema and `alerts.ledger.tables` disagree on; for the test that keeps them equal."""
    async with engine.connect() as connection:
        return await connection.run_sync(lambda sync: compare_metadata(MigrationContext.configure(sync), metadata))


def _is_head(connection: Connection) -> bool:
    scripts = ScriptDirectory.from_config(_config(connection))
    there = set(MigrationContext.configure(connection).get_current_heads())
    known = {step.revision for step in scripts.walk_revisions()}
    return bool(there) and (there == set(scripts.get_heads()) or not there <= known)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
