"""The consumer beside a real broker: what it does about topics and offsets that are not as they should be."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from tests.acceptance.test_faults import metric
from tests.parts.checks import check_alerts, check_conservation
from tests.parts.kafka import KafkaBroker
from tests.parts.service import Service, environment
from tests.parts.topics import create_topic, unique_name
from tests.parts.town import Town, answer, eventually


async def test_a_missing_topic_does_not_stop_the_others(town: Town) -> None:
    env = {**town.env, "BOTTOMBOX_SURVEY_TOPICS": f"{town.topic},{unique_name('missing')}"}
    with Service.start("consume", env) as consumer:
        await town.send([answer("e1", 2)])
        await eventually(town.accounted, lambda done: done == 1)
        assert "do not exist yet" in consumer.log
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


async def test_a_group_set_back_to_the_beginning_changes_nothing(town: Town) -> None:
    await town.send([answer(f"e{number}", number % 5 + 1) for number in range(50)])
    with Service.start("consume", town.env):
        await eventually(town.accounted, lambda done: done == 50)
    before = await town.rows("SELECT id, state, version FROM callbacks ORDER BY id")
    env = {**town.env, "BOTTOMBOX_CONSUMER_GROUP": unique_name("anew")}  # a new group begins at the earliest
    with Service.start("consume", env):
        await eventually(lambda: town.value("SELECT sum(seen_again) FROM partitions"), lambda again: again == 50)
    assert await town.rows("SELECT id, state, version FROM callbacks ORDER BY id") == before
    assert await town.accounted() == 50
    await check_conservation(town)


async def test_three_consumers_give_the_same_callbacks_as_one(town: Town) -> None:
    answers = [answer(f"e{number}", number % 5 + 1, customer=f"c{number % 40}") for number in range(600)]
    consumers = [Service.start("consume", town.env) for _ in range(3)]
    try:
        for start in range(0, 600, 50):
            await town.send(answers[start : start + 50])
        await eventually(town.accounted, lambda done: done == 600)
    finally:
        for consumer in consumers:
            assert consumer.stop() == 0
    await check_alerts(town, {each["id"] for each in answers if each["data"]["rating"] <= 2})
    await check_conservation(town)
    assert await town.value("SELECT count(*) FROM callbacks") == 40 * 2 // 5
