"""What no client library reads costs itself, and a damaged batch its own partition, until it can be read."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from consumers.intake import surveys
from tests.acceptance.test_faults import metric
from tests.integration.test_lag import consuming
from tests.integration.test_redrive import send_again
from tests.parts.checks import check_alerts, check_conservation
from tests.parts.kafka import KafkaBroker
from tests.parts.raw_batches import GZIP, batch, produce, record
from tests.parts.service import Service, environment
from tests.parts.topics import create_topic, unique_name
from tests.parts.town import Town, answer, eventually


def value(event_id: str, rating: int = 1) -> bytes:
    return json.dumps(answer(event_id, rating)).encode()


async def test_a_header_name_that_is_not_utf8_is_set_aside_and_all_others_go_on(town: Town) -> None:
    odd = record(1, value("odd"), key=b"k\xff", headers=[(b"caf\xe9", b"\xfe"), (b"trace", None)])
    for codec in (0, GZIP):
        whole = batch([record(0, value(f"before{codec}")), odd, record(2, value(f"behind{codec}"))], codec=codec)
        assert await produce(town.bootstrap, town.topic, whole) == 0
    await town.send([answer("elsewhere", 1)], partition=1)
    with Service.start("consume", town.env) as consumer:
        await eventually(town.accounted, lambda done: done == 7)
        assert "starts anew" not in consumer.log
        assert f"record {town.topic}-0@1 is set aside" in consumer.log
        found = await metric(consumer, 'bottombox_dead_letters_total{reason="malformed"}')
        assert found == [2.0]
        [dead, _] = await town.dead_letters(2)
        sent = json.loads(dead.value)
        assert (sent["id"], dead.key, dead.headers[:2]) == ("odd", b"k\xff", ((r"caf\xe9", b"\xfe"), ("trace", None)))
        assert dict(dead.headers)["bottombox-origin-offset"] == b"1"
        assert await send_again(town) == 2
        await eventually(town.accounted, lambda done: done == 9)
    await check_alerts(town, {"before0", "behind0", "before1", "behind1", "elsewhere", "odd"})
    await check_conservation(town)
    with Service.start("consume", town.env):  # the committed offset has passed it
        await town.send([answer("later", 1)], partition=0)
        await eventually(town.accounted, lambda done: done == 10)
    assert await town.value("SELECT sum(seen_again) FROM partitions") == 0


async def test_a_damaged_batch_stops_its_partition_until_it_can_be_read(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "RETRY_STOPPED_SECONDS", 0.2)
    with KafkaBroker.start() as broker:
        topic = await create_topic(broker.bootstrap, "surveys", 3)
        dead = await create_topic(broker.bootstrap, "dead")
        env = environment(
            database=database_url, kafka=broker.bootstrap, topics=topic, dead_letters=dead, group=unique_name("group")
        )
        async with Town.open(env, bootstrap=broker.bootstrap, topic=topic, dead=dead, database=database_url) as town:
            for event in ("before", "damaged", "behind"):
                await town.send([answer(event, 1)], partition=0)
            await town.send([answer("elsewhere", 1)], partition=1)
            flip(broker.folder / "records" / f"{topic}-0", "damaged")
            async with consuming(town, database_url) as ear:
                await eventually(town.accounted, lambda done: done == 2)
                await asyncio.wait_for(ear.has_stopped.wait(), 30)
                await town.send([answer("elsewhere too", 1)], partition=1)
                await eventually(town.accounted, lambda done: done == 3)
                flip(broker.folder / "records" / f"{topic}-0", "damagee")
                await eventually(town.accounted, lambda done: done == 5)
            await check_alerts(town, {"before", "damaged", "behind", "elsewhere", "elsewhere too"})
            await check_conservation(town)


def flip(folder: Path, event_id: str) -> None:
    """Turns the last bit of an event's id on the broker's disk, there or back."""
    [segment] = folder.glob("*.log")
    with segment.open("r+b") as file:
        at = file.read().index(f'"id": "{event_id}"'.encode()) + len('"id": "') + len(event_id) - 1
        file.seek(at)
        file.write(bytes([ord(event_id[-1]) ^ 1]))
