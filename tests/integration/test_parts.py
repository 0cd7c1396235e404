"""The parts stories rely on are real, and can be hurt."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from app.embedded.broker import EmbeddedBroker
from app.embedded.ports import free_ports
from tests.parts.clock import MOVABLE_CLOCK, Clock
from tests.parts.kafka import KafkaBroker
from tests.parts.kafka_jars import missing_kafka
from tests.parts.postgres import PostgresServer, missing_postgres
from tests.parts.requirements import require
from tests.parts.topics import create_topic, unique_name

_ROOT = Path(__file__).parents[2]
_SIXTEEN_MIB = 16 * 1024 * 1024


@pytest.fixture
def mortal_kafka() -> Iterator[KafkaBroker]:
    require("kafka", missing_kafka())
    with KafkaBroker.start() as broker:
        yield broker


@pytest.fixture
def mortal_postgres() -> Iterator[PostgresServer]:
    require("postgres", missing_postgres())
    with PostgresServer.start(durable=True) as server:
        yield server


async def _produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_request_size=_SIXTEEN_MIB
    ) as producer:
        await asyncio.gather(*[await producer.send(topic, value) for value in values])


async def _read(bootstrap: str, topic: str, count: int, group: str | None = None) -> list[bytes]:
    """The first `count` values; committed when there is a group."""
    values: list[bytes] = []
    async with (
        asyncio.timeout(60),
        AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_SIXTEEN_MIB,
            fetch_max_wait_ms=100,
        ) as consumer,
    ):
        while len(values) < count:
            batches = await consumer.getmany(timeout_ms=1000)
            values += [record.value for records in batches.values() for record in records]
            if group and batches:
                await consumer.commit({partition: records[-1].offset + 1 for partition, records in batches.items()})
    return values


async def _committed(bootstrap: str, topic: str, group: str, partitions: int) -> int:
    """The sum of a group's committed offsets."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False) as asker:
        offsets = [await asker.committed(TopicPartition(topic, number)) for number in range(partitions)]
    return sum(offset or 0 for offset in offsets)


async def test_a_killed_broker_comes_back_with_every_acknowledged_record(mortal_kafka: KafkaBroker) -> None:
    topic = await create_topic(mortal_kafka.bootstrap, "surveys")
    sent = [b"%d" % number for number in range(300)]
    await _produce(mortal_kafka.bootstrap, topic, sent)

    mortal_kafka.kill()
    mortal_kafka.restart()

    assert await _read(mortal_kafka.bootstrap, topic, len(sent)) == sent


async def test_a_paused_broker_answers_again_when_resumed(mortal_kafka: KafkaBroker) -> None:
    topic = await create_topic(mortal_kafka.bootstrap, "surveys")
    mortal_kafka.pause()
    producing = asyncio.create_task(_produce(mortal_kafka.bootstrap, topic, [b"late"]))
    done, _ = await asyncio.wait([producing], timeout=0.5)
    assert not done

    mortal_kafka.resume()
    await producing
    assert await _read(mortal_kafka.bootstrap, topic, 1) == [b"late"]


async def test_a_topic_may_take_records_of_nearly_16_mib(
    kafka: KafkaBroker, new_topic: Callable[..., Awaitable[str]]
) -> None:
    topic = await new_topic("dead", partitions=2, max_message_bytes=_SIXTEEN_MIB)
    large = bytes(_SIXTEEN_MIB - 4096)
    await _produce(kafka.bootstrap, topic, [large])
    assert await _read(kafka.bootstrap, topic, 1) == [large]


async def test_a_group_on_the_broker_remembers_how_far_it_read(
    kafka: KafkaBroker, new_topic: Callable[..., Awaitable[str]]
) -> None:
    topic, group = await new_topic("surveys", partitions=3), unique_name("group")
    await _produce(kafka.bootstrap, topic, [b"%d" % number for number in range(100)])
    await _read(kafka.bootstrap, topic, 100, group)
    assert await _committed(kafka.bootstrap, topic, group, 3) == 100


async def test_the_demo_broker_serves_an_idempotent_producer_and_a_group_of_one() -> None:
    sent = [b"%d" % number for number in range(1000)]
    with EmbeddedBroker.start({"surveys": 3}) as broker:
        await _produce(broker.bootstrap, "surveys", sent)
        assert sorted(await _read(broker.bootstrap, "surveys", 1000, "bottombox")) == sorted(sent)
        assert await _committed(broker.bootstrap, "surveys", "bottombox", 3) == 1000


async def test_a_paused_database_hangs_and_answers_when_resumed(mortal_postgres: PostgresServer) -> None:
    connection = await asyncpg.connect(mortal_postgres.url())
    mortal_postgres.pause()
    asking = asyncio.create_task(connection.fetchval("SELECT 42"))
    done, _ = await asyncio.wait([asking], timeout=0.3)
    assert not done

    mortal_postgres.resume()
    assert await asking == 42
    await connection.close()


async def test_a_killed_database_comes_back_with_every_commit(mortal_postgres: PostgresServer) -> None:
    connection = await asyncpg.connect(mortal_postgres.url())
    await connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
    mortal_postgres.kill()
    connection.terminate()

    mortal_postgres.restart()

    connection = await asyncpg.connect(mortal_postgres.url())
    assert await connection.fetchval("SELECT count(*) FROM kept") == 1000
    await connection.close()


async def test_a_stopped_database_in_a_chosen_folder_can_be_started_again() -> None:
    require("postgres", missing_postgres())
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to the user root's PostgreSQL runs as
    try:
        with PostgresServer.start(folder) as server:
            server.create_database("kept")
        with PostgresServer.start(folder) as server:
            connection = await asyncpg.connect(server.url("kept"))
            await connection.close()
    finally:
        shutil.rmtree(folder)


async def test_a_copied_database_is_private(postgres: PostgresServer) -> None:
    original = unique_name("original")
    postgres.create_database(original)
    postgres.run_sql("CREATE TABLE callbacks (id integer)", original)
    urls = [postgres.create_database(unique_name("copy"), original) for _ in range(2)]

    first, second = [await asyncpg.connect(url) for url in urls]
    await first.execute("INSERT INTO callbacks VALUES (1)")
    assert await first.fetchval("SELECT count(*) FROM callbacks") == 1
    assert await second.fetchval("SELECT count(*) FROM callbacks") == 0
    await first.close()
    await second.close()


async def test_the_clock_of_a_database_can_be_moved(postgres: PostgresServer) -> None:
    name = unique_name("clock")
    connection = await asyncpg.connect(postgres.create_database(name))
    await connection.execute(
        "CREATE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT clock_timestamp() $$"
    )
    await connection.execute(MOVABLE_CLOCK)
    clock = Clock(connection)

    nine = datetime(2026, 3, 2, 9, tzinfo=UTC)
    await clock.set(nine)
    assert nine <= await clock.now() < nine + timedelta(seconds=30)
    await clock.advance(timedelta(days=7))
    assert nine + timedelta(days=7) <= await clock.now() < nine + timedelta(days=7, seconds=30)
    await connection.close()


def test_no_server_outlives_a_killed_program() -> None:
    require("postgres", missing_postgres())
    program = (
        "import signal\n"
        "from tests.parts.postgres import PostgresServer\n"
        "server = PostgresServer.start()\n"
        "print(server.pid, server.folder, flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=_ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().split()
        postmaster = os.pidfd_open(int(pid))
        owner.kill()
    assert _ended(postmaster, within=10)
    shutil.rmtree(folder)


def _ended(pidfd: int, within: float) -> bool:
    readable, _, _ = select.select([pidfd], [], [], within)
    os.close(pidfd)
    return bool(readable)


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, for old connections linger
            listener.bind(("127.0.0.1", port))
