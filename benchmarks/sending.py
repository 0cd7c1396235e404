"""Fills a topic with answers, each acknowledged by every replica."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from benchmarks.answers import Sent

AT_ONCE = 5_000


async def send_all(bootstrap: str, topic: str, answers: Sequence[Sent]) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=262_144
    )
    await producer.start()
    try:
        for start in range(0, len(answers), AT_ONCE):
            chunk = answers[start : start + AT_ONCE]
            await asyncio.gather(*[await producer.send(topic, each.value, key=each.key) for each in chunk])
    finally:
        await producer.stop()
