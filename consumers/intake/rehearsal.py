"""Says what would become of dead letters if they were sent again now, and sends nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

from msgspec import Struct

from alerts.arrival import DeadLettered, Passed
from alerts.ledger.reading.dead_letters import DeadLetter
from consumers.intake.record import Record, read_record
from consumers.intake.redrive import kept_records
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import OutRecord
from consumers.sources.catalogue import Catalogue

READ, PASSED, GONE = "read", "passed_over", "gone"


class Rehearsed(Struct, frozen=True):
    """`now` is `read`, `passed_over`, `gone` (Kafka no longer keeps it), or the reason to set it aside once more."""

    id: int
    now: str
    field: str | None = None
    detail: str | None = None

    @property
    def would_be_read(self) -> bool:
        return self.now in (READ, PASSED)


async def rehearse(
    access: KafkaAccess, catalogue: Catalogue, letters: Sequence[DeadLetter], now: datetime
) -> AsyncGenerator[Rehearsed, None]:
    """Each in its turn, read from the dead-letter topic with the source files as they are. Raises Unavailable."""
    async with aclosing(kept_records(access, letters)) as kept:
        async for letter, record in kept:
            yield Rehearsed(letter.id, GONE) if record is None else what_becomes_of(letter, record, catalogue, now)


def what_becomes_of(letter: DeadLetter, record: OutRecord, catalogue: Catalogue, now: datetime) -> Rehearsed:
    """Judged by the one who will judge it."""
    at = int(letter.recorded_at.timestamp() * 1000)
    again = Record(letter.topic, letter.partition, letter.offset, at, record.key, record.value, tuple(record.headers))
    arrival = read_record(again, catalogue, now)
    if isinstance(arrival, DeadLettered):
        return Rehearsed(letter.id, str(arrival.reason), arrival.field, arrival.detail)
    return Rehearsed(letter.id, PASSED if isinstance(arrival, Passed) else READ)
