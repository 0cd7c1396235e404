"""Tells how far behind the consumer is, also while it waits, and notices a client that has silently stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from consumers.intake.progress import IntakeProgress

WATCH_SECONDS = 2.0
ASK_SECONDS = 5.0


class LagListener(Protocol):
    def lag(self, topic: str, partition: int, records: int, seconds: float) -> None: ...


class LagWatch:
    """Beside the loop that polls, and never in its way. `stopped` partitions lag, and are no sign of a stuck client."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        progress: IntakeProgress,
        listener: LagListener,
        stopped: Callable[[], Iterable[TopicPartition]],
    ) -> None:
        self._consumer = consumer
        self._progress = progress
        self._listener = listener
        self._stopped = stopped
        self._ends: dict[TopicPartition, int] = {}
        self.is_stuck = False
        self.is_settled = False  # between giving up partitions and getting others, nothing is ours to tell

    async def run_once(self) -> bool:
        assigned: frozenset[TopicPartition] = self._consumer.assignment()
        if not self._is_ours(assigned):
            return False
        found = await asyncio.gather(*(self._position(each) for each in assigned))
        is_answered = await self._ask_ends(assigned)
        if not self._is_ours(assigned):  # it may have changed meanwhile
            return False
        lags = self._progress.lags(dict(zip(assigned, found, strict=True)), self._ends)
        for lag in lags:
            self._listener.lag(lag.partition.topic, lag.partition.partition, lag.records, lag.seconds)
        stopped = frozenset(self._stopped())
        running = [lag for lag in lags if lag.partition not in stopped]
        self.is_stuck = is_answered and self._progress.is_stuck(running)
        return False

    def _is_ours(self, assigned: frozenset[TopicPartition]) -> bool:
        return self.is_settled and self._consumer.assignment() == assigned != frozenset()

    async def _position(self, partition: TopicPartition) -> int:
        """The next offset to be polled. A client that hangs may not know it; then what the group has committed."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                position: int = await self._consumer.position(partition)
                return position
        except (KafkaError, TimeoutError):
            return await self._committed(partition)

    async def _committed(self, partition: TopicPartition) -> int:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                committed: int | None = await self._consumer.committed(partition)
                return 0 if committed is None else committed
        except (KafkaError, TimeoutError):
            return 0

    async def _ask_ends(self, assigned: Iterable[TopicPartition]) -> bool:
        """The last stable offsets: what is behind them nobody may read yet. While Kafka is away the last known stay."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                self._ends |= await self._consumer.end_offsets(assigned)
        except (KafkaError, TimeoutError):
            return False
        return True
