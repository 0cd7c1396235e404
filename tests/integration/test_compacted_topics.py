"""A topic of which Kafka keeps the newest record of each key only: gaps are no lag, no loss, and no reason to begin anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.integration.test_kafka_as_it_is import value
from tests.integration.test_lag import consuming
from tests.parts.checks import check_alerts, check_conservation
from tests.parts.topics import unique_name
from tests.parts.town import LONG_ENOUGH, Town, eventually

COMPACTED = {
    "cleanup_policy": "compact",
    "min_cleanable_dirty_ratio": "0.01",
    "min_compaction_lag_ms": 0,
    "max_compaction_lag_ms": 100,
    "delete_retention_ms": 0,
    "segment_ms": 100,
}
NEXT = "SELECT next_offset FROM partitions WHERE topic = $1"
NewTopicOf = Callable[..., Awaitable[str]]


class Compacted:
    """One partition, whose older segments Kafka cleans as soon as there is a newer one."""

    def __init__(self, town: Town, topic: str) -> None:
        self.town, self.topic = town, topic

    async def send(self, key: str, event_id: str | None) -> int:
        """Its offset; without an event a tombstone, which takes what was said under this key out of the topic."""
        body = None if event_id is None else value(event_id)
        sent = await self.town.producer.send_and_wait(self.topic, body, key=key.encode(), partition=0)
        return int(sent.offset)

    async def kept(self) -> list[int]:
        """The offsets that there still are."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.town.bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            partition = TopicPartition(self.topic, 0)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            offsets: list[int] = []
            while await consumer.position(partition) < end:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    offsets += [record.offset for record in records]
            return offsets
        finally:
            await consumer.stop()

    async def gone(self, offsets: Collection[int]) -> None:
        """Waits until none of these is left; a segment is cleaned once something was written behind it."""
        async with asyncio.timeout(LONG_ENOUGH):
            while not set(offsets).isdisjoint(await self.kept()):
                await asyncio.sleep(0.15)
                await self.send("last", "last")


async def test_what_compaction_took_is_no_lag_and_is_accounted_for(
    town: Town, new_topic: NewTopicOf, caplog: pytest.LogCaptureFixture
) -> None:
    group = unique_name("group")
    compacted = Compacted(town, await new_topic("compacted", **COMPACTED))
    for turn in range(3):
        for key in ("a", "b", "c"):
            await compacted.send(key, f"{key}-{turn}")
    tombstone = await compacted.send("b", None)
    await compacted.gone([0, 1, 2, 3, 4, 5, 7, tombstone])  # what is left is a-2 and c-2
    async with consuming(town, town.database, topics=[compacted.topic], group=group) as ear:
        await eventually(lambda: town.value("SELECT count(*) FROM responses"), lambda found: found >= 3)
        await eventually(ear.records, lambda found: found == {0: 0})
    before = await town.value(NEXT, compacted.topic)

    first = [await compacted.send("d", f"d-{turn}") for turn in range(3)]
    assert first[0] >= before  # what comes right behind the committed offset will be gone
    await compacted.gone(first[:-1])
    async with consuming(town, town.database, topics=[compacted.topic], group=group) as ear:
        end = await compacted.send("e", "e-0")
        await eventually(lambda: town.value(NEXT, compacted.topic), lambda found: found == end + 1)
        await eventually(ear.records, lambda found: found == {0: 0})

    assert "starts anew" not in caplog.text
    [row] = await town.rows("SELECT epoch, skipped FROM partitions WHERE topic = $1", compacted.topic)
    assert row["epoch"] == 0
    assert row["skipped"] >= 1 + len(
        first[:-1]
    )  # 7 at least, and those of d; what lies before 6 is no part of the account
    await check_alerts(town, await alerted(town))
    await check_conservation(town)


async def alerted(town: Town) -> set[str]:
    rows = await town.rows("SELECT event_id FROM responses")
    found = {str(row["event_id"]) for row in rows}
    assert {"a-2", "c-2", "d-2", "e-0"} <= found
    assert not found & {"a-0", "b-0", "b-1", "b-2", "c-1", "d-0"}
    return found
