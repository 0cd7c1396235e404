"""Sets the demo's stage: a database with its tables, a broker, free ports and keys; all of it gone afterwards."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.errors import Misconfigured
from alerts.ledger.access.keys import create_key
from alerts.ledger.migrate import upgrade_engine
from app import wiring
from app.embedded.broker import EmbeddedBroker
from app.embedded.postgres import EmbeddedPostgres
from app.serving import bind
from app.settings import Settings, read_settings
from consumers.kafka.access import KafkaAccess
from consumers.sources.catalogue import Catalogue, load_catalogue

VISITOR, LEAD = "ann", "lee"
PLAYED = ("bea", "cal")
"""Advisors: the visitor works as the first, the demo plays the others."""


class DemoSettings(Settings):
    """The embedded broker does not wake a waiting fetch when a record comes, so no fetch waits for long."""

    @property
    def kafka(self) -> KafkaAccess:
        return msgspec.structs.replace(super().kafka, fetch_max_wait_ms=20)


@dataclass(frozen=True)
class Stage:
    """`keys`: the secrets of the API keys, by whose they are."""

    settings: DemoSettings
    catalogue: Catalogue
    engine: AsyncEngine
    keys: dict[str, str]


@asynccontextmanager
async def open_stage(doing: Callable[[str], None]) -> AsyncIterator[Stage]:
    """`doing` hears what is being waited for. Policy and sources are those that the environment's settings name.

    Raises Misconfigured without the extra `demo`, Unavailable if something does not start.
    """
    given = read_settings(os.environ)
    catalogue = load_catalogue(given.sources_dir)
    topics = {plan.name: plan.partitions for plan in wiring.topic_plans(Settings(), catalogue)}
    doing("starting PostgreSQL and a broker on this machine")
    with EmbeddedBroker.start(topics) as broker:
        postgres = await asyncio.to_thread(EmbeddedPostgres.start)
        try:
            settings = _settings(given, postgres.url(), broker.bootstrap)
            async with wiring.open_database(settings, "bottombox-demo", pool_size=2) as engine:
                doing("making the tables")
                await upgrade_engine(engine)
                yield Stage(settings, catalogue, engine, await _make_keys(engine))
        finally:
            await asyncio.to_thread(postgres.stop)


def _settings(given: Settings, database_url: str, bootstrap: str) -> DemoSettings:
    kept = given.model_dump(include={"policy_file", "sources_dir", "http_host"})
    return DemoSettings.model_validate(
        {
            **kept,
            "database_url": database_url,
            "kafka_bootstrap_servers": bootstrap,
            "http_port": _this_or_any(given.http_host, given.http_port),
            "metrics_port": _this_or_any(given.http_host, given.metrics_port),
            "secret_key": secrets.token_hex(32),
            "drain_seconds": 0,
        }
    )


def _this_or_any(host: str, port: int) -> int:
    """The port if nobody has it, else 0, which is whatever is free."""
    try:
        bind(host, port).close()
    except Misconfigured:
        return 0
    return port


async def _make_keys(engine: AsyncEngine) -> dict[str, str]:
    scopes = {**dict.fromkeys((VISITOR, *PLAYED), "callbacks:work"), LEAD: "callbacks:lead"}
    return {
        name: (await create_key(engine, name=name, scopes=[scope], advisor=name))[1] for name, scope in scopes.items()
    }
