"""Kafka as it is used: transactions, tombstones, every compression, gaps, new partitions, topics made anew."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import for_code

from consumers.intake import surveys
from tests.integration.test_lag import consuming
from tests.parts.checks import check_alerts, check_conservation
from tests.parts.effort import times
from tests.parts.topics import unique_name
from tests.parts.town import Town, answer, eventually

PARTITIONS = (0, 1, 2)


def value(event_id: str, rating: int = 1) -> bytes:
    return json.dumps(answer(event_id, rating)).encode()


@asynccontextmanager
async def sending(town: Town, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=town.bootstrap, **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def administering(town: Town) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=town.bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def test_transactions_over_several_partitions_count_what_was_committed(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with consuming(town, town.database) as ear, sending(town, transactional_id=unique_name("sender")) as producer:
        for turn, keeps in enumerate([True, False, True, False]):
            await producer.begin_transaction()
            for partition in PARTITIONS:
                await producer.send_and_wait(town.topic, value(f"{turn}-{partition}"), partition=partition)
            await (producer.commit_transaction() if keeps else producer.abort_transaction())
        await eventually(lambda: town.value("SELECT count(*) FROM responses"), lambda found: found == 6)
        told = ear.told
        await eventually(ear.records, lambda found: ear.told > told + 3 and found == dict.fromkeys(PARTITIONS, 0))
        await town.send([answer(f"behind-{partition}", 5) for partition in PARTITIONS], partition=0)
        await eventually(lambda: town.value("SELECT count(*) FROM responses"), lambda found: found == 9)
    await check_alerts(town, {f"{turn}-{partition}" for turn in (0, 2) for partition in PARTITIONS})
    await check_conservation(town)
    # between the first record of a partition and the last: the marker of the first turn, an aborted record and its
    # marker, the second aborted record and both markers
    assert await town.value("SELECT skipped FROM partitions WHERE partition = 0") == 6
    assert "starts anew" not in caplog.text


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_answers_of_every_compression_are_read(town: Town, codec: str | None) -> None:
    async with sending(town, compression_type=codec, linger_ms=50) as producer:
        sent = [await producer.send(town.topic, value(f"e{number}"), partition=0) for number in range(20)]
        for each in sent:
            await each
    async with consuming(town, town.database):
        await eventually(town.accounted, lambda done: done == 20)
    await check_alerts(town, {f"e{number}" for number in range(20)})


async def test_records_without_value_key_or_headers_end_in_one_outcome_each(town: Town) -> None:
    twice = [("content-type", b"application/cloudevents+json")] * 2
    await town.producer.send_and_wait(town.topic, None, key=b"k", partition=0)
    await town.producer.send_and_wait(town.topic, value("no key"), partition=0)
    await town.producer.send_and_wait(town.topic, value("null header"), partition=0, headers=[("trace", None)])
    await town.producer.send_and_wait(town.topic, value("relayed"), partition=0, headers=twice)
    await town.producer.send_and_wait(town.topic, b"", partition=0)
    async with consuming(town, town.database):
        await eventually(town.accounted, lambda done: done == 5)
    outcomes = json.loads(await town.value("SELECT outcomes FROM partitions"))
    assert outcomes == {"tombstone": 1, "bottom_box": 3, "dead_lettered": 1}
    await check_alerts(town, {"no key", "null header", "relayed"})


async def test_partitions_that_are_added_in_mid_stream_are_read_from_their_beginning(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "LOOK_FOR_TOPICS_SECONDS", 0.2)
    count = times(6_000)
    fresh = {"metadata_max_age_ms": 200}
    async with consuming(town, town.database), administering(town) as admin, sending(town, **fresh) as producer:

        async def raise_to(partitions: int) -> None:
            await admin.create_partitions({town.topic: NewPartitions(total_count=partitions)})
            await eventually(lambda: producer.partitions_for(town.topic), lambda found: len(found) == partitions)

        async def send(numbers: range, partitions: int) -> None:
            some = [
                await producer.send(town.topic, value(f"e{number}"), partition=number % partitions)
                for number in numbers
            ]
            for each in some:
                await each

        await raise_to(6)
        await send(range(count // 2), 6)
        await eventually(town.accounted, lambda done: done > count // 8)
        await raise_to(12)
        await send(range(count // 2, count), 12)
        await eventually(town.accounted, lambda done: done == count)
    assert await town.value("SELECT count(*) FROM partitions WHERE first_offset = 0 AND next_offset > 0") == 12
    await check_alerts(town, {f"e{number}" for number in range(count)})
    await check_conservation(town)


async def test_a_topic_that_is_made_anew_begins_a_new_account_and_loses_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "LOOK_FOR_TOPICS_SECONDS", 0.2)
    await town.send([answer(f"old{number}", 1) for number in range(5)], partition=0)
    async with consuming(town, town.database):
        await eventually(town.accounted, lambda done: done == 5)
        async with administering(town) as admin:
            await admin.delete_topics([town.topic])
            await eventually(admin.list_topics, lambda found: town.topic not in found)
            made = await admin.create_topics([NewTopic(town.topic, 3, 1)])
            assert [for_code(each[1]).__name__ for each in made.topic_errors] == ["NoError"]
        async with sending(town) as producer:
            for number in range(3):
                await producer.send_and_wait(town.topic, value(f"new{number}"), partition=0)
        await eventually(lambda: town.value("SELECT count(*) FROM responses"), lambda found: found == 8)
    await check_conservation(town)
    rows = await town.rows("SELECT epoch, first_offset, next_offset FROM partitions WHERE partition = 0 ORDER BY 1")
    assert rows == [
        {"epoch": 0, "first_offset": 0, "next_offset": 5},
        {"epoch": 1, "first_offset": 0, "next_offset": 3},
    ]
