"""What a story needs to send answers in, to look into the ledger, and to wait for a thing to be true."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

T = TypeVar("T")
LONG_ENOUGH = 90.0


@dataclass
class Town:
    """`env` brings the program to this town's broker, topics and ledger."""

    env: dict[str, str]
    bootstrap: str
    topic: str
    dead: str
    database: str
    producer: AIOKafkaProducer
    ledger: asyncpg.Pool

    @classmethod
    @asynccontextmanager
    async def open(
        cls, env: Mapping[str, str], *, bootstrap: str, topic: str, dead: str, database: str
    ) -> AsyncIterator[Town]:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        await producer.start()
        try:
            async with asyncpg.create_pool(database, min_size=0, max_size=4) as ledger:
                yield cls(dict(env), bootstrap, topic, dead, database, producer, ledger)
        finally:
            await producer.stop()

    async def send(self, answers: Iterable[Mapping[str, Any]], *, partition: int | None = None) -> None:
        """CloudEvents in structured mode, acknowledged."""
        await self.send_raw([json.dumps(answer).encode() for answer in answers], partition=partition)

    async def send_raw(self, values: Sequence[bytes], *, partition: int | None = None, **more: Any) -> None:
        sending = [await self.producer.send(self.topic, value, partition=partition, **more) for value in values]
        await asyncio.gather(*sending)

    async def value(self, sql: str, *arguments: Any) -> Any:
        return await self.ledger.fetchval(sql, *arguments)

    async def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.ledger.fetch(sql, *arguments)]

    async def accounted(self) -> int:
        """Offsets that the ledger has accounted for, but for canaries."""
        others = "next_offset - first_offset - coalesce((outcomes ->> 'canary')::bigint, 0)"
        return int(await self.value(f"SELECT coalesce(sum({others}), 0) FROM partitions"))

    async def dead_letters(self, count: int) -> list[Any]:
        """The first `count` records of the dead-letter topic."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            partition = TopicPartition(self.dead, 0)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            return [await asyncio.wait_for(consumer.getone(), LONG_ENOUGH) for _ in range(count)]
        finally:
            await consumer.stop()


def answer(
    event_id: str, rating: Any, *, customer: str | None = None, time_zone: str = "Europe/London", **data: Any
) -> dict[str, Any]:
    """A survey answer as a structured CloudEvent."""
    now = datetime.now(UTC).isoformat()
    who = {
        "id": customer or f"customer of {event_id}",
        "name": "Vera Example",
        "time_zone": time_zone,
        "language": "en",
    }
    return {
        "specversion": "1.0",
        "type": "survey.response.submitted.v1",
        "source": "/stories",
        "id": event_id,
        "time": now,
        "datacontenttype": "application/json",
        "data": {"rating": rating, "answered_at": now, "customer": who, **data},
    }


async def eventually(ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], *, within: float = LONG_ENOUGH) -> T:
    """What `ask` answers once `wanted` is true of it. Fails with the last answer."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = await ask()
        if wanted(found):
            return found
        assert asyncio.get_running_loop().time() < deadline, f"still {found!r} after {within} s"
        await asyncio.sleep(0.05)
