"""Says what would become of dead letters if they were sent again now, and sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
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


class Rehearsal(Struct, frozen=True):
    """What would become of several: how many would be read and how many not, how many of each `now`, and each."""

    would_be_read: int
    would_not: int
    now: dict[str, int]
    items: tuple[Rehearsed, ...]


async def rehearse(
    access: KafkaAccess,
    catalogue: Catalogue,
    letters: Sequence[DeadLetter],
    now: datetime,
    on_done: Callable[[], None] = lambda: None,
) -> Rehearsal:
    """Read from the dead-letter topic with the source files as they are. `on_done` hears of each. Raises Unavailable."""
    found = []
    async with aclosing(_rehearsed(access, catalogue, letters, now)) as each_in_turn:
        async for each in each_in_turn:
            found.append(each)
            on_done()
    return summary_of(found)


def summary_of(found: Sequence[Rehearsed]) -> Rehearsal:
    would = sum(each.would_be_read for each in found)
    return Rehearsal(would, len(found) - would, dict(Counter(each.now for each in found)), tuple(found))


async def _rehearsed(
    access: KafkaAccess, catalogue: Catalogue, letters: Sequence[DeadLetter], now: datetime
) -> AsyncGenerator[Rehearsed, None]:
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
