"""What was polled and is in no batch yet, so that the client fetches on while batches are in hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from aiokafka import TopicPartition

from consumers.intake.record import Record, size_of

AHEAD = 100
"""Records of a partition. When more wait, batches are large, and nobody would gain by another poll before their turn."""

AHEAD_BYTES = AHEAD * 1_000


class Backlog:
    """Each partition's records in the order of their offsets, without a gap to what was taken of it before."""

    def __init__(self, most: int) -> None:
        self._most = most  # records that one batch may have
        self._waiting: dict[TopicPartition, list[Record]] = {}
        self._of_many: set[TopicPartition] = set()  # those whose last batch was large

    def __contains__(self, partition: TopicPartition) -> bool:
        return partition in self._waiting

    def add(self, polled: Mapping[TopicPartition, Sequence[Record]]) -> None:
        for partition, records in polled.items():
            self._waiting.setdefault(partition, []).extend(records)

    def has_room(self, partition: TopicPartition) -> bool:
        """Whether more of it should be polled while its turn has not come. Not behind a large batch: the client has more
        there than we would keep, and the next one should be as large.
        """
        waiting = self._waiting.get(partition, ())
        is_small = partition not in self._of_many and len(waiting) < AHEAD and sum(map(size_of, waiting)) < AHEAD_BYTES
        return is_small and sum(map(len, self._waiting.values())) < self._most

    def free(self, busy: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """How many records wait of each partition that is not `busy`."""
        return {partition: len(records) for partition, records in self._waiting.items() if partition not in busy}

    def draw(self, busy: Collection[TopicPartition]) -> dict[TopicPartition, list[Record]]:
        """The next batch: all that waits of partitions that are not `busy`, until it has as many as one may have."""
        batch: dict[TopicPartition, list[Record]] = {}
        count = 0
        for partition, waiting in self.free(busy).items():
            if count >= self._most:
                break
            batch[partition] = self._waiting.pop(partition)
            count += waiting
        self._of_many = self._of_many | batch.keys() if count >= AHEAD else self._of_many - batch.keys()
        return batch

    def forget(self, partitions: Iterable[TopicPartition] | None = None) -> list[TopicPartition]:
        """They will be polled again. All of them, or these; says of which there were any."""
        wanted = list(self._waiting) if partitions is None else list(partitions)
        return [each for each in wanted if self._waiting.pop(each, None) is not None]
