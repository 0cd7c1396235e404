"""Reads survey answers from Kafka and hands each batch to the ledger; only then the next offsets are committed.

poll -> read each record -> dead letters out and acknowledged -> each piece in one transaction -> commit its offsets.
Several batches may be on this way at once, each of other partitions (`consumers.intake.lanes`); while they are small what
comes next is polled already (`consumers.intake.backlog`).
The committed offset is never ahead of the ledger (I3); a record that comes twice changes nothing (I2). While the
database is away the batch in hand is tried again and nothing is lost or dead-lettered (I5).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import (
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Address, Arrival
from alerts.errors import Unavailable, safe_traceback
from alerts.ledger.intake.batch import FEW, Report
from alerts.log_fields import about
from alerts.policy import Policy
from consumers.intake.backlog import AHEAD, Backlog
from consumers.intake.batch import Intake, Taken
from consumers.intake.commits import COMMIT_SECONDS, OffsetCommits
from consumers.intake.dead_letters import DeadLetters
from consumers.intake.lanes import Lanes
from consumers.intake.polled import records_of
from consumers.intake.progress import IntakeProgress
from consumers.intake.record import Record
from consumers.intake.watch import WATCH_SECONDS, LagWatch
from consumers.journal import tell_report
from consumers.kafka.access import KafkaAccess
from consumers.kafka.producer import CLOSE_SECONDS, RecordRefused
from consumers.kafka.tolerant import damage, read_tolerantly
from consumers.loop import LONGEST_WAIT, run_periodically, wait_or_stop
from consumers.sources.catalogue import Catalogue

logger = logging.getLogger(__name__)

BATCH = 2000
FETCH_BYTES = 512 * 1024  # of a partition at once; 1 MiB was no faster, and 15 MiB more lay in memory
POLL_MS = 500
POLL_BESIDE_MS = 20  # while batches are in hand: one of theirs may be the next to have records
HOLD_SECONDS = 0.05  # so long few records wait for the batch in hand; a small one has ended long before
LOOK_FOR_TOPICS_SECONDS = 15.0
RETRY_STOPPED_SECONDS = 30.0


class Observer(Protocol):
    """Who wants to know what the consumer does; the metrics do."""

    def batch(self, report: Report, committed_at: datetime) -> None: ...
    def lag(self, topic: str, partition: int, records: int, seconds: float) -> None: ...
    def forget(self, partitions: Iterable[tuple[str, int]]) -> None: ...
    def missing(self, topics: Iterable[str]) -> None: ...
    def stopped(self, topic: str, partition: int, why: str) -> None: ...
    def resumed(self, topic: str, partition: int) -> None: ...
    def commit_failed(self) -> None: ...


class SurveyConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One member of the consumer group. `run` until the stop event; `run_once` is one turn of it."""

    def __init__(
        self,
        *,
        access: KafkaAccess,
        topics: Sequence[str],
        group: str,
        engine: AsyncEngine,
        policy: Policy,
        catalogue: Catalogue,
        dead_letters: DeadLetters,
        observer: Observer,
    ) -> None:
        self._access = access
        self._topics = tuple(dict.fromkeys(topics))
        self._group = group
        self._intake = Intake(
            engine=engine,
            policy=policy,
            catalogue=catalogue,
            dead_letters=dead_letters,
            on_refused=self._on_refused,
        )
        self._observer = observer
        self._consumer: AIOKafkaConsumer = None
        self._watch: LagWatch | None = None
        self._watching: asyncio.Task[None] | None = None
        self._unwatched = asyncio.Event()  # ends the watching
        self._subscribed: frozenset[str] = frozenset()
        self._topics_seen_at = 0.0
        self._missing: frozenset[str] = frozenset()
        self._stopped: dict[TopicPartition, float] = {}  # partition -> when to try again
        self._joined = False
        self._lanes = Lanes()
        self._backlog = Backlog(BATCH)
        self._commits: OffsetCommits | None = None
        self._progress = IntakeProgress(time.monotonic, _now)

    @property
    def has_joined(self) -> bool:
        """Whether the group has given us our share, be it nothing: a spare member is ready too."""
        return self._joined

    async def run(self, stop: asyncio.Event) -> None:
        """Reads until `stop`; after trouble with Kafka the client is built anew. Ends with offsets committed."""
        while not stop.is_set():
            try:
                await self._open()
                while not stop.is_set():
                    await self.run_once(stop)
            except (KafkaError, OSError, Unavailable) as error:
                logger.warning("the survey consumer starts anew: %s", type(error).__name__)
                await wait_or_stop(stop, 1.0)
            except Exception as error:  # noqa: BLE001 - a fault of ours; the records stay uncommitted
                logger.error(
                    "the survey consumer failed and starts anew in %.0f s: %s", LONGEST_WAIT, safe_traceback(error)
                )
                await wait_or_stop(stop, LONGEST_WAIT)
            finally:
                await self._end_batches()
                await self._close()

    async def _end_batches(self) -> None:
        """What is in hand ends, as always: in the ledger and committed, or waiting for the stop. Nothing else begins."""
        self._forget_waiting()
        try:
            await self._lanes.all_ended()
        except Exception as error:  # noqa: BLE001 - its records stay uncommitted, and come again
            logger.error("a batch failed while the survey consumer ended: %s", safe_traceback(error))
        if self._commits is not None:
            await self._commits.are_done(within=COMMIT_SECONDS)

    async def run_once(self, stop: asyncio.Event) -> None:
        """Polls where there is room, and begins a batch of what waits, beside those in hand. Raises what one failed with."""
        if not await self._follow_topics():
            await wait_or_stop(stop, 1.0)
            return
        self._lanes.clear_ended()
        if self._watch is not None and not self._watch.is_settled and not self._lanes.is_empty:
            await self._lanes.one_ended()
            return
        await self._read_on()
        self._retry_stopped()
        self._begin_batches(stop)
        if self._lanes.is_empty and self._watch is not None and self._watch.is_stuck:
            raise Unavailable("records are waiting and none comes")

    async def _read_on(self) -> None:
        """Whatever comes first, of partitions in hand too; then all that is there of those that may be next."""
        busy = self._lanes.partitions
        if not busy:
            await self._poll((), wait_ms=POLL_MS, most=BATCH)
            return
        assigned = self._consumer.assignment()
        free = frozenset() if self._lanes.is_full else assigned - busy
        readable = free | {partition for partition in assigned - free if self._backlog.has_room(partition)}
        if not readable:
            await self._lanes.one_ended()
            return
        await self._poll(readable, wait_ms=POLL_BESIDE_MS, most=AHEAD)
        if not self._lanes.is_full and (free := self._consumer.assignment() - self._lanes.partitions):
            await self._poll(free, wait_ms=0, most=BATCH)

    def _begin_batches(self, stop: asyncio.Event) -> None:
        """Of what waits and is free. Few records wait a little for a batch in hand to end, and go together then: each batch
        costs its round trips, and two at once take longer than one."""
        busy = self._lanes.partitions
        waiting = sum(self._backlog.free(busy).values())
        if not waiting or self._lanes.is_full or stop.is_set():
            return
        if self._lanes.is_empty or waiting >= FEW or self._lanes.last_for() > HOLD_SECONDS:
            batch = self._backlog.draw(busy)
            self._lanes.start(batch, self._take_and_let_go(batch, stop), partial(self._go_on, stop))

    def _go_on(self, stop: asyncio.Event) -> None:
        """A batch has ended. What waits follows at once; but where much waits, the next poll adds to it first."""
        self._lanes.let_go()
        if all(map(self._backlog.has_room, self._backlog.free(self._lanes.partitions))):
            self._begin_batches(stop)

    def _forget_waiting(self, partitions: Iterable[TopicPartition] | None = None) -> None:
        """What is in no batch yet will be polled again, by us or by others."""
        self._progress.let_go(set(self._backlog.forget(partitions)) - self._lanes.partitions)

    # -- Kafka's side

    async def _open(self) -> None:
        read_tolerantly()
        self._consumer = AIOKafkaConsumer(
            **self._access.client(),
            group_id=self._group,
            enable_auto_commit=False,  # the default commits records that are still being worked on
            auto_offset_reset="none",  # an offset that is gone stops the partition; it is never skipped in silence
            isolation_level="read_committed",
            fetch_max_wait_ms=self._access.fetch_max_wait_ms,
            max_partition_fetch_bytes=FETCH_BYTES,
            metadata_max_age_ms=int(LOOK_FOR_TOPICS_SECONDS * 1000),  # so soon new partitions are dealt out, and read
            max_poll_interval_ms=24 * 3_600_000,  # a database may be away for long; heartbeats show that we live
            session_timeout_ms=10_000,  # so long a killed consumer's partitions wait for another
            rebalance_timeout_ms=30_000,
        )
        await self._consumer.start()
        self._joined, self._subscribed = False, frozenset()
        self._progress.begin()
        self._watch = LagWatch(self._consumer, self._progress, self._observer, lambda: self._stopped)
        self._unwatched.clear()
        watching = run_periodically(self._watch.run_once, self._unwatched, idle=WATCH_SECONDS, name="lag")
        self._watching = asyncio.create_task(watching)
        self._commits = OffsetCommits(self._consumer, self._observer.commit_failed)

    async def _close(self) -> None:
        """Leaves the group. With all brokers away that may fail, or never end; then they find out by themselves."""
        if self._consumer is None:
            return
        self._unwatched.set()
        if self._watching is not None:
            await self._watching  # bounded: whatever it asks, it asks with a deadline
        consumer, self._consumer = self._consumer, None
        self._stopped.clear()
        self._intake.forget()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await consumer.stop()
        except (KafkaError, OSError, TimeoutError) as error:
            logger.warning("the Kafka client did not close: %s", type(error).__name__)

    async def _follow_topics(self) -> bool:
        """Subscribes to those of our topics that exist; a missing one does not stop the others.

        One that we have no right to see is missing too: Kafka does not tell them apart.
        """
        if time.monotonic() - self._topics_seen_at < LOOK_FOR_TOPICS_SECONDS and self._subscribed:
            return True
        existing = frozenset(self._topics) & await self._consumer.topics()
        self._topics_seen_at = time.monotonic()
        self._tell_missing(frozenset(self._topics) - existing)
        if existing and existing != self._subscribed:
            self._consumer.subscribe(topics=sorted(existing), listener=self)
        self._subscribed = existing  # also when it is none: one that is made anew is subscribed to anew
        return bool(existing)

    def _tell_missing(self, missing: frozenset[str]) -> None:
        self._observer.missing(missing)
        if missing - self._missing:
            names = ", ".join(sorted(missing))
            logger.error("these topics do not exist, or we have no right to see them; the others are read: %s", names)
        if found := self._missing - missing:
            logger.warning("these topics are there now: %s", ", ".join(sorted(found)))
        self._missing = missing

    async def _poll(self, partitions: Collection[TopicPartition], *, wait_ms: int, most: int) -> None:
        """Of these, or of all. What comes waits for its batch from here on, so that no error behind it can lose it."""
        try:
            polled: dict[Any, Any] = await self._consumer.getmany(*partitions, timeout_ms=wait_ms, max_records=most)
        except NoOffsetForPartitionError as error:
            await self._consumer.seek_to_beginning(*error.args)  # a group that is new to it begins at the earliest
        except OffsetOutOfRangeError as error:
            for gone in error.args[0]:
                why = "its committed offset no longer exists; reset the group's offset by hand"
                self._stop_partition(gone, why, retry=False)
        except TopicAuthorizationFailedError as error:
            self._stop_topic(error.args[0], "we have no right to read its topic; give the account READ")
        else:
            records = records_of(self._undamaged(polled))
            self._progress.polled(records)
            self._backlog.add(records)

    def _stop_topic(self, topic: str, why: str) -> None:
        """Each of its partitions that is ours; the client names the topic once for each."""
        for partition in self._consumer.assignment() - self._stopped.keys():
            if partition.topic == topic:
                self._stop_partition(partition, why, retry=True)

    def _undamaged(
        self, polled: dict[TopicPartition, list[ConsumerRecord[Any, Any]]]
    ) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        """Without partitions that cannot be read. The bytes may be right on another replica, or at another time."""
        whole = {partition: records for partition, records in polled.items() if damage(records[0]) is None}
        for partition in polled.keys() - whole.keys():
            [mark] = polled[partition]
            self._stop_partition(partition, f"offset {mark.offset} is damaged ({damage(mark)})", retry=True)
        return whole

    def _stop_partition(self, partition: TopicPartition, why: str, *, retry: bool) -> None:
        logger.error("partition %s-%s is stopped: %s", partition.topic, partition.partition, why)
        self._observer.stopped(partition.topic, partition.partition, why)
        if partition in self._consumer.assignment():
            self._consumer.pause(partition)
        self._stopped[partition] = time.monotonic() + (RETRY_STOPPED_SECONDS if retry else float("inf"))

    def _retry_stopped(self) -> None:
        for partition, moment in list(self._stopped.items()):
            if moment <= time.monotonic():
                del self._stopped[partition]
                if partition in self._consumer.assignment():
                    self._consumer.resume(partition)
                    self._observer.resumed(partition.topic, partition.partition)  # until it fails again

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Lets the batches in hand end and commit, for a while: whoever comes next would only do them again."""
        if self._watch is not None:
            self._watch.is_settled = False
        self._forget_waiting()
        if not await self._lanes.are_empty(within=COMMIT_SECONDS):
            logger.info("a batch is still in hand while its partitions move on; the ledger keeps it single")
        if self._commits is not None and not await self._commits.are_done(within=COMMIT_SECONDS):
            logger.info("offsets are still being committed while their partitions move on; records may come again")
        self._observer.forget((part.topic, part.partition) for part in revoked)
        logger.info("partitions are given back", extra=about(count=len(revoked)))

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self._joined = True
        logger.info("partitions are ours", extra=about(count=len(assigned)))
        self._stopped.clear()
        self._intake.forget()
        self._forget_waiting()
        if self._commits is not None:
            self._commits.forget()
        self._progress.begin()
        if self._watch is not None:
            self._watch.is_settled = True

    # -- one batch

    async def _take_and_let_go(self, batch: Mapping[TopicPartition, Sequence[Record]], stop: asyncio.Event) -> None:
        try:
            await self._take(batch, stop)
        finally:
            self._progress.let_go(part for part in batch if part not in self._backlog)

    async def _take(self, batch: Mapping[TopicPartition, Sequence[Record]], stop: asyncio.Event) -> None:
        """All are taken in, but for partitions that a refused dead letter has stopped, or after a stop."""
        records = [each for given in batch.values() for each in given]
        async with aclosing(self._intake.take(records, _now(), stop)) as pieces:
            async for taken in pieces:
                last = _last_of_each(taken.arrivals)
                self._tell(taken, last)
                if self._commits is not None:
                    self._commits.note(last)

    def _tell(self, taken: Taken, last: Mapping[TopicPartition, Address]) -> None:
        self._progress.taken(last)
        self._observer.batch(taken.report, _now())
        tell_report(taken.report)
        for topic, partition in taken.report.new_epochs:
            logger.error("topic %s-%s was made anew; its account begins again", topic, partition)
        for part in last.keys() - self._stopped.keys():
            self._observer.resumed(part.topic, part.partition)

    def _on_refused(self, address: Address, error: RecordRefused) -> None:
        partition = TopicPartition(address.topic, address.partition)
        self._stop_partition(partition, f"its dead letter was refused: {error}", retry=True)
        if partition in self._consumer.assignment():
            self._consumer.seek(partition, address.offset)
        self._forget_waiting([partition])


def _last_of_each(arrivals: Sequence[Arrival]) -> dict[TopicPartition, Address]:
    last = {(each.address.topic, each.address.partition): each.address for each in arrivals}
    return {TopicPartition(*place): address for place, address in last.items()}


def _now() -> datetime:
    return datetime.now(UTC)
