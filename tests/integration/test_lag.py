"""The lag is told from the first moment on, while a batch waits, and is 0 when there is nothing left to read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaProducer

from alerts.ledger.database import open_engine
from alerts.ledger.intake.batch import Report
from alerts.policy import shipped_policy
from consumers.intake.dead_letters import LARGEST, DeadLetters
from consumers.intake.surveys import SurveyConsumer
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Producer
from consumers.sources.catalogue import Catalogue
from tests.parts.topics import unique_name
from tests.parts.town import Town, answer, eventually

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/none"


class Ear:
    """Hears what the consumer tells; `lags` is what it said last of each partition that is still its own."""

    def __init__(self) -> None:
        self.lags: dict[int, tuple[int, float]] = {}
        self.told = 0
        self.missing_topics: frozenset[str] = frozenset()
        self.stopped_now: set[tuple[str, int]] = set()
        self.has_stopped = asyncio.Event()  # some partition has

    def batch(self, report: Report, committed_at: datetime) -> None: ...
    def resumed(self, topic: str, partition: int) -> None:
        self.stopped_now.discard((topic, partition))

    def commit_failed(self) -> None: ...

    def missing(self, topics: Iterable[str]) -> None:
        self.missing_topics = frozenset(topics)

    async def missed(self) -> frozenset[str]:
        return self.missing_topics

    async def waiting(self) -> set[tuple[str, int]]:
        """Partitions that are stopped."""
        return self.stopped_now

    def stopped(self, topic: str, partition: int, why: str) -> None:
        self.stopped_now.add((topic, partition))
        self.has_stopped.set()

    def lag(self, topic: str, partition: int, records: int, seconds: float) -> None:
        self.lags[partition] = (records, seconds)
        self.told += 1

    def forget(self, partitions: Iterable[tuple[str, int]]) -> None:
        for _, partition in partitions:
            self.lags.pop(partition, None)

    async def records(self) -> dict[int, int]:
        return {partition: records for partition, (records, _) in self.lags.items()}


@asynccontextmanager
async def consuming(
    town: Town,
    database: str,
    catalogue: Catalogue | None = None,
    *,
    topics: Sequence[str] = (),
    group: str | None = None,
) -> AsyncIterator[Ear]:
    """A consumer of the town's topic, or of `topics`, while the block lasts; in a group of its own, if none is named."""
    ear, stop = Ear(), asyncio.Event()
    access = KafkaAccess(bootstrap_servers=town.bootstrap)
    producer, engine = Producer(access, largest=LARGEST), open_engine(database)
    parts: dict[str, Any] = {
        "access": access,
        "topics": topics or [town.topic],
        "engine": engine,
        "policy": shipped_policy(),
    }
    consumer = SurveyConsumer(
        **parts,
        group=group or unique_name("group"),
        catalogue=catalogue or Catalogue(),
        dead_letters=DeadLetters(producer, town.dead),
        observer=ear,
    )
    running = asyncio.create_task(consumer.run(stop))
    try:
        yield ear
    finally:
        stop.set()
        await running
        await producer.close()
        await engine.dispose()


async def test_the_lag_grows_while_the_database_is_away(town: Town) -> None:
    await town.send([answer(f"e{number}", 1) for number in range(3)], partition=0)
    async with consuming(town, NOBODY_LISTENS) as ear:
        await eventually(ear.records, lambda found: found == {0: 3, 1: 0, 2: 0})
        before = ear.lags[0][1]
        await town.send([answer("e4", 1)], partition=0)
        await eventually(ear.records, lambda found: found == {0: 4, 1: 0, 2: 0})
        assert ear.lags[0][1] > before


async def test_markers_and_aborted_records_at_the_end_are_no_lag(town: Town) -> None:
    async with consuming(town, town.database) as ear:
        await send_in_transactions(town)
        await eventually(town.accounted, lambda done: done >= 1)
        told = ear.told
        await eventually(ear.records, lambda found: ear.told > told + 3 and found == {0: 0, 1: 0, 2: 0})
    assert await town.value("SELECT count(*) FROM responses") == 1


async def send_in_transactions(town: Town) -> None:
    """One answer that counts, and behind it one that was taken back."""
    producer = AIOKafkaProducer(bootstrap_servers=town.bootstrap, transactional_id=unique_name("sender"))
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(town.topic, json.dumps(answer("kept", 1)).encode(), partition=0)
        await producer.begin_transaction()
        await producer.send_and_wait(town.topic, json.dumps(answer("taken back", 1)).encode(), partition=0)
        await producer.abort_transaction()
    finally:
        await producer.stop()
