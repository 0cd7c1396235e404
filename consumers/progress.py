"""How far each partition has been read, how far behind that is, and whether anything still moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from aiokafka import TopicPartition
from msgspec import Struct

from consumers.record import Record

STUCK_SECONDS = 90.0
"""With records to read and none coming for so long, the Kafka client is built anew (aiokafka issue 1154)."""


class Lag(Struct, frozen=True):
    """`records` not yet taken in; `seconds` since the last one that was, 0 when there are none left."""

    partition: TopicPartition
    records: int
    seconds: float


class Progress:
    """`clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next: dict[TopicPartition, int] = {}
        self._last_ms: dict[TopicPartition, int] = {}
        self._moved_at = clock()

    def begin(self) -> None:
        """New partitions, or a new client: whatever was known is forgotten."""
        self._next.clear()
        self._last_ms.clear()
        self._moved_at = self._clock()

    def taken(self, records: Sequence[Record]) -> None:
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            self._next[partition] = record.offset + 1
            self._last_ms[partition] = record.timestamp_ms
        self._moved_at = self._clock()

    def lags(
        self,
        partitions: Iterable[TopicPartition],
        ends: Callable[[TopicPartition], int | None],
        now_ms: float,
    ) -> Iterator[Lag]:
        """The lag of those partitions of which a record was read. `ends`: the offset that comes after the last record."""
        for partition in partitions:
            end, following = ends(partition), self._next.get(partition)
            if end is not None and following is not None:
                records = max(0, end - following)
                seconds = max(0.0, (now_ms - self._last_ms[partition]) / 1000) if records else 0.0
                yield Lag(partition, records, seconds)

    def is_stuck(self, lags: Iterable[Lag]) -> bool:
        if not any(lag.records for lag in lags):
            self._moved_at = self._clock()
        return self._clock() - self._moved_at > STUCK_SECONDS
