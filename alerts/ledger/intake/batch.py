"""Writes a whole batch in one transaction: answers, callbacks opened or joined, history, outbox, accounts.

The order of the locks is: partitions' accounts, customers (those with an id of their own, then those known by phone or
e-mail), callbacks; each in the order of their keys. Whoever holds a customer is the only one to open, join or supersede
that customer's callbacks, so the pure decision (`alerts.intake`) is made on facts that cannot change under it. Should a
unique index still object, as it does to who waited for an account and has missed what its holder stored, nothing is
written and the batch is taken in anew.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg
from msgspec import Struct, field
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts import canary
from alerts.alert import Alert
from alerts.arrival import Answer, Arrival, Canary, DeadLettered, Deferred, Passed, RecordOutcome
from alerts.callback import Transition
from alerts.case import Effects, Fresh, answer_identity
from alerts.intake import decide_all, recognise
from alerts.ledger.callbacks.store import store_transitions
from alerts.ledger.connection.direct import DirectConnection
from alerts.ledger.connection.opening import Connection
from alerts.ledger.database import direct_transaction
from alerts.ledger.ids import new_id
from alerts.ledger.intake.accounts import Partition, RecordEnd, account
from alerts.ledger.intake.beginning import lock_accounts
from alerts.ledger.intake.canaries import come_through, tell_apart
from alerts.ledger.intake.cases import days_ago, lock_open_callbacks, read_cases, take_snapshot
from alerts.ledger.intake.customers import meet_customers
from alerts.ledger.intake.notices import defer
from alerts.ledger.intake.set_aside import index_dead_letters
from alerts.ledger.intake.writing import write_effects
from alerts.members import dropped_members
from alerts.policy import Policy
from alerts.scale import Box
from alerts.scoring import rate

TRIES = 5

FEW = 100
"""Answers of the usual length take less long than handing them to a thread and back, when other threads are at work."""

USUAL_COMMENT = 1_000
"""Characters of a comment, on average, up to which that is so."""


class RaisedAlert(Struct, frozen=True):
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
    raised: list[RaisedAlert] = field(default_factory=list)
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
            async with direct_transaction(engine) as connection:
                return await _ingest(connection, batch, policy, shared_sources)
        except asyncpg.IntegrityConstraintViolationError:
            if again == TRIES - 1:
                raise
    raise AssertionError("unreachable")


async def _ingest(
    connection: DirectConnection, batch: Sequence[Arrival], policy: Policy, shared_sources: frozenset[str]
) -> Report:
    report = Report()
    driver = connection.driver
    beginning = await lock_accounts(driver, batch)
    batch, canaries = await tell_apart(connection, batch)
    kinds: dict[type[Arrival], list[Any]] = {}
    for each in batch:
        kinds.setdefault(type(each), []).append(each)
    answers: list[Answer] = kinds.get(Answer, [])
    known = recognise(answers, beginning.known)
    new = [each for each, outcome in zip(answers, known, strict=True) if outcome is None]
    decided = await _lock_and_decide(driver, new, policy, shared_sources)
    report.dead_letters.update(await index_dead_letters(connection, kinds.get(DeadLettered, [])))
    deferred = await defer(connection, kinds.get(Deferred, []))
    ends = _ends(batch, known, decided.effects, deferred)
    accounts_after, fresh_from = [], {}
    for partition, row in beginning.accounts.items():
        after, is_new_epoch = account(row, ends[partition])
        _count(report, partition, ends[partition], row.next_offset, is_new_epoch)
        fresh_from[partition] = 0 if is_new_epoch else row.next_offset
        accounts_after.append(after)
    _count_unrated(report, kinds.get(Passed, []), fresh_from)
    await store_transitions(connection, decided.effects.changed)
    await write_effects(driver, decided.effects, decided.ids, accounts_after)
    _tell(report, decided.effects)
    report.canaries.extend(await _release(connection, _not_seen(canaries, fresh_from)))
    return report


def _not_seen(canaries: Sequence[Canary], fresh_from: Mapping[Partition, int]) -> list[Answer]:
    return [
        each.answer
        for each in canaries
        if each.address.offset >= fresh_from[each.address.topic, each.address.partition]
    ]


async def _release(connection: DirectConnection, sent: Sequence[Answer]) -> list[datetime]:
    """The timestamps of these records, if each of them became a callback that could be claimed."""

    async def raise_alerts() -> None:
        now = await connection.driver.fetchval("SELECT ledger_now()")
        answers = [canary.awake(each, now) for each in sent]
        decided = await _lock_and_decide(connection.driver, answers, canary.POLICY, frozenset())
        await write_effects(connection.driver, decided.effects, decided.ids, ())

    if sent and await come_through(connection, len(sent), raise_alerts):
        return [each.address.timestamp for each in sent]
    return []


class _Decided(Struct, frozen=True):
    """What new answers come to, and the ids of their rows."""

    effects: Effects = Effects()
    ids: Sequence[int] = ()


async def _lock_and_decide(
    driver: Connection, answers: Sequence[Answer], policy: Policy, shared_sources: frozenset[str]
) -> _Decided:
    """Reads what the decision needs, locking it, and makes it at the moment after the last lock; many in a thread, for they
    take longer than others of this process should wait."""
    if not answers:
        return _Decided()
    fresh = [Fresh(each, rate(each.response, policy)) for each in answers]
    met = await meet_customers(driver, [each.response for each in answers], shared_sources=shared_sources)
    of_customer = [customer.id for customer in met.customers]
    from_before = set(of_customer) - met.made
    open_callbacks = await lock_open_callbacks(driver, from_before)
    is_bad = [each.rating.box is Box.BOTTOM for each in fresh]
    identities = [answer_identity(each.response) for each in answers]
    found = await take_snapshot(driver, identities, any_bad=any(is_bad))
    # Only an answer that is bad, or a revision of one that we have, may raise an alert or take one back.
    touched = {
        id_ for id_, bad, answer in zip(of_customer, is_bad, identities, strict=True) if bad or answer in found.newest
    }
    since = days_ago(found.now, policy.again.days)
    cases = await read_cases(driver, met.customers, open_callbacks, touched & from_before, since=since)
    decision = partial(
        decide_all,
        list(zip(fresh, of_customer, strict=True)),
        cases,
        found.newest,
        now=found.now,
        policy=policy,
        new_id=new_id,
        problems=found.problems,
    )
    effects = decision() if _are_decided_quickly(answers) else await asyncio.to_thread(decision)
    return _Decided(effects, found.ids)


def _are_decided_quickly(answers: Sequence[Answer]) -> bool:
    return len(answers) < FEW and sum(len(each.response.comment or "") for each in answers) < FEW * USUAL_COMMENT


def _tell(report: Report, effects: Effects) -> None:
    for each in effects.decisions:
        if each.is_kept:
            response = each.answer.response
            report.responses[response.source, each.verdict.box] += 1
            if response.flags:
                report.dropped.update((response.source, member) for member in dropped_members(response.flags))
    report.moved.extend([*effects.changed, *effects.opened])
    report.raised.extend(_raised(alert) for alert in effects.alerts)


def _raised(alert: Alert) -> RaisedAlert:
    answer, response = alert.answer, alert.response
    return RaisedAlert(
        source=response.source,
        recorded_at=answer.address.timestamp,
        answered_at=response.answered_at,
        callback_id=alert.callback_id,
        event_id=response.event_id,
        trace=answer.trace,
    )


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
        address = each.address
        if type(each) is Answer:  # of most, and `isinstance` takes long to say no
            outcome, effect = next(outcomes)
        elif isinstance(each, Deferred):
            effect = (address.topic, address.partition, address.offset) in deferred
            outcome = RecordOutcome.DEFERRED if effect else RecordOutcome.DUPLICATE
        else:
            outcome = each.outcome if isinstance(each, Passed) else RecordOutcome.DEAD_LETTERED
            effect = False
        ends.setdefault((address.topic, address.partition), []).append(RecordEnd(address.offset, outcome, effect))
    return ends


def _count(
    report: Report, partition: Partition, ends: Sequence[RecordEnd], next_offset: int, is_new_epoch: bool
) -> None:
    topic = partition[0]
    if is_new_epoch:
        report.new_epochs.append(partition)
    first = [each.outcome for each in ends if is_new_epoch or each.offset >= next_offset]
    for outcome, count in Counter(first).items():
        report.outcomes[topic, outcome] += count
    if len(first) < len(ends):
        report.seen_again[topic] += len(ends) - len(first)


def _count_unrated(report: Report, passed: Iterable[Passed], fresh_from: Mapping[Partition, int]) -> None:
    """As with all other counts, an offset that comes again is not counted again."""
    for each in passed:
        if each.unrated is not None:
            partition = (each.address.topic, each.address.partition)
            report.unrated[each.unrated] += each.address.offset >= fresh_from[partition]
