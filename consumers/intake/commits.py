"""Commits offsets beside the batches: the latest of each partition, in one request at a time.

A partition's next batch need not wait for it. The committed offset is behind the ledger for a moment longer, never ahead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from alerts.arrival import Address

logger = logging.getLogger(__name__)

COMMIT_SECONDS = 10.0


class OffsetCommits:
    """Of one client. `note` what is in the ledger; `on_failed` hears of each request that failed."""

    def __init__(self, consumer: AIOKafkaConsumer, on_failed: Callable[[], None]) -> None:
        self._consumer = consumer
        self._on_failed = on_failed
        self._due: dict[TopicPartition, int] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, last: Mapping[TopicPartition, Address]) -> None:
        """The last record of each partition that is in the ledger: the next one's offset is to be committed."""
        self._due |= {partition: address.offset + 1 for partition, address in last.items()}
        if self._task is not None and self._task.done():
            self._task.result()  # raises what nobody expected, once
            self._task = None
        if self._task is None:
            self._task = asyncio.create_task(self._commit_all())

    def forget(self) -> None:
        """Partitions were dealt anew: somebody else may have come further."""
        self._due.clear()

    async def are_done(self, *, within: float) -> bool:
        """Whether all that was noted is committed, or has failed to be, after so many seconds at most."""
        if self._task is None:
            return True
        await asyncio.wait([self._task], timeout=within)
        return self._task.done()

    async def _commit_all(self) -> None:
        while self._due:
            due, self._due = self._due, {}
            await self._commit(due)

    async def _commit(self, due: Mapping[TopicPartition, int]) -> None:
        """Of partitions that are still ours. A failed commit is harmless: the ledger knows the records."""
        assigned = self._consumer.assignment()
        ours = {partition: offset for partition, offset in due.items() if partition in assigned}
        if not ours:
            return
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._consumer.commit(ours)
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            logger.warning("offsets were not committed (%s); the records may come again", type(error).__name__)
            self._on_failed()
