"""The drill of docs/operations.md, "Backups": dump, go on, lose everything, restore, and let Kafka bring the rest."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.embedded.postgres import wheel_binaries
from tests.acceptance.test_main_job import claimed, key, noon
from tests.parts.checks import check_alerts, check_conservation, check_history
from tests.parts.clock import Clock
from tests.parts.postgres import PostgresServer
from tests.parts.reconcile import books_of
from tests.parts.service import Service, bottombox
from tests.parts.town import Town, answer, eventually

BEFORE, AFTER = 150, 150
"""Answers before the dump, and between the dump and the loss."""

RESOLUTION = {"cause": {"kind": "skill", "driver": "other"}, "outcome": "recovered", "note": "all is well"}


@pytest.fixture
async def lost(
    town: Town, clock: Clock, postgres: PostgresServer, tmp_path: Path
) -> AsyncIterator[tuple[Town, set[str]]]:
    """A ledger that was dumped while it worked, and is restored as it was then; Kafka knows of more. And all bad answers."""
    await noon(clock)
    ann = key(town, "ann", "callbacks:work", advisor="ann")
    answers = [answer(f"e{number}", number % 5 + 1, customer=f"c{number % 90}") for number in range(BEFORE + AFTER)]
    dump = tmp_path / "ledger.dump"
    with Service.start("run", town.env) as service:
        async with httpx.AsyncClient(base_url=f"{service.http}/v1", headers=ann) as advisor:
            await town.send(answers[:BEFORE])
            await eventually(town.accounted, lambda done: done == BEFORE)
            await resolve_one(advisor)
            await asyncio.to_thread(run, "pg_dump", "--format=custom", f"--file={dump}", town.database)
            await town.send([*answers[BEFORE:], answers[0]])
            await eventually(town.accounted, lambda done: done == BEFORE + AFTER + 1)
            await resolve_one(advisor)
    await clock_closed(clock)
    await town.ledger.close()
    name = urlsplit(town.database).path.removeprefix("/")
    await asyncio.to_thread(postgres.drop_database, name)
    await asyncio.to_thread(postgres.create_database, name)
    await asyncio.to_thread(run, "pg_restore", "--exit-on-error", f"--dbname={town.database}", str(dump))
    books_of(town.database).put_back()
    async with Town.open(
        town.env, bootstrap=town.bootstrap, topic=town.topic, dead=town.dead, database=town.database
    ) as restored:
        yield restored, {each["id"] for each in answers if each["data"]["rating"] <= 2}


async def clock_closed(clock: Clock) -> None:
    """Its connection would keep the database from being dropped in peace."""
    await clock._connection.close()


async def resolve_one(advisor: httpx.AsyncClient) -> None:
    callback = await claimed(advisor)
    token = callback["lease"]["token"]
    done = await advisor.post(f"/callbacks/{callback['id']}/resolve", json={"lease_token": token, **RESOLUTION})
    assert done.status_code == 200, done.text


def run(program: str, *arguments: str) -> None:
    done = subprocess.run([wheel_binaries() / program, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


async def check_whole(town: Town, bottom: set[str]) -> None:
    await eventually(town.accounted, lambda done: done == BEFORE + AFTER + 1)
    await check_alerts(town, bottom)
    await check_conservation(town)
    await check_history(town)
    assert await town.value("SELECT count(*) FROM responses") == BEFORE + AFTER
    assert await town.value("SELECT sum(skipped) FROM partitions") == 0


async def test_offsets_ahead_of_the_dump_and_behind_it_lose_nothing_and_double_nothing(
    lost: tuple[Town, set[str]],
) -> None:
    """Kafka's are ahead. One partition is set back to where the ledger stands, the others to their very beginning."""
    town, bottom = lost
    accounts = bottombox("ledger", env=town.env)["items"]
    stands = {each["partition"]: each["next_offset"] for each in accounts}
    assert sum(stands.values()) == BEFORE + sum(each["outcomes"]["canary"] for each in accounts)
    assert await town.value("SELECT count(*) FROM callbacks WHERE state = 'resolved'") == 1
    await reset_offsets(town, {0: stands[0], 1: 0, 2: 0})
    with Service.start("consume", town.env):
        await check_whole(town, bottom)
    assert await town.value("SELECT sum(seen_again) FROM partitions") == stands[1] + stands[2]
    assert await town.value("SELECT count(*) FROM callbacks WHERE state = 'resolved'") == 1


async def reset_offsets(town: Town, offsets: dict[int, int]) -> None:
    """What `kafka-consumer-groups --reset-offsets` does to a group without members. Our offsets were ahead of these."""
    group = town.env["BOTTOMBOX_CONSUMER_GROUP"]
    tool = AIOKafkaConsumer(bootstrap_servers=town.bootstrap, group_id=group, enable_auto_commit=False)
    await tool.start()
    try:
        wanted = {TopicPartition(town.topic, partition): offset for partition, offset in offsets.items()}
        tool.assign(list(wanted))
        committed = [await tool.committed(partition) or 0 for partition in wanted]
        assert sum(committed) >= BEFORE + AFTER + 1  # and a canary now and then
        await tool.commit(wanted)
    finally:
        await tool.stop()
