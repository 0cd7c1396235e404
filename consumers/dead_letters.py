"""Sets aside what cannot be read: byte for byte, with its address and a reason, acknowledged before work goes on."""

from __future__ import annotations

from datetime import UTC, datetime

from alerts.outcomes import Address
from consumers.kafka import OutRecord, Producer
from consumers.record import Record, Unreadable

LARGEST = 16 * 1024 * 1024
"""Bytes that the dead-letter topic takes: a dead letter may be larger than the record was."""


class DeadLetters:
    """Sends dead letters one by one, in the order of their partition."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    async def set_aside(self, unreadable: Unreadable) -> Address:
        """Where the dead letter stands now, acknowledged. Raises Unavailable (try again) or Refused."""
        record, now = unreadable.record, datetime.now(UTC)
        dead = OutRecord(
            topic=self._topic,
            value=record.value or b"",
            key=record.key,
            headers=(*record.headers, *headers_of(unreadable, now)),
            timestamp=now,
        )
        [kept] = await self._producer.send([dead])
        return Address(kept.topic, kept.partition, kept.offset, now)


def headers_of(unreadable: Unreadable, now: datetime) -> list[tuple[str, bytes]]:
    """The headers that a dead letter gains (docs/surveys.md). None of them holds a value from the record."""
    record = unreadable.record
    named = {
        "reason": unreadable.reason,
        "detail": f"{unreadable.field}: {unreadable.detail}" if unreadable.field else unreadable.detail,
        "origin-topic": record.topic,
        "origin-partition": str(record.partition),
        "origin-offset": str(record.offset),
        "origin-timestamp": rfc3339(recorded_at(record)),
        "failed-at": rfc3339(now),
    }
    return [(f"bottombox-{name}", str(value).encode()) for name, value in named.items()]


def recorded_at(record: Record) -> datetime:
    return datetime.fromtimestamp(max(0, record.timestamp_ms) / 1000, UTC)


def rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
