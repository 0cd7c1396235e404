"""Two topics side by side: one that the service reads, and one that a bare consumer reads, as the floor.

The consumer of the first is the service's own, metrics included.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from alerts.ledger.database import open_engine
from alerts.ledger.intake.batch import Report
from alerts.policy import shipped_policy
from app.metrics.intake import IntakeMetrics
from app.metrics.registry import Registry
from benchmarks.answers import SEED, answer
from benchmarks.pace import ticks
from consumers.intake.dead_letters import LARGEST, DeadLetters
from consumers.intake.surveys import BATCH, FETCH_BYTES, POLL_MS, SurveyConsumer
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Producer
from consumers.sources.catalogue import load_catalogue
from tests.parts.topics import create_topic, unique_name

PARTITIONS = 6
PATIENCE = 30.0  # seconds for the last answers of a trial
INSERT = "INSERT INTO floor (event) VALUES ($1)"


class Arrivals:
    """When things arrived, in seconds, by whatever names them."""

    def __init__(self) -> None:
        self._moments: dict[Hashable, float] = {}
        self._news = asyncio.Event()

    def note(self, name: Hashable, moment: float) -> None:
        self._moments[name] = moment
        self._news.set()

    async def of(self, names: Sequence[Hashable]) -> list[float]:
        """The moment of each, once all have arrived."""
        async with asyncio.timeout(PATIENCE):
            while not all(name in self._moments for name in names):
                self._news.clear()
                await self._news.wait()
        return [self._moments[name] for name in names]


class Stopwatch(IntakeMetrics):
    """The service's observer, which also notes when each alert was committed, by when its answer was given."""

    def __init__(self, committed: Arrivals) -> None:
        super().__init__(Registry(), lambda moved: None, lambda recorded_at, committed_at: None)
        self._committed = committed

    def batch(self, report: Report, committed_at: datetime) -> None:
        super().batch(report, committed_at)
        for raised in report.raised:
            self._committed.note(raised.answered_at, committed_at.timestamp())


class Street:
    """One producer, and what it sends to: a topic that the service reads, and one that a bare consumer reads."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, bare_topic: str, floor: asyncpg.Pool) -> None:
        self.floor = floor
        self.committed = Arrivals()
        self.received = Arrivals()
        self._producer = producer
        self._topic = topic
        self._bare_topic = bare_topic
        self._dice = random.Random(SEED)
        self._sent = 0

    async def alerts(self, count: int, rate: int, share: float) -> list[float]:
        """Milliseconds from produce() to the alert's commit; of `count` answers, `rate` a second, this share is bad."""
        given = []
        async for number in ticks(rate, count):
            is_bad = int((number + 1) * share) > int(number * share)
            at, value = self._answer(rating=1 if is_bad else 5)
            given += [at] if is_bad else []
            await self._producer.send(self._topic, value)
        committed = await self.committed.of(given)
        return [(end - at.timestamp()) * 1000 for at, end in zip(given, committed, strict=True)]

    async def polls(self, count: int, rate: int) -> list[float]:
        """Milliseconds from produce() until the bare consumer has the record."""
        given, values = [], []
        async for _ in ticks(rate, count):
            _, value = self._answer()
            values.append(value)
            given.append(time.perf_counter())
            await self._producer.send(self._bare_topic, value)
        received = await self.received.of(values)
        return [(end - at) * 1000 for at, end in zip(given, received, strict=True)]

    async def rows(self, count: int, rate: int) -> list[float]:
        """Milliseconds to insert one row and commit it."""
        taken = []
        async for _ in ticks(rate, count):
            _, value = self._answer()
            async with self.floor.acquire() as connection:
                start = time.perf_counter()
                await connection.execute(INSERT, value.decode())
                taken.append((time.perf_counter() - start) * 1000)
        return taken

    def _answer(self, rating: int = 1) -> tuple[datetime, bytes]:
        """An answer given now by a customer nobody knows yet; a bad one opens a callback."""
        self._sent += 1
        at = datetime.now(UTC)
        return at, json.dumps(answer(f"e-{self._sent}", rating, self._sent, at, self._dice)).encode()


@asynccontextmanager
async def open_street(bootstrap: str, url: str) -> AsyncIterator[Street]:
    """The service's consumer and a bare one, both running, each with a group of its own."""
    topic, bare_topic = [await create_topic(bootstrap, name, PARTITIONS) for name in ("surveys", "bare")]
    dead = await create_topic(bootstrap, "dead", max_message_bytes=LARGEST)
    async with AsyncExitStack() as stack:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        await producer.start()
        stack.push_async_callback(producer.stop)
        floor = await stack.enter_async_context(asyncpg.create_pool(url, min_size=1, max_size=1))
        await floor.execute("CREATE TABLE floor (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event text)")
        street = Street(producer, topic, bare_topic, floor)
        stop = asyncio.Event()
        tasks = [
            asyncio.create_task(_service(bootstrap, url, topic, dead, street.committed, stop)),
            asyncio.create_task(_bare(bootstrap, bare_topic, street.received, stop)),
        ]
        try:
            yield street
        finally:
            stop.set()
            await asyncio.gather(*tasks)


async def _service(bootstrap: str, url: str, topic: str, dead: str, committed: Arrivals, stop: asyncio.Event) -> None:
    access = KafkaAccess(bootstrap_servers=bootstrap)
    producer = Producer(access, largest=LARGEST)
    engine = open_engine(url, pool_size=4)
    consumer = SurveyConsumer(
        access=access,
        topics=[topic],
        group=unique_name("group"),
        engine=engine,
        policy=shipped_policy(),
        catalogue=load_catalogue(),
        dead_letters=DeadLetters(producer, dead),
        observer=Stopwatch(committed),
    )
    try:
        await consumer.run(stop)
    finally:
        await producer.close()
        await engine.dispose()


async def _bare(bootstrap: str, topic: str, received: Arrivals, stop: asyncio.Event) -> None:
    """The floor's consumer: the same client and settings as the service's, and it only says when a record came."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=unique_name("group"),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        while not stop.is_set():
            polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)
            now = time.perf_counter()
            for part in polled.values():
                for record in part:
                    received.note(record.value, now)
    finally:
        await consumer.stop()
