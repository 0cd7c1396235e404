"""The oldest Kafka that is met: its brokers still take records of any time, and its transactions look the same."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.test_lag import consuming
from tests.parts.checks import check_alerts, check_conservation
from tests.parts.kafka import KafkaBroker
from tests.parts.kafka_jars import OLDEST, missing_kafka
from tests.parts.requirements import require
from tests.parts.service import environment
from tests.parts.topics import create_topic, unique_name
from tests.parts.town import Town, answer, eventually

PARTITIONS = 3


@pytest.fixture(scope="module")
def oldest() -> Iterator[KafkaBroker]:
    require("kafka", missing_kafka(OLDEST))
    with KafkaBroker.start(pom=OLDEST) as broker:
        yield broker


@pytest.fixture
async def old_town(oldest: KafkaBroker, database_url: str) -> AsyncIterator[Town]:
    topic = await create_topic(oldest.bootstrap, "surveys", partitions=PARTITIONS)
    dead = await create_topic(oldest.bootstrap, "dead", max_message_bytes=16 * 1024 * 1024)
    named = {"topics": topic, "dead_letters": dead, "group": unique_name("group")}
    env = environment(database=database_url, kafka=oldest.bootstrap, **named)
    where = {"bootstrap": oldest.bootstrap, "topic": topic, "dead": dead, "database": database_url}
    async with Town.open(env, **where) as opened:
        yield opened


async def test_a_hundred_answers_of_three_kinds_of_senders_are_taken_in_on_the_oldest_kafka(old_town: Town) -> None:
    """In a transaction, without one, and by a producer that counts in microseconds, which brokers of 4.x refuse."""
    in_microseconds = time.time_ns() // 1_000
    async with consuming(old_town, old_town.database):
        await old_town.send([answer(f"plain-{number}", 1 + number % 5) for number in range(50)])
        odd = [json.dumps(answer(f"odd-{number}", 1)).encode() for number in range(10)]
        await old_town.send_raw(odd, timestamp_ms=in_microseconds)
        producer = AIOKafkaProducer(bootstrap_servers=old_town.bootstrap, transactional_id=unique_name("sender"))
        await producer.start()
        try:
            async with producer.transaction():
                values = [json.dumps(answer(f"together-{number}", 2)).encode() for number in range(40)]
                await asyncio.gather(*[await producer.send(old_town.topic, value) for value in values])
        finally:
            await producer.stop()
        await eventually(lambda: old_town.value("SELECT count(*) FROM responses"), lambda found: found == 100)
    bad = {f"plain-{number}" for number in range(50) if number % 5 < 2}
    bad |= {f"odd-{number}" for number in range(10)} | {f"together-{number}" for number in range(40)}
    await check_alerts(old_town, bad)
    await check_conservation(old_town)
    assert await old_town.value("SELECT count(*) FROM responses WHERE recorded_at > now() + interval '1 hour'") == 0
