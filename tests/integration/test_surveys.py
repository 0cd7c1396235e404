"""The consumer beside a real broker: what it does about topics and offsets that are not as they should be."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from tests.acceptance.test_faults import metric
from tests.parts.business import fingerprints, outcomes
from tests.parts.checks import check_alerts, check_conservation
from tests.parts.effort import times
from tests.parts.kafka import KafkaBroker
from tests.parts.postgres import PostgresServer
from tests.parts.reconcile import check_counters
from tests.parts.service import Service, environment
from tests.parts.topics import create_topic, unique_name
from tests.parts.town import Town, answer, eventually

SEED = 20_261_126


async def test_a_missing_topic_does_not_stop_the_others(town: Town) -> None:
    env = {**town.env, "BOTTOMBOX_SURVEY_TOPICS": f"{town.topic},{unique_name('missing')}"}
    with Service.start("consume", env) as consumer:
        await town.send([answer("e1", 2)])
        await eventually(town.accounted, lambda done: done == 1)
        assert "do not exist" in consumer.log
    await check_alerts(town, {"e1"})


async def test_a_committed_offset_that_is_gone_stops_the_partition_with_an_alarm(town: Town) -> None:
    await town.send([answer(f"e{number}", 1) for number in range(5)], partition=0)
    with Service.start("consume", town.env):
        await eventually(town.accounted, lambda done: done == 5)
    await town.send([answer(f"lost{number}", 1) for number in range(10)], partition=0)
    await delete_records(town, before=12)
    with Service.start("consume", town.env) as consumer:
        await eventually(lambda: metric(consumer, "bottombox_consumer_stopped_partitions"), lambda found: 1.0 in found)
        await town.send([answer("elsewhere", 1)], partition=1)
        await eventually(town.accounted, lambda done: done == 6)
    await check_alerts(town, {*(f"e{number}" for number in range(5)), "elsewhere"})


async def delete_records(town: Town, *, before: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=town.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(town.topic, 0): RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()


async def test_a_broker_that_dies_and_comes_back_needs_no_operator(database_url: str) -> None:
    with KafkaBroker.start() as broker:
        topic = await create_topic(broker.bootstrap, "surveys", 2)
        dead = await create_topic(broker.bootstrap, "dead", max_message_bytes=16 * 1024 * 1024)
        group = unique_name("group")
        env = environment(database=database_url, kafka=broker.bootstrap, topics=topic, dead_letters=dead, group=group)
        place = {"bootstrap": broker.bootstrap, "topic": topic, "dead": dead, "database": database_url}
        with Service.start("consume", env) as consumer:
            async with Town.open(env, **place) as town:
                await town.send([answer("before", 1)])
                await eventually(town.accounted, lambda done: done == 1)
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.restart)
            async with Town.open(env, **place) as town:
                await town.send([answer("after", 1)])
                await eventually(town.accounted, lambda done: done == 2)
                await check_alerts(town, {"before", "after"})
                await check_conservation(town)
            await asyncio.to_thread(broker.kill)
            assert await asyncio.to_thread(consumer.stop) == 0  # ends though there is nobody to take leave of


async def test_a_group_set_back_to_the_beginning_changes_no_row_of_the_business(town: Town) -> None:
    answers = [answer(f"e{number}", number % 5 + 1, customer=f"c{number % 20}") for number in range(60)]
    betters = [
        answer(f"better{number}", 5, customer=f"c{number}", response_id=f"e{number}") for number in range(0, 20, 5)
    ]
    await town.send([*answers, answers[0], {**answers[1], "id": "e2"}, *betters])
    await town.send_raw([b"{", b'{"specversion": "1.0"}'], partition=0)
    count = len(answers) + 2 + len(betters) + 2
    with Service.start("consume", town.env):
        await eventually(town.accounted, lambda done: done == count)
    before = await fingerprints(town)
    env = {**town.env, "BOTTOMBOX_CONSUMER_GROUP": unique_name("anew")}  # a new group begins at the earliest
    with Service.start("consume", env):
        await eventually(lambda: town.value("SELECT sum(seen_again) FROM partitions"), lambda again: again == count)
    assert await fingerprints(town) == before
    assert await town.accounted() == count
    await check_conservation(town)


@pytest.mark.timeout(1800)
async def test_three_consumers_that_come_and_go_give_what_one_gives(
    kafka: KafkaBroker, postgres: PostgresServer, template: str, new_topic: Callable[..., Awaitable[str]]
) -> None:
    count, dice = times(30_000), random.Random(SEED)
    topic, dead = await new_topic("surveys", partitions=12), await new_topic("dead")
    answers = [
        answer(f"e{number}", dice.randint(1, 5), customer=f"c{dice.randrange(count // 4)}") for number in range(count)
    ]
    found = []
    for members in (3, 1):
        url = postgres.create_database(unique_name("members"), template)
        group = unique_name("group")
        env = environment(database=url, kafka=kafka.bootstrap, topics=topic, dead_letters=dead, group=group)
        async with Town.open(env, bootstrap=kafka.bootstrap, topic=topic, dead=dead, database=url) as town:
            sending = asyncio.create_task(send_by_customer(town, answers if members == 3 else []))
            await (taken_in_by_three(town, count) if members == 3 else taken_in_by_one(town, count))
            await sending
            await check_alerts(town, {each["id"] for each in answers if each["data"]["rating"] <= 2})
            await check_conservation(town)
            found.append(await outcomes(town))
    assert found[0] == found[1]


async def send_by_customer(town: Town, answers: Sequence[dict[str, Any]]) -> None:
    """As our own senders do, so that the answers of one customer stay in order; slowly enough for a stream."""
    for start in range(0, len(answers), 200):
        some = answers[start : start + 200]
        sent = [await town.producer.send(town.topic, json.dumps(each).encode(), key=customer_of(each)) for each in some]
        await asyncio.gather(*sent)
        await eventually(town.accounted, lambda done, behind=start: done >= behind - 800)  # type: ignore[misc]


def customer_of(answer: dict[str, Any]) -> bytes:
    return str(answer["data"]["customer"]["id"]).encode()


async def taken_in_by_three(town: Town, count: int) -> None:
    """One leaves in the first half of the stream, and another comes in the second: the partitions are dealt anew."""
    consumers = [Service.start("consume", town.env) for _ in range(3)]
    try:
        await eventually(town.accounted, lambda done: done >= count // 4)
        assert await asyncio.to_thread(consumers.pop().stop) == 0
        await eventually(town.accounted, lambda done: done >= count // 2)
        consumers.append(Service.start("consume", town.env))
        await eventually(town.accounted, lambda done: done == count, within=1200)
    finally:
        codes = [await asyncio.to_thread(consumer.stop) for consumer in consumers]
    assert codes == [0, 0, 0]


async def taken_in_by_one(town: Town, count: int) -> None:
    with Service.start("consume", town.env) as consumer:
        await eventually(town.accounted, lambda done: done == count, within=1200)
        await check_counters(town, consumer)
