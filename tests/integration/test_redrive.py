"""A dead letter is the record byte for byte, and so is the record that is sent again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from alerts.ledger.database import open_engine
from alerts.ledger.reading.dead_letters import DeadLetterFilter, find_dead_letters
from consumers.intake.redrive import redrive
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import Producer
from tests.parts.service import Service
from tests.parts.town import LONG_ENOUGH, Town, answer, eventually

HEADERS = [
    ("trace", b"\xff\x00"),
    ("nothing", None),
    ("empty", b""),
    ("bottombox-tenant", b"the sender's own"),
    ("bottombox-reason", b"the sender's own, too"),
]


async def test_what_is_sent_again_is_as_it_was_and_says_where_it_stood_first(town: Town) -> None:
    value = json.dumps(answer("e1", "not yet a number")).encode()
    await town.send_raw([value], partition=1, key=b"", headers=HEADERS)
    with Service.start("consume", town.env):
        await eventually(town.accounted, lambda done: done == 1)
        [dead] = await town.dead_letters(1)
        assert (dead.key, dead.value, list(dead.headers[: len(HEADERS)])) == (b"", value, HEADERS)
        assert await send_again(town) == 1
        again = await last_record(town, since={1: 1})
        await eventually(town.accounted, lambda done: done == 2)
        [_, second] = await town.dead_letters(2)
        assert await send_again(town) == 1, "what still cannot be read is a dead letter once more"
    assert (again.key, again.value, list(again.headers[: len(HEADERS)])) == (b"", value, HEADERS)
    gained = dict(again.headers[len(HEADERS) :])
    assert {name: gained[f"bottombox-origin-{name}"] for name in ("topic", "partition", "offset")} == {
        "topic": town.topic.encode(),
        "partition": b"1",
        "offset": b"0",
    }
    assert len(gained) == 4
    assert list(second.headers[: len(again.headers)]) == list(again.headers), "the first place stays"


async def send_again(town: Town) -> int:
    access = KafkaAccess(bootstrap_servers=town.bootstrap)
    producer, engine = Producer(access), open_engine(town.database)
    try:
        letters = await find_dead_letters(engine, DeadLetterFilter(pending=True))
        return await redrive(access, producer, engine, letters, "a story")
    finally:
        await producer.close()
        await engine.dispose()


async def last_record(town: Town, *, since: dict[int, int]) -> Any:
    """The first record of the survey topic that stands at or behind `since` in any partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=town.bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(town.topic, number) for number in range(3)]
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, since.get(partition.partition, 0))
        return await asyncio.wait_for(consumer.getone(), LONG_ENOUGH)
    finally:
        await consumer.stop()
