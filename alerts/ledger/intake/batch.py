"""Writes a whole batch in one transaction: answers, callbacks opened or joined, history, outbox, accounts.

The order of the locks is: partitions' accounts, customers (those with an id of their own, then those known by phone or
e-mail), callbacks; each in the order of their keys. Whoever holds a customer is the only one to open, join or supersede
that customer's callbacks, so the pure decision (`alerts.intake`) is made on facts that cannot change under it. Should a
unique index still object, nothing is written and the batch is taken in anew.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts import canary
from alerts.alert import Alert
from alerts.arrival import Answer, Arrival, Canary, DeadLettered, Deferred, Passed, RecordOutcome
from alerts.callback import Transition
from alerts.case import Effects, Fresh, Revision, ScopedId, answer_identity
from alerts.intake import decide_all, recognise
from alerts.ledger.callbacks.queues import ensure_queues
from alerts.ledger.callbacks.store import store_new, store_transitions
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.ids import new_id
from alerts.ledger.intake.accounts import Partition, RecordEnd, account, lock_accounts, move_accounts
from alerts.ledger.intake.canaries import come_through, tell_apart
from alerts.ledger.intake.cases import days_ago, read_cases
from alerts.ledger.intake.customers import upsert_customers
from alerts.ledger.intake.notices import defer
from alerts.ledger.intake.raw_records import keep_raw
from alerts.ledger.intake.responses import insert_alerts, insert_responses, known_events, newest_revisions
from alerts.ledger.intake.set_aside import index_dead_letters
from alerts.ledger.learning.problems import open_problems
from alerts.members import dropped_members
from alerts.policy import Policy
from alerts.scale import Box
from alerts.scoring import rate

TRIES = 5


class Raised(Struct, frozen=True):
    """An alert that this batch raised, as metrics and log tell of it. `trace`: the id of its trace, if it has one."""

    source: str
    recorded_at: datetime
    answered_at: datetime
    callback_id: str = ""
    event_id: str = ""
    trace: str | None = None


class Report(Struct, frozen=True, kw_only=True):
    """What a batch came to; true only once its transaction has committed."""

    outcomes: Counter[tuple[str, RecordOutcome]] = field(default_factory=Counter)  # by topic
    seen_again: Counter[str] = field(default_factory=Counter)  # by topic
    responses: Counter[tuple[str, Box]] = field(default_factory=Counter)  # by source
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)  # by source and member
    moved: list[Transition] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    dead_letters: Counter[str] = field(default_factory=Counter)  # by reason, those that are new
    unrated: Counter[str] = field(default_factory=Counter)  # by source, answers whose missing rating is passed over
    new_epochs: list[Partition] = field(default_factory=list)
    canaries: list[datetime] = field(default_factory=list)  # of those that could be claimed, the records' timestamps


async def ingest_batch(
    engine: AsyncEngine, batch: Sequence[Arrival], policy: Policy, *, shared_sources: frozenset[str] = frozenset()
) -> Report:
    """Takes in `batch`, in offset order within each partition. Raises Unavailable; then nothing was written."""
    for again in range(TRIES):
        try:
            async with transaction(engine) as connection:
                return await _take(connection, batch, policy, shared_sources)
        except exc.IntegrityError:
            if again == TRIES - 1:
                raise
    raise AssertionError("unreachable")


async def _take(
    connection: AsyncConnection, batch: Sequence[Arrival], policy: Policy, shared_sources: frozenset[str]
) -> Report:
    report = Report()
    accounts = await lock_accounts(connection, _first_offsets(batch))
    batch, canaries = await tell_apart(connection, batch)
    answers = [each for each in batch if isinstance(each, Answer)]
    known = recognise(answers, await known_events(connection, answers) if answers else {})
    fresh = [
        Fresh(each, rate(each.response, policy)) for each, outcome in zip(answers, known, strict=True) if not outcome
    ]
    effects = await _decide(connection, fresh, policy, shared_sources)
    await _write(connection, effects, report)
    aside = [each for each in batch if isinstance(each, DeadLettered)]
    report.dead_letters.update(await index_dead_letters(connection, aside))
    deferred = await defer(connection, [each for each in batch if isinstance(each, Deferred)])
    ends = _ends(batch, known, effects, deferred)
    moved_accounts, fresh_from = [], {}
    for partition, row in accounts.items():
        after, is_new_epoch = account(row, ends[partition])
        _count(report, partition, ends[partition], row.next_offset, is_new_epoch)
        fresh_from[partition] = 0 if is_new_epoch else row.next_offset
        moved_accounts.append(after)
    _count_unrated(report, batch, fresh_from)
    await move_accounts(connection, moved_accounts)
    report.canaries.extend(await _release(connection, _not_seen(canaries, fresh_from)))
    return report


def _not_seen(canaries: Sequence[Canary], fresh_from: Mapping[Partition, int]) -> list[Answer]:
    return [
        each.answer
        for each in canaries
        if each.address.offset >= fresh_from[each.address.topic, each.address.partition]
    ]


async def _release(connection: AsyncConnection, sent: Sequence[Answer]) -> list[datetime]:
    """The timestamps of these records, if each of them became a callback that could be claimed."""

    async def raise_alerts() -> None:
        now = await ledger_now(connection)
        answers = [canary.awake(each, now) for each in sent]
        fresh = [Fresh(each, rate(each.response, canary.POLICY)) for each in answers]
        await _write(connection, await _decide(connection, fresh, canary.POLICY, frozenset()), Report())

    if sent and await come_through(connection, len(sent), raise_alerts):
        return [each.address.timestamp for each in sent]
    return []


async def _decide(
    connection: AsyncConnection, fresh: Sequence[Fresh], policy: Policy, shared_sources: frozenset[str]
) -> Effects:
    """Reads what the decision needs, locking it, and makes it at the moment after the last lock; in a thread, for a batch
    takes longer than others of this process should wait."""
    if not fresh:
        return Effects()
    customers = await upsert_customers(
        connection, [each.answer.response for each in fresh], shared_sources=shared_sources
    )
    newest = await newest_revisions(connection, [each.answer for each in fresh])
    touched = {customer.id for each, customer in zip(fresh, customers, strict=True) if _may_touch(each, newest)}
    since = days_ago(await ledger_now(connection), policy.again.days)
    cases = await read_cases(connection, customers, touched, since=since)
    problems = await open_problems(connection) if touched else []
    now = await ledger_now(connection)
    with_ids = list(zip(fresh, (customer.id for customer in customers), strict=True))
    return await asyncio.to_thread(
        decide_all, with_ids, cases, newest, now=now, policy=policy, new_id=new_id, problems=problems
    )


def _may_touch(fresh: Fresh, newest: Mapping[ScopedId, Revision]) -> bool:
    """Whether this answer may raise an alert or take one back: a bad one, or a revision of one that we have."""
    return fresh.rating.box is Box.BOTTOM or answer_identity(fresh.answer.response) in newest


async def _write(connection: AsyncConnection, effects: Effects, report: Report) -> None:
    kept = [decision for decision in effects.decisions if decision.is_kept]
    ids = await insert_responses(connection, kept)
    await keep_raw(connection, kept, ids)
    for each in kept:
        response = each.answer.response
        report.responses[response.source, each.verdict.box] += 1
        report.dropped.update((response.source, member) for member in dropped_members(response.flags))
    await store_transitions(connection, effects.changed)
    await ensure_queues(connection, sorted({moved.callback.queue for moved in effects.opened}))
    await store_new(connection, effects.opened)
    await insert_alerts(connection, effects.alerts, ids)
    report.moved.extend([*effects.changed, *effects.opened])
    report.raised.extend(_raised(alert) for alert in effects.alerts)


def _raised(alert: Alert) -> Raised:
    answer, response = alert.answer, alert.response
    return Raised(
        source=response.source,
        recorded_at=answer.address.timestamp,
        answered_at=response.answered_at,
        callback_id=alert.callback_id,
        event_id=response.event_id,
        trace=answer.trace,
    )


def _first_offsets(batch: Sequence[Arrival]) -> dict[Partition, int]:
    first: dict[Partition, int] = {}
    for each in batch:
        first.setdefault((each.address.topic, each.address.partition), each.address.offset)
    return first


def _ends(
    batch: Sequence[Arrival],
    known: Sequence[RecordOutcome | None],
    effects: Effects,
    deferred: Collection[tuple[str, int, int]],
) -> dict[Partition, list[RecordEnd]]:
    """Where each record of each partition has ended, in the order in which they came."""
    ends: dict[Partition, list[RecordEnd]] = {}
    outcomes = iter(effects.outcomes(known))
    for each in batch:
        if isinstance(each, Answer):
            outcome, effect = next(outcomes)
        elif isinstance(each, Deferred):
            effect = (each.address.topic, each.address.partition, each.address.offset) in deferred
            outcome = RecordOutcome.DEFERRED if effect else RecordOutcome.DUPLICATE
        else:
            outcome = each.outcome if isinstance(each, Passed) else RecordOutcome.DEAD_LETTERED
            effect = False
        partition = (each.address.topic, each.address.partition)
        ends.setdefault(partition, []).append(RecordEnd(each.address.offset, outcome, effect))
    return ends


def _count(
    report: Report, partition: Partition, ends: Sequence[RecordEnd], next_offset: int, is_new_epoch: bool
) -> None:
    topic = partition[0]
    if is_new_epoch:
        report.new_epochs.append(partition)
    for seen in ends:
        if seen.offset < next_offset and not is_new_epoch:
            report.seen_again[topic] += 1
        else:
            report.outcomes[topic, seen.outcome] += 1


def _count_unrated(report: Report, batch: Sequence[Arrival], fresh_from: Mapping[Partition, int]) -> None:
    """As with all other counts, an offset that comes again is not counted again."""
    for each in batch:
        if isinstance(each, Passed) and each.unrated is not None:
            partition = (each.address.topic, each.address.partition)
            report.unrated[each.unrated] += each.address.offset >= fresh_from[partition]
