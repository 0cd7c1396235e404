"""Writes a whole batch in one transaction: answers, callbacks opened or joined, history, outbox, accounts.

The order of the locks is: partitions' accounts, customers (those with an id of their own, then those known by phone or
e-mail), callbacks; each in the order of their keys. Whoever holds a customer is the only one to open, join or supersede
that customer's callbacks, so the pure moves decide on facts that cannot change under them. Should a unique index still
object, nothing is written and the batch is taken in anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.callback import Moved
from alerts.ledger.accounting import Partition, Seen, account, lock_accounts, move_accounts
from alerts.ledger.customers import Known, meet
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.json_rows import insert_rows
from alerts.ledger.moves import store_moves, store_new
from alerts.ledger.queue import ensure_queues
from alerts.ledger.raising import BatchCallbacks
from alerts.ledger.responses import (
    Identity,
    NewResponse,
    Revision,
    insert_alerts,
    insert_responses,
    known_events,
    newest_revisions,
)
from alerts.ledger.tables import dead_letters
from alerts.outcomes import Answer, Arrival, Passed, RecordOutcome, SetAside
from alerts.policy import Policy
from alerts.scale import Box, box_of
from alerts.scoring import points_of
from alerts.survey import SurveyResponse

TRIES = 5


class Raised(Struct, frozen=True):
    """An alert that this batch raised, for the latency metrics."""

    source: str
    recorded_at: datetime
    answered_at: datetime


class Report(Struct, frozen=True, kw_only=True):
    """What a batch came to; true only once its transaction has committed."""

    outcomes: Counter[tuple[str, RecordOutcome]] = field(default_factory=Counter)  # by topic
    seen_again: Counter[str] = field(default_factory=Counter)  # by topic
    responses: Counter[tuple[str, Box]] = field(default_factory=Counter)  # by source
    moved: list[Moved] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    dead_letters: Counter[str] = field(default_factory=Counter)  # by reason, those that are new
    new_epochs: list[Partition] = field(default_factory=list)


async def take_in(
    engine: AsyncEngine, batch: Sequence[Arrival], policy: Policy, *, shared_sources: frozenset[str] = frozenset()
) -> Report:
    """Takes in `batch`, in offset order within each partition. Raises Unavailable; then nothing was written."""
    for again in range(TRIES):
        try:
            async with transaction(engine) as connection:
                return await _Intake(connection, policy, shared_sources).take(batch)
        except exc.IntegrityError:
            if again == TRIES - 1:
                raise
    raise AssertionError("unreachable")


class _Intake:
    """One batch in one transaction: reads everything, decides in memory in the records' order, then writes."""

    def __init__(self, connection: AsyncConnection, policy: Policy, shared_sources: frozenset[str]) -> None:
        self.connection = connection
        self.policy = policy
        self.shared_sources = shared_sources
        self.report = Report()
        self.new: list[NewResponse] = []
        self.ends: dict[Partition, list[Seen]] = {}

    async def take(self, batch: Sequence[Arrival]) -> Report:
        first_offsets: dict[Partition, int] = {}
        for each in batch:
            first_offsets.setdefault((each.address.topic, each.address.partition), each.address.offset)
        accounts = await lock_accounts(self.connection, first_offsets)
        answers = [each for each in batch if isinstance(each, Answer)]
        callbacks_of = await self._judge(batch, answers)
        await self._write(callbacks_of)
        await self._index_dead_letters([each for each in batch if isinstance(each, SetAside)])
        moved_accounts = []
        for partition, row in accounts.items():
            after, is_new_epoch = account(row, self.ends[partition])
            self._count(partition, row.next_offset, is_new_epoch)
            moved_accounts.append(after)
        await move_accounts(self.connection, moved_accounts)
        return self.report

    async def _judge(self, batch: Sequence[Arrival], answers: Sequence[Answer]) -> BatchCallbacks:
        now = await ledger_now(self.connection)
        known: list[Known] = []
        events: dict[Identity, tuple[bytes, bytes]] = {}
        revisions: dict[Identity, Revision] = {}
        if answers:
            people = [answer.response for answer in answers]
            known = await meet(self.connection, people, shared_sources=self.shared_sources, now=now)
            events = await known_events(self.connection, answers)
            revisions = await newest_revisions(self.connection, answers)
            now = await ledger_now(self.connection)
        customers = dict(zip(map(id, answers), known, strict=True))
        found = BatchCallbacks(self.connection, self.policy, now)
        for each in batch:
            if isinstance(each, Answer):
                outcome, effect = self._answer(each, customers[id(each)], events, revisions, found, now)
            elif isinstance(each, Passed):
                outcome, effect = each.outcome, False
            else:
                outcome, effect = RecordOutcome.DEAD_LETTERED, False
            partition = (each.address.topic, each.address.partition)
            self.ends.setdefault(partition, []).append(Seen(each.address.offset, outcome, effect))
        return found

    def _answer(
        self,
        answer: Answer,
        customer: Known,
        events: dict[Identity, tuple[bytes, bytes]],
        revisions: dict[Identity, Revision],
        found: BatchCallbacks,
        now: datetime,
    ) -> tuple[RecordOutcome, bool]:
        """The outcome of one answer, and whether it writes anything."""
        response = answer.response
        before = events.get((response.event_source, response.event_id))
        if before is not None:
            is_same = answer.value_hash == before[0] or answer.content_hash == before[1]
            return (RecordOutcome.DUPLICATE if is_same else RecordOutcome.CONFLICT), False
        if customer.erased_at is not None:
            return RecordOutcome.SUPPRESSED, False
        events[response.event_source, response.event_id] = (answer.value_hash, answer.content_hash)
        points = points_of(response, self.policy)
        box = box_of(points)
        identity = (response.event_source, response.response_id)
        revision = Revision(response.revised_at, response.event_id, box)
        newest = revisions.get(identity)
        suppressed = None
        if newest is not None and revision < newest:
            outcome = RecordOutcome.STALE
        else:
            revisions[identity] = revision
            suppressed = self._suppressed(response, customer, now) if box is Box.BOTTOM else None
            if suppressed is not None:
                outcome = RecordOutcome.SUPPRESSED
            elif box is Box.BOTTOM:
                outcome = RecordOutcome.BOTTOM_BOX
                found.bad.append((answer, customer))
            else:
                outcome = RecordOutcome.NOT_BOTTOM_BOX
                if newest is not None and newest.box == Box.BOTTOM:
                    found.bad.append((answer, customer))
        self.new.append(
            NewResponse(
                answer=answer,
                customer_id=customer.id,
                points=points,
                box=box,
                outcome=outcome,
                suppressed=suppressed,
            )
        )
        return outcome, True

    def _suppressed(self, response: SurveyResponse, customer: Known, now: datetime) -> str | None:
        if customer.opted_out_at is not None:
            return "opted_out"
        oldest = self.policy.oldest_answer_hours
        if oldest is not None and response.answered_at < now - timedelta(hours=oldest):
            return "too_old"
        return None

    async def _write(self, found: BatchCallbacks) -> None:
        if found.bad:
            await found.decide()  # before these answers are stored, or each would be its own customer's last one
        ids = await insert_responses(self.connection, self.new)
        for each in self.new:
            self.report.responses[each.answer.response.source, each.box] += 1
        if not found.bad:
            return
        await store_moves(self.connection, found.changed())
        await ensure_queues(self.connection, sorted({moved.callback.queue for moved in found.opened()}))
        await store_new(self.connection, found.opened())
        await insert_alerts(
            self.connection,
            [
                {
                    "response_id": ids[response.event_source, response.event_id],
                    "callback_id": callback_id,
                    "raised_at": found.now,
                    "severity": verdict.severity,
                    "reasons": verdict.reasons,
                }
                for response, verdict, callback_id in found.raised
            ],
        )
        self.report.moved.extend([*found.changed(), *found.opened()])
        addresses = {id(answer.response): answer.address for answer, _ in found.bad}
        self.report.raised.extend(
            Raised(response.source, addresses[id(response)].timestamp, response.answered_at)
            for response, _, _ in found.raised
        )

    async def _index_dead_letters(self, aside: Sequence[SetAside]) -> None:
        rows = [
            {
                "topic": each.address.topic,
                "partition": each.address.partition,
                "offset": each.address.offset,
                "recorded_at": each.address.timestamp,
                "reason": each.reason,
                "field": each.field,
                "detail": each.detail,
                "source": each.source,
                "dead_topic": each.kept_at and each.kept_at.topic,
                "dead_partition": each.kept_at and each.kept_at.partition,
                "dead_offset": each.kept_at and each.kept_at.offset,
            }
            for each in aside
        ]
        done = await insert_rows(self.connection, dead_letters, rows, "ON CONFLICT DO NOTHING RETURNING reason")
        if done is not None:
            self.report.dead_letters.update(row.reason for row in done)

    def _count(self, partition: Partition, next_offset: int, is_new_epoch: bool) -> None:
        topic = partition[0]
        if is_new_epoch:
            self.report.new_epochs.append(partition)
        for seen in self.ends[partition]:
            if seen.offset < next_offset and not is_new_epoch:
                self.report.seen_again[topic] += 1
            else:
                self.report.outcomes[topic, seen.outcome] += 1
