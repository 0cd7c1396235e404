"""Batches in hand at the same time: while the database writes one, another is read. No partition is in two of them, so
the records of each are taken in in their order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from aiokafka import TopicPartition

LANES = 3
"""More gained nothing where it was measured, and each has a batch in memory and a connection."""


class Lanes:
    """`start` puts a batch in hand. What one fails with is raised by the next who waits."""

    def __init__(self, most: int = LANES) -> None:
        self._most = most
        self._running: dict[asyncio.Task[Any], frozenset[TopicPartition]] = {}
        self._last_started = 0.0

    @property
    def is_empty(self) -> bool:
        return not self._running

    @property
    def is_full(self) -> bool:
        return len(self._running) >= self._most

    @property
    def partitions(self) -> frozenset[TopicPartition]:
        """Those of which records are in hand."""
        return frozenset().union(*self._running.values())

    def start(
        self,
        partitions: Iterable[TopicPartition],
        batch: Coroutine[Any, Any, Any],
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """`then` is called when it has ended."""
        task = asyncio.create_task(batch)
        task.add_done_callback(lambda _: then())
        self._running[task] = frozenset(partitions)
        self._last_started = time.monotonic()

    def last_for(self) -> float:
        """Seconds since the last one was put in hand."""
        return time.monotonic() - self._last_started

    def let_go(self) -> None:
        """Of those that ended well. One that failed keeps its partitions, lest what comes behind it be taken in first."""
        for task in [task for task in self._running if task.done() and not task.cancelled() and not task.exception()]:
            del self._running[task]

    def clear_ended(self) -> None:
        """Raises what a batch that has ended failed with; that is told once."""
        for task in [task for task in self._running if task.done()]:
            del self._running[task]
            task.result()

    async def one_ended(self) -> None:
        """Returns when there is one less, or none."""
        if self._running:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        self.clear_ended()

    async def are_empty(self, *, within: float) -> bool:
        """Whether all have ended, after so many seconds at most. Raises nothing."""
        if self._running:
            await asyncio.wait(self._running, timeout=within)
        return all(task.done() for task in self._running)

    async def all_ended(self) -> None:
        """Waits for every one, and only then raises what the first of those that failed has failed with."""
        if self._running:
            await asyncio.wait(self._running)
        ended, self._running = list(self._running), {}
        for failure in [failure for task in ended if (failure := task.exception()) is not None]:
            raise failure
