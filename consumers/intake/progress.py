"""How far each partition has been taken in, how far behind that is, and whether anything still moves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from aiokafka import TopicPartition
from msgspec import Struct

from alerts.arrival import Address
from consumers.intake.moments import recorded_at
from consumers.intake.record import Record

STUCK_SECONDS = 90.0
"""With records to read and none coming for so long, the Kafka client is built anew (aiokafka issue 1154)."""


_offset = attrgetter("offset")


class Lag(Struct, frozen=True):
    """`records` not yet taken in, markers of transactions among them; `seconds` that they have waited, 0 without any.

    They wait since the time of the first one in hand, if it has one; else of the last one taken in; else since we were
    given the partition.
    """

    partition: TopicPartition
    records: int
    seconds: float


class IntakeProgress:
    """What was polled and what of it was taken in. `clock` is monotonic, in seconds; `now` is the wall's clock."""

    def __init__(self, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._clock = clock
        self._now = now
        self._in_hand: dict[TopicPartition, list[Record]] = {}
        self._last: dict[TopicPartition, datetime] = {}
        self.begin()

    def begin(self) -> None:
        """New partitions, or a new client: whatever was known is forgotten, but for what is in hand."""
        self._last.clear()
        self._began = self._now()
        self._moved_at = self._clock()

    def polled(self, records: Mapping[TopicPartition, Sequence[Record]]) -> None:
        """Each partition's in the order of their offsets."""
        for partition, given in records.items():
            self._in_hand.setdefault(partition, []).extend(given)

    def taken(self, last: Mapping[TopicPartition, Address]) -> None:
        """What is in hand of these is in the ledger, up to this record of each."""
        self._moved_at = self._clock()
        for partition, address in last.items():
            self._last[partition] = address.timestamp
            waiting = self._in_hand.get(partition, [])
            del waiting[: bisect_right(waiting, address.offset, key=_offset)]

    def let_go(self, partitions: Iterable[TopicPartition]) -> None:
        """Nothing of these is in hand: all was taken in, or will be polled again."""
        for partition in partitions:
            self._in_hand.pop(partition, None)
        self._moved_at = self._clock()

    def lags(self, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> list[Lag]:
        """Of each partition of which both are known: the offset to be polled next, and the one behind the last record."""
        return [self._lag(part, at, ends[part]) for part, at in positions.items() if part in ends]

    def _lag(self, partition: TopicPartition, position: int, end: int) -> Lag:
        waiting = self._in_hand.get(partition)
        records = max(0, end - (waiting[0].offset if waiting else position))
        since = self._last.get(partition, self._began)
        if waiting:
            since = recorded_at(waiting[0].timestamp_ms, since)
        return Lag(partition, records, max(0.0, (self._now() - since).total_seconds()) if records else 0.0)

    def is_stuck(self, lags: Iterable[Lag]) -> bool:
        """Whether records wait that the client does not give us. A batch in hand waits for others, not for it."""
        if any(self._in_hand.values()) or not any(lag.records for lag in lags):
            self._moved_at = self._clock()
        return self._clock() - self._moved_at > STUCK_SECONDS
