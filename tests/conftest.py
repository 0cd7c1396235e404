"""Gives stories their parts: one broker and one database server for the run, one fresh database per story."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from tests.parts.clock import MOVABLE_CLOCK, Clock
from tests.parts.kafka import KafkaBroker
from tests.parts.kafka_jars import NEWEST, kafka_version, missing_kafka
from tests.parts.kafka_jars import OLDEST as OLDEST_KAFKA
from tests.parts.postgres import OLDEST, PostgresServer, chosen_version, missing_oldest, missing_postgres
from tests.parts.reconcile import books_of
from tests.parts.requirements import require
from tests.parts.scan import Scan
from tests.parts.service import environment
from tests.parts.topics import create_topic, unique_name
from tests.parts.town import Town

_TEMPLATE = "template_ledger"

# How long an example takes says how busy the machine is. What hangs is ended by the timeout of its story.
hypothesis.settings.register_profile("ours", deadline=None)
hypothesis.settings.load_profile("ours")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Scan(), "scan")


def pytest_report_header() -> str:
    """Which servers the stories run on."""
    postgres = f"PostgreSQL: {chosen_version() or 'none'}; the oldest that is promised: {missing_oldest() or OLDEST}"
    return f"{postgres}; Kafka: {kafka_version(NEWEST)}, one story on {kafka_version(OLDEST_KAFKA)}"


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """The broker all stories share; a story that hurts a broker starts its own."""
    require("kafka", missing_kafka())
    with KafkaBroker.start() as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server all stories share; a story that hurts a server starts its own."""
    require("postgres", missing_postgres())
    with PostgresServer.start() as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: PostgresServer) -> str:
    """The name of a migrated, empty database with a movable clock, from which each story's own is copied."""
    from alerts.ledger import migrate  # only here, so that stories without a ledger do not load it

    migrate.upgrade(postgres.create_database(_TEMPLATE))
    postgres.run_sql(MOVABLE_CLOCK, _TEMPLATE)
    return _TEMPLATE


@pytest.fixture
def database_url(postgres: PostgresServer, template: str) -> Iterator[str]:
    """A ledger of one's own, removed afterwards; what was counted of it must be what it holds."""
    name = unique_name("story")
    url = postgres.create_database(name, template)
    books = books_of(url)
    yield url
    try:
        books.check()
    finally:
        postgres.drop_database(name)


@pytest.fixture
async def clock(database_url: str) -> AsyncIterator[Clock]:
    """The clock of `database_url`."""
    connection = await asyncpg.connect(database_url)
    yield Clock(connection)
    await connection.close()


@pytest.fixture
def new_topic(kafka: KafkaBroker) -> Callable[..., Awaitable[str]]:
    """`await new_topic("surveys", partitions=6, max_message_bytes=...)` makes a topic and gives its name."""
    return partial(create_topic, kafka.bootstrap)


@pytest.fixture(scope="session")
def survey_data() -> Path:
    """The folder of real survey answers: BOTTOMBOX_TEST_DATA, else `shared/data` beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BOTTOMBOX_TEST_DATA", beside))
    require("data", None if folder.is_dir() else "there are no real survey answers here (BOTTOMBOX_TEST_DATA)")
    return folder


@pytest.fixture
async def town(kafka: KafkaBroker, database_url: str, new_topic: Callable[..., Awaitable[str]]) -> AsyncIterator[Town]:
    """A broker with topics, a ledger, and the settings that bring the program to them."""
    topic = await new_topic("surveys", partitions=3)
    dead = await new_topic("dead", max_message_bytes=16 * 1024 * 1024)
    env = environment(
        database=database_url,
        kafka=kafka.bootstrap,
        topics=topic,
        dead_letters=dead,
        group=unique_name("group"),
    )
    async with Town.open(env, bootstrap=kafka.bootstrap, topic=topic, dead=dead, database=database_url) as opened:
        yield opened
