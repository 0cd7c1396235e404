"""Takes a batch of records into the ledger: read, set aside what cannot be read, store the rest, in as many pieces as it
takes.

A piece is told only once its dead letters are acknowledged and its transaction has committed. While Kafka or the database
is away the batch waits; it loses and sets aside nothing (I3, I5).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import TypeVar

from aiokafka import TopicPartition
from msgspec import Struct, structs
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Address, Answer, Arrival, Canary, DeadLettered, Deferred, RawRecord
from alerts.errors import Unavailable, safe_traceback
from alerts.ledger.intake.batch import FEW, Report, ingest_batch
from alerts.ledger.intake.blame import is_about_the_data
from alerts.policy import Policy
from consumers.intake.dead_letters import DeadLetters, RejectedRecord
from consumers.intake.halving import in_pieces, within
from consumers.intake.record import Record, not_storable, place_of, read_record, size_of
from consumers.kafka.producer import RecordRefused
from consumers.loop import FIRST_WAIT, LONGEST_WAIT, wait_or_stop
from consumers.sources.catalogue import Catalogue

logger = logging.getLogger(__name__)

USUAL_RECORD = 1_000
"""Bytes of a record, on average, up to which few are read sooner than a thread has its turn."""

LARGEST_BATCH = 16 * 1024 * 1024
"""Bytes of keys and values, as they are after decompression. One statement carries what is stored of a batch."""

T = TypeVar("T")
RecordPlace = tuple[str, int, int]


class Taken(Struct, frozen=True):
    """A piece of a batch that is in the ledger now."""

    arrivals: Sequence[Arrival]
    report: Report


class Intake:
    """`take` is one batch; several may be in hand. `on_refused` hears of each partition whose dead letter was refused."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        policy: Policy,
        catalogue: Catalogue,
        dead_letters: DeadLetters,
        on_refused: Callable[[Address, RecordRefused], None],
    ) -> None:
        self.engine = engine
        self.policy = policy
        self.catalogue = catalogue
        self.dead_letters = dead_letters
        self.on_refused = on_refused
        self.kept: dict[RecordPlace, Address] = {}  # dead letters that are acknowledged, and not yet in the ledger
        self._is_anew = False
        self._in_hand = 0

    def forget(self) -> None:
        """The partitions were dealt anew, so others may set the same records aside. Batches in hand still end."""
        self._is_anew = True

    async def take(self, records: Sequence[Record], now: datetime, stop: asyncio.Event) -> AsyncGenerator[Taken, None]:
        """Each piece as it is taken in: all of it, but for partitions that stopped, or after `stop`."""
        if self._is_anew and not self._in_hand:
            self.kept.clear()
            self._is_anew = False
        self._in_hand += 1
        try:
            async for taken in self._take_pieces(records, now, stop):
                yield taken
        finally:
            self._in_hand -= 1

    async def _take_pieces(
        self, records: Sequence[Record], now: datetime, stop: asyncio.Event
    ) -> AsyncGenerator[Taken, None]:
        start = 0
        stopped: set[TopicPartition] = set()
        for count in within([size_of(record) for record in records], LARGEST_BATCH):
            batch = records[start : start + count]
            if stopped:
                batch = [each for each in batch if _partition(each) not in stopped]
            start += count
            # Many in a thread: two thousand take longer than heartbeats, and the batches beside this one, should wait.
            reading = partial(_read, batch, self.catalogue, now)
            readings = reading() if _are_read_quickly(batch) else await asyncio.to_thread(reading)
            if self.policy.keep_raw_days is not None:
                readings = [_with_raw(reading, record) for reading, record in zip(readings, batch, strict=True)]
            async for taken in _Batch(self, batch, readings, stop, stopped).take():
                yield taken
            if stop.is_set():
                return


class _Batch:
    """Records that go together. A partition in `stopped` takes no further part in this batch."""

    def __init__(
        self,
        intake: Intake,
        records: Sequence[Record],
        readings: Sequence[Arrival],
        stop: asyncio.Event,
        stopped: set[TopicPartition],
    ) -> None:
        self._intake = intake
        self._stop = stop
        self._stopped = stopped
        self._wait, self._waits_for = FIRST_WAIT, ""  # seconds, and what is away: logged once
        self._records = records
        self._readings = readings

    @cached_property
    def _by_place(self) -> dict[RecordPlace, Record]:
        return {(each.topic, each.partition, each.offset): each for each in self._records}

    async def take(self) -> AsyncGenerator[Taken, None]:
        arrivals = await self._until_available(self._set_aside, self._readings)
        pieces = in_pieces(arrivals or [], self._store, wait=self._may_go_on, without_first=self._without_first)
        async for piece, report in pieces:
            self._wait, self._waits_for = FIRST_WAIT, ""
            for place in map(_place, piece) if self._intake.kept else ():
                self._intake.kept.pop(place, None)
            yield Taken(piece, report)

    async def _store(self, arrivals: Sequence[Arrival]) -> Report:
        shared = self._intake.catalogue.shared_sources
        return await ingest_batch(self._intake.engine, arrivals, self._intake.policy, shared_sources=shared)

    async def _set_aside(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        """With all dead letters acknowledged. A refused one stops its partition there, losing nothing."""
        kept = self._intake.kept
        letters = [each for each in arrivals if type(each) is DeadLettered]
        if not letters:
            return arrivals
        todo = [each for each in letters if _place(each) not in kept]
        outcomes = await self._intake.dead_letters.set_aside(
            [RejectedRecord(self._by_place[_place(each)], each) for each in todo]
        )
        away = None
        for each, outcome in zip(todo, outcomes, strict=True):
            if isinstance(outcome, Address):
                kept[_place(each)] = outcome
            elif isinstance(outcome, Unavailable):
                away = outcome
            elif _partition(each.address) not in self._stopped:
                self._stopped.add(_partition(each.address))
                self._intake.on_refused(each.address, outcome)
        if away is not None:
            raise away
        return [_with_its_letter(each, kept) for each in self._up_to_refused(arrivals, kept)]

    def _up_to_refused(self, arrivals: Sequence[Arrival], kept: dict[RecordPlace, Address]) -> Sequence[Arrival]:
        """Without those that come in their partition behind a dead letter that was refused, and without that one."""
        behind: set[TopicPartition] = set()
        before = []
        for each in arrivals:
            if isinstance(each, DeadLettered) and _place(each) not in kept:
                behind.add(_partition(each.address))
            if _partition(each.address) not in behind:
                before.append(each)
        return before

    async def _without_first(self, left: Sequence[Arrival], error: Exception) -> Sequence[Arrival]:
        """One answer that cannot be stored is set aside; what fails without being an answer is a fault of ours."""
        first = left[0].answer if isinstance(left[0], Canary) else left[0]
        if not isinstance(first, Answer | Deferred) or not is_about_the_data(error):
            raise error
        source = first.source if isinstance(first, Deferred) else first.response.source
        logger.error("record %s cannot be stored and is set aside: %s", place_of(first.address), safe_traceback(error))
        aside: Sequence[Arrival] = [not_storable(first.address, source), *left[1:]]
        return await self._until_available(self._set_aside, aside) or []

    async def _until_available(
        self, step: Callable[[Sequence[Arrival]], Awaitable[T]], arrivals: Sequence[Arrival]
    ) -> T | None:
        """What `step` gives, however long Kafka is away; None when stopped meanwhile."""
        while True:
            try:
                return await step(arrivals)
            except Unavailable as error:
                if not await self._may_go_on(error):
                    return None

    async def _may_go_on(self, error: Unavailable) -> bool:
        """Waits a while, longer each time; False when we are to stop."""
        if str(error) != self._waits_for:
            logger.warning("the batch in hand waits: %s", error)
        self._waits_for = str(error)
        await wait_or_stop(self._stop, self._wait)
        self._wait = min(LONGEST_WAIT, 2 * self._wait)
        return not self._stop.is_set()


def _are_read_quickly(records: Sequence[Record]) -> bool:
    return len(records) < FEW and sum(map(size_of, records)) < FEW * USUAL_RECORD


def _read(records: Sequence[Record], catalogue: Catalogue, now: datetime) -> list[Arrival]:
    return [read_record(record, catalogue, now) for record in records]


def _with_its_letter(arrival: Arrival, kept: dict[RecordPlace, Address]) -> Arrival:
    return structs.replace(arrival, kept_at=kept[_place(arrival)]) if isinstance(arrival, DeadLettered) else arrival


def _with_raw(arrival: Arrival, record: Record) -> Arrival:
    if not isinstance(arrival, Answer) or record.value is None:
        return arrival
    return structs.replace(arrival, raw=RawRecord(record.key, record.value, record.headers))


def _place(arrival: Arrival) -> RecordPlace:
    return arrival.address.topic, arrival.address.partition, arrival.address.offset


def _partition(place: Record | Address) -> TopicPartition:
    return TopicPartition(place.topic, place.partition)
