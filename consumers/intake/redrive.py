"""Sends dead letters again through the normal way, as they were, once whatever was wrong has been mended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.errors import Unavailable
from alerts.ledger.reading.dead_letters import DeadLetter, mark_gone, mark_redriven
from alerts.log_fields import about
from consumers.intake.dead_letters import as_it_was
from consumers.intake.origin import Origin, RecordHeaders, origin_of
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import OutRecord, Producer
from consumers.kafka.tolerant import damage
from consumers.trace_context import trace_id_of

logger = logging.getLogger(__name__)

READ_SECONDS = 15.0


async def redrive(
    access: KafkaAccess,
    producer: Producer,
    engine: AsyncEngine,
    letters: Sequence[DeadLetter],
    by: str,
    on_done: Callable[[], None] = lambda: None,
) -> int:
    """How many were sent again; each is marked once Kafka has acknowledged it, and so is one that Kafka no longer keeps.

    `on_done` hears of each, sent or not. Raises Unavailable.
    """
    sent = 0
    async with aclosing(kept_records(access, letters)) as kept:
        async for letter, record in kept:
            if record is None:
                logger.warning("a dead letter is no longer in its topic", extra=about(dead_letter=letter.id))
                await mark_gone(engine, letter.id)
            else:
                await producer.send([record])
                await mark_redriven(engine, letter.id, by)
                logger.info("a dead letter is sent again", extra=_about(letter, record))
                sent += 1
            on_done()
    return sent


def _about(letter: DeadLetter, record: OutRecord) -> dict[str, Any]:
    place = f"{letter.topic}-{letter.partition}@{letter.offset}"
    return about(trace=trace_id_of(record.headers), dead_letter=letter.id, record=place, reason=letter.reason)


async def kept_records(
    access: KafkaAccess, letters: Sequence[DeadLetter]
) -> AsyncGenerator[tuple[DeadLetter, OutRecord | None], None]:
    """Each with the record as it would be sent again; None for one that Kafka no longer keeps. Raises Unavailable."""
    if not letters:
        return  # a client that is stopped right after its start is cancelled within (aiokafka)
    consumer = AIOKafkaConsumer(**access.client(), enable_auto_commit=False, auto_offset_reset="none")
    seen = 0
    try:
        await consumer.start()
        for letter in letters:
            yield letter, await _read(consumer, letter)
            seen += 1
    except (KafkaError, TimeoutError, OSError) as error:
        raise Unavailable(f"after {seen} dead letters Kafka failed ({type(error).__name__})") from error
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, letter: DeadLetter) -> OutRecord | None:
    partition = TopicPartition(letter.dead_topic, letter.dead_partition)
    consumer.assign([partition])
    first, end = await consumer.beginning_offsets([partition]), await consumer.end_offsets([partition])
    if letter.dead_offset is None or not first[partition] <= letter.dead_offset < end[partition]:
        return None
    consumer.seek(partition, letter.dead_offset)
    kept = await asyncio.wait_for(consumer.getone(partition), READ_SECONDS)
    if damage(kept) is not None:
        raise Unavailable("the dead-letter topic is damaged there")
    if kept.offset != letter.dead_offset:
        return None
    return again(letter, key=kept.key, value=kept.value, headers=tuple(kept.headers))


def again(letter: DeadLetter, *, key: bytes | None, value: bytes | None, headers: RecordHeaders) -> OutRecord:
    """The record as it was, and behind it where it stood the first time: that orders revisions of equal time."""
    headers = as_it_was(headers)
    if origin_of(headers) is None:
        headers += Origin(letter.topic, letter.partition, letter.offset, letter.recorded_at).headers()
    return OutRecord(topic=letter.topic, key=key, value=value, headers=headers)
