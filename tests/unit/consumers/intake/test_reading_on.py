"""The consumer reads on while batches are in hand: what comes next waits in order, and is forgotten when it comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from alerts.arrival import Address, Passed, RecordOutcome
from alerts.ledger.intake.batch import FEW, Report
from alerts.policy import shipped_policy
from consumers.intake import surveys
from consumers.intake.batch import Taken
from consumers.intake.record import Record
from consumers.intake.surveys import SurveyConsumer
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import RecordRefused
from consumers.sources.catalogue import Catalogue

ONE, OTHER = (TopicPartition("surveys", number) for number in range(2))
PATIENCE = 10.0
Offsets = list[tuple[int, int]]  # partition and offset


class Client:
    """A Kafka client whose partitions are lists."""

    def __init__(self) -> None:
        self.log: dict[TopicPartition, int] = {ONE: 0, OTHER: 0}  # how many records there are
        self.at = dict.fromkeys(self.log, 0)  # the next to be polled
        self.paused: set[TopicPartition] = set()
        self.listener: Any = None
        self.is_dealt = False
        self._news = asyncio.Event()
        self._moved = asyncio.Event()

    def send(self, partition: TopicPartition, count: int = 1) -> None:
        self.log[partition] += count
        self._news.set()

    async def is_polled(self, partition: TopicPartition, up_to: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.at[partition] < up_to:
                self._moved.clear()
                await self._moved.wait()

    async def deal(self) -> None:
        """Partitions go to members anew: we keep ours, and begin where the group has committed, which is nowhere."""
        await self.listener.on_partitions_revoked(set(self.log))
        self.at = dict.fromkeys(self.log, 0)
        await self.listener.on_partitions_assigned(set(self.log))

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        if not self.is_dealt:
            self.is_dealt = True
            await self.deal()
        self._news.clear()
        polled = self._draw(partitions or tuple(self.log), max_records)
        if not polled and timeout_ms:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_ms / 1000):
                    await self._news.wait()
            polled = self._draw(partitions or tuple(self.log), max_records)
        return polled

    def _draw(
        self, partitions: Sequence[TopicPartition], most: int
    ) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        polled = {}
        for partition in set(partitions) - self.paused:
            first, end = self.at[partition], min(self.log[partition], self.at[partition] + most)
            if first < end:
                polled[partition] = [_record(partition, offset) for offset in range(first, end)]
                self.at[partition], most = end, most - (end - first)
        self._moved.set()
        return polled

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self.log)

    async def topics(self) -> set[str]:
        return {"surveys"}

    def subscribe(self, *, topics: Sequence[str], listener: Any) -> None:
        self.listener = listener

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.at[partition] = offset

    def pause(self, partition: TopicPartition) -> None:
        self.paused.add(partition)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        pass

    async def position(self, partition: TopicPartition) -> int:
        return self.at[partition]

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict(self.log)

    async def start(self) -> None:
        self.is_dealt = False

    async def stop(self) -> None:
        pass


def _record(partition: TopicPartition, offset: int) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord(partition.topic, partition.partition, offset, 0, 0, None, b"", None, 0, 0, ())


class Ledger:
    """Takes each batch when it may."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[tuple[Offsets, asyncio.Future[None]]] = asyncio.Queue()
        self.is_open = False
        self._waiting: list[asyncio.Future[None]] = []
        self.refuse: Callable[[Address, RecordRefused], None]

    def forget(self) -> None:
        pass

    async def take(self, records: Sequence[Record], now: datetime, stop: asyncio.Event) -> AsyncGenerator[Taken, None]:
        may_end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.is_open:
            may_end.set_result(None)
        self._waiting.append(may_end)
        self.begun.put_nowait(([(each.partition, each.offset) for each in records], may_end))
        await may_end
        now = datetime.now(UTC)
        passed = [
            Passed(Address(each.topic, each.partition, each.offset, now), RecordOutcome.CANARY) for each in records
        ]
        yield Taken(passed, Report())

    def let_all_end(self) -> None:
        self.is_open = True
        for may_end in self._waiting:
            if not may_end.done():
                may_end.set_result(None)

    async def batch(self) -> tuple[Offsets, asyncio.Future[None]]:
        """The next one that begins: what it has, and what it waits for."""
        async with asyncio.timeout(PATIENCE):
            return await self.begun.get()


@pytest.fixture
async def street(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Client, Ledger]]:
    async with _running(monkeypatch) as both:
        yield both


@asynccontextmanager
async def _running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Client, Ledger]]:
    client, ledger, stop = Client(), Ledger(), asyncio.Event()

    def intake(**given: Any) -> Ledger:
        ledger.refuse = given["on_refused"]
        return ledger

    monkeypatch.setattr(surveys, "AIOKafkaConsumer", lambda **_: client)
    monkeypatch.setattr(surveys, "Intake", intake)
    monkeypatch.setattr(surveys, "wait_or_stop", lambda stop, seconds: asyncio.sleep(0))
    consumer = SurveyConsumer(
        access=KafkaAccess(bootstrap_servers="127.0.0.1:1"),
        topics=["surveys"],
        group="group",
        engine=Mock(),
        policy=shipped_policy(),
        catalogue=Catalogue(),
        dead_letters=Mock(),
        observer=Mock(),
    )
    running = asyncio.create_task(consumer.run(stop))
    try:
        yield client, ledger
    finally:
        stop.set()
        ledger.is_open = True
        ledger.let_all_end()
        await running


async def test_what_comes_for_partitions_in_hand_is_polled_and_goes_together_in_the_next_batch(
    street: tuple[Client, Ledger],
) -> None:
    client, ledger = street
    client.send(ONE)
    first, may_end = await ledger.batch()
    assert first == [(0, 0)]
    for number in range(1, 4):
        client.send(ONE)
        await client.is_polled(ONE, number + 1)
    may_end.set_result(None)
    assert (await ledger.batch())[0] == [(0, 1), (0, 2), (0, 3)]


async def test_few_records_of_other_partitions_wait_for_the_batch_in_hand(
    street: tuple[Client, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "HOLD_SECONDS", 3600.0)
    client, ledger = street
    client.send(ONE)
    _, may_end = await ledger.batch()
    client.send(OTHER)
    await client.is_polled(OTHER, 1)
    client.send(ONE)
    await client.is_polled(ONE, 2)
    assert ledger.begun.empty()
    may_end.set_result(None)
    assert sorted((await ledger.batch())[0]) == [(0, 1), (1, 0)]


async def test_few_records_begin_beside_a_batch_that_takes_long(
    street: tuple[Client, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "HOLD_SECONDS", 0.0)
    client, ledger = street
    client.send(ONE)
    await ledger.batch()
    client.send(OTHER)
    assert (await ledger.batch())[0] == [(1, 0)]


async def test_many_records_of_other_partitions_begin_beside_the_batch_in_hand(
    street: tuple[Client, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "HOLD_SECONDS", 3600.0)
    client, ledger = street
    client.send(ONE)
    await ledger.batch()
    client.send(OTHER, 2 * FEW)
    assert (await ledger.batch())[0] == [(1, offset) for offset in range(2 * FEW)]


async def test_what_waits_behind_a_refused_dead_letter_is_forgotten_and_not_taken_in(
    street: tuple[Client, Ledger],
) -> None:
    client, ledger = street
    client.send(ONE)
    _, may_end = await ledger.batch()
    client.send(ONE, 2)
    await client.is_polled(ONE, 3)
    ledger.refuse(Address("surveys", 0, 0, datetime.now(UTC)), RecordRefused("it is too large"))
    may_end.set_result(None)
    client.send(OTHER)
    assert (await ledger.batch())[0] == [(1, 0)]
    assert (client.at[ONE], client.paused) == (0, {ONE})


async def test_what_waits_when_partitions_are_dealt_anew_is_polled_again(street: tuple[Client, Ledger]) -> None:
    client, ledger = street
    client.send(ONE)
    _, may_end = await ledger.batch()
    client.send(ONE, 2)
    await client.is_polled(ONE, 3)
    dealt = asyncio.create_task(client.deal())
    asyncio.get_running_loop().call_soon(may_end.set_result, None)
    await dealt
    assert (await ledger.batch())[0] == [(0, 0), (0, 1), (0, 2)]


async def test_what_waits_behind_a_batch_that_failed_is_polled_again_with_it(street: tuple[Client, Ledger]) -> None:
    client, ledger = street
    client.send(ONE)
    _, may_end = await ledger.batch()
    client.send(ONE, 2)
    await client.is_polled(ONE, 3)
    may_end.set_exception(OSError("of a kind"))
    assert (await ledger.batch())[0] == [(0, 0), (0, 1), (0, 2)]
