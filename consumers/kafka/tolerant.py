"""Reads what Kafka's client cannot: a record that breaks the format costs itself, a damaged batch its own partition.

aiokafka raises out of its poll for all partitions at once, the records of the others included, and again at every
poll. Its own reading stays the way of every good batch; ours (`consumers.kafka.torn`) takes over where it gives up.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.memory_records import MemoryRecords

from consumers.kafka.torn import MAGIC_AT, Torn, records_of

_SIZE = struct.Struct(">qi")  # base offset, and the length of what follows
_SHORTEST = 14  # bytes behind the length, of the oldest format


class Damaged(str):
    """Stands as `checksum` of what is no record: from its offset on the partition cannot be read now. Says why."""

    __slots__ = ()


def read_tolerantly() -> None:
    """From now on, for all consumers of this process: aiokafka lets nobody choose how a consumer reads."""
    fetcher.MemoryRecords = TolerantRecords
    fetcher.PartitionRecords = TolerantPartition


class TolerantRecords:
    """The batches of one answer to a fetch, in the place of aiokafka's MemoryRecords."""

    def __init__(self, fetched: bytes) -> None:
        self._fetched, self._at = fetched, 0

    def size_in_bytes(self) -> int:
        return len(self._fetched)

    def has_next(self) -> bool:
        """The last batch of an answer may be cut off; it comes again."""
        return self._end() <= len(self._fetched)

    def next_batch(self) -> TolerantBatch:
        start, self._at = self._at, self._end()
        if self._at < start + _SIZE.size + _SHORTEST:
            raise CorruptRecordException("a batch is shorter than any can be")
        whole = self._fetched[start : self._at]
        return TolerantBatch(MemoryRecords(whole).next_batch(), whole)

    def _end(self) -> int:
        if len(self._fetched) - self._at < _SIZE.size:
            return len(self._fetched) + 1
        _, length = _SIZE.unpack_from(self._fetched, self._at)
        return self._at + _SIZE.size + int(length)


class TolerantBatch:
    """aiokafka's batch, and where its reading ends too early, ours of the rest."""

    def __init__(self, batch: Any, whole: bytes) -> None:
        self._batch, self._whole = batch, whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)  # asked of control batches only

    def __iter__(self) -> Iterator[Any]:
        last = self._batch.base_offset - 1
        try:
            for record in self._batch:
                last = record.offset
                yield record
        except UnsupportedCodecError:
            raise
        except Exception:
            if self._whole[MAGIC_AT] < 2:  # of the oldest formats nothing is kept but by aiokafka's own reading
                raise
            yield from (record for record in records_of(self._whole) if record.offset > last)


class TolerantPartition(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """One partition's share of a fetch. What it cannot give ends it; standing at the beginning, it says `Damaged`.

    It raises nothing: records of other partitions that the same poll has taken would be lost with the error.
    """

    _has_given = False

    def __next__(self) -> ConsumerRecord[Any, Any]:
        try:
            record: ConsumerRecord[Any, Any] = super().__next__()
        except StopIteration:
            raise
        except Exception as error:  # noqa: BLE001 - told as what it means: this partition cannot be read here
            self._records_iterator = iter(())
            if self._has_given:
                raise StopIteration from None  # the next fetch begins at the damage
            record = self._damaged(error)
        self._has_given = True
        return record

    def _damaged(self, error: Exception) -> ConsumerRecord[Any, Any]:
        topic, partition = self._tp
        why = Damaged(type(error).__name__)
        return ConsumerRecord(topic, partition, self.next_fetch_offset, -1, 0, None, None, why, -1, -1, ())


def damage(polled: ConsumerRecord[Any, Any]) -> str | None:
    """Why the partition cannot be read from this offset on; None for a record."""
    return polled.checksum if isinstance(polled.checksum, Damaged) else None


def is_torn(polled: ConsumerRecord[Any, Any]) -> bool:
    """Whether the value is all that is left of a record, or of several, that broke the format."""
    return isinstance(polled.checksum, Torn)
