"""Things that go wrong at 03:00. Nothing is lost, nothing is doubled, and no operator is needed."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from alerts.ledger import migrate
from tests.parts.checks import check_alerts, check_conservation, check_history
from tests.parts.effort import EFFORT, FULL
from tests.parts.kafka import KafkaBroker
from tests.parts.postgres import PostgresServer
from tests.parts.reconcile import check_counters
from tests.parts.service import Service, environment
from tests.parts.topics import unique_name
from tests.parts.town import Town, answer, eventually

SEED = 20_261_123
AWAY_SECONDS = 20


def stream(count: int) -> tuple[list[dict[str, object]], set[str]]:
    """`count` answers, some of them of the same customers, and the ids of those in the bottom box."""
    dice = random.Random(SEED)
    answers = [
        answer(f"e{number}", dice.choice([1, 2, 3, 4, 5, 5, 5]), customer=f"c{dice.randrange(count // 2)}")
        for number in range(count)
    ]
    return answers, {str(each["id"]) for each in answers if each["data"]["rating"] <= 2}


async def test_a_consumer_killed_again_and_again_loses_and_doubles_nothing(town: Town) -> None:
    count, kills = (3_000, 3) if EFFORT < FULL else (50_000, 20)
    answers, bottom = stream(count)
    sending = asyncio.create_task(send_slowly(town, answers))
    consumer = Service.start("consume", town.env)
    try:
        for kill in range(1, kills + 1):
            progress = count * kill // (kills + 2)
            await eventually(town.accounted, lambda done, wanted=progress: done >= wanted)  # type: ignore[misc]
            consumer.kill()
            consumer = Service.start("consume", town.env)
        await sending
        await eventually(town.accounted, lambda done: done == count)
    finally:
        consumer.kill()
    await check_alerts(town, bottom)
    await check_conservation(town)
    await check_history(town)
    assert await town.value("SELECT count(*) FROM responses") == count
    assert await town.value("SELECT count(*) FROM dead_letters") == 0


async def send_slowly(town: Town, answers: list[dict[str, object]], *, chunk: int = 100) -> None:
    """So that kills hit a stream that flows: the next chunk goes when the last is nearly taken in."""
    for start in range(0, len(answers), chunk):
        await town.send(answers[start : start + chunk])
        await eventually(town.accounted, lambda done, sent=start: done >= sent - 5 * chunk)  # type: ignore[misc]


async def test_a_poison_record_at_the_head_of_a_partition_costs_only_itself(town: Town) -> None:
    poison = b'{"specversion": "1.0", "rating": \xff'
    headers = [("trace", b"\x00\x01"), ("bottombox-source", b"shopzilla")]
    await town.send_raw([poison], partition=0, key=b"the key", headers=headers)
    good = [answer(f"after{number}", 1) for number in range(20)]
    await town.send(good, partition=0)
    with Service.start("consume", town.env) as consumer:
        await eventually(town.accounted, lambda done: done == 21)
        [dead] = await town.dead_letters(1)
        await check_counters(town, consumer)
    await check_alerts(town, {f"after{number}" for number in range(20)})
    await check_conservation(town)
    assert (dead.key, dead.value) == (b"the key", poison)
    assert list(dead.headers[:2]) == headers
    added = {name: value.decode() for name, value in dead.headers[2:]}
    assert added["bottombox-reason"] == "malformed"
    address = ("bottombox-origin-topic", "bottombox-origin-partition", "bottombox-origin-offset")
    assert [added[name] for name in address] == [town.topic, "0", "0"]
    [row] = await town.rows('SELECT reason, topic, "partition", "offset", dead_topic, dead_offset FROM dead_letters')
    assert row == {
        "reason": "malformed",
        "topic": town.topic,
        "partition": 0,
        "offset": 0,
        "dead_topic": town.dead,
        "dead_offset": 0,
    }


async def test_a_dead_letter_that_is_refused_stops_its_partition_and_loses_nothing(
    kafka: KafkaBroker, database_url: str, new_topic: Callable[..., Awaitable[str]]
) -> None:
    topic = await new_topic("surveys", partitions=2)
    small = await new_topic("dead", max_message_bytes=2_000)
    env = environment(
        database=database_url, kafka=kafka.bootstrap, topics=topic, dead_letters=small, group=unique_name("group")
    )
    async with Town.open(env, bootstrap=kafka.bootstrap, topic=topic, dead=small, database=database_url) as town:
        noise = random.Random(SEED).randbytes(50_000)  # does not compress
        await town.send_raw([noise], partition=0)
        await town.send([answer("behind", 1)], partition=0)
        await town.send([answer("elsewhere", 1)], partition=1)
        with Service.start("consume", town.env) as consumer:
            await eventually(town.accounted, lambda done: done == 1)
            await eventually(
                lambda: metric(consumer, "bottombox_consumer_stopped_partitions"), lambda found: 1.0 in found
            )
        await check_alerts(town, {"elsewhere"})
        assert await town.value("SELECT count(*) FROM dead_letters") == 0


async def metric(service: Service, name: str) -> list[float]:
    """The values of a metric's series."""
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"{service.metrics}/metrics")).text
    return [float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(name)]


async def test_a_database_that_is_away_for_a_while_costs_nothing_but_time(
    kafka: KafkaBroker, new_topic: Callable[..., Awaitable[str]]
) -> None:
    topic = await new_topic("surveys", partitions=3)
    dead = await new_topic("dead", max_message_bytes=16 * 1024 * 1024)
    folder = Path(tempfile.mkdtemp(prefix="bottombox-away-"))
    with PostgresServer.start(folder, durable=True) as server:
        url = server.create_database("away")
        await asyncio.to_thread(migrate.upgrade, url)
        env = environment(
            database=url, kafka=kafka.bootstrap, topics=topic, dead_letters=dead, group=unique_name("group")
        )
        answers, bottom = stream(600)
        with Service.start("consume", env) as consumer:
            async with Town.open(env, bootstrap=kafka.bootstrap, topic=topic, dead=dead, database=url) as town:
                await town.send(answers[:300])
                await eventually(town.accounted, lambda done: done >= 100)
                server.kill()
                await town.send(answers[300:])
            async with httpx.AsyncClient() as client:
                for _ in range(AWAY_SECONDS):
                    await asyncio.sleep(1)  # the outage itself: time is what it is made of
                    for page in ("livez", "metrics"):  # a scrape asks the database nothing
                        assert (await client.get(f"{consumer.metrics}/{page}")).status_code == 200
                assert (await client.get(f"{consumer.metrics}/readyz")).status_code == 503
            await asyncio.to_thread(server.restart)
            async with Town.open(env, bootstrap=kafka.bootstrap, topic=topic, dead=dead, database=url) as town:
                await eventually(town.accounted, lambda done: done == 600)
                await check_alerts(town, bottom)
                await check_conservation(town)
                assert await town.value("SELECT count(*) FROM dead_letters") == 0
