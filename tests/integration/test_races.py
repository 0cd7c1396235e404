"""Many at once: new customers, claims, opt-outs and late advisors. Whoever wins, nothing is done twice or too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import RecordOutcome
from alerts.callback import Callback, ClosedReason, Flag, State, Transition
from alerts.errors import AlreadyResolved, LeaseLost, NotClaimable
from alerts.ledger.actions.opt_out import opt_out
from alerts.ledger.actions.working import claim_and_show
from alerts.ledger.callbacks.claims import Claimer, NeedsCare, claim_next, claim_one
from alerts.ledger.callbacks.store import apply, read_callback
from alerts.ledger.callbacks.timers import wake_due
from alerts.ledger.database import direct_transaction, open_engine, transaction
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.customers import customers
from alerts.policy import read_policy, shipped_policy
from alerts.resolution import Cause, CauseKind, Outcome
from alerts.transitions import release, resolve
from tests.invariants import broken
from tests.parts.answers import answer
from tests.parts.clock import Clock
from tests.parts.effort import EFFORT

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; the customers are in London
POLICY = shipped_policy()
QUIET = read_policy("escalation: {steps: []}", file="policy.yaml")  # leases end by running out alone


@pytest.fixture
async def engine(database_url: str, clock: Clock) -> AsyncIterator[AsyncEngine]:
    await clock.set(NOON)
    engine = open_engine(database_url, pool_size=25)
    yield engine
    await engine.dispose()


@pytest.fixture
async def other_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()


async def open_callbacks(engine: AsyncEngine, count: int, *, prefix: str = "c", first: int = 0) -> list[Callback]:
    """`count` new customers, each with a callback that may be called now."""
    batch = [answer(f"{prefix}{index}", 1, NOON, offset=first + index) for index in range(count)]
    moved = (await ingest_batch(engine, batch, POLICY)).moved
    assert all(each.callback.ready for each in moved)
    return [each.callback for each in moved]


async def claim_as(engine: AsyncEngine, advisor: str) -> list[Callback]:
    """The short way, as in the API, or the long one alone: those whose names end differently meet at the same rows."""
    who = Claimer(advisor=advisor, at_most=5)
    if advisor[-1] in "02468":
        with suppress(NeedsCare):
            async with direct_transaction(engine) as direct:
                shown = await claim_and_show(direct, who, key=None, count=1, seconds=None, looks=advisor, policy=POLICY)
            return [each.callback for each in shown.views] if shown else []
    async with transaction(engine) as connection:
        moved = await claim_next(connection, who, policy=POLICY)
    return [each.callback for each in moved]


async def read(engine: AsyncEngine, callback_id: str) -> Callback:
    async with transaction(engine) as connection:
        return read_callback((await connection.execute(select(callbacks).where(callbacks.c.id == callback_id))).one())


async def assert_sound(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        assert await broken(connection) == []


async def test_two_consumers_that_meet_a_new_customer_at_once_open_one_callback_with_both_alerts(
    engine: AsyncEngine, other_engine: AsyncEngine
) -> None:
    rounds = 10 * EFFORT
    for number in range(rounds):
        one = answer(f"new{number}", 1, NOON, offset=number, partition=0)
        two = answer(f"new{number}", 2, NOON, offset=number, partition=1)
        reports = await asyncio.gather(ingest_batch(engine, [one], POLICY), ingest_batch(other_engine, [two], POLICY))
        kinds = sorted(event.kind for report in reports for moved in report.moved for event in moved.events)
        assert kinds == ["joined", "opened"], number
    counted = text(
        "SELECT count(DISTINCT c.id), count(*) FROM alerts AS a JOIN callbacks AS c ON c.id = a.callback_id"
        " WHERE c.state = 'waiting'"
    )
    async with transaction(engine) as connection:
        assert tuple((await connection.execute(counted)).one()) == (rounds, 2 * rounds)
    await assert_sound(engine)


async def test_who_waits_for_a_known_customer_has_made_nobody_yet(
    engine: AsyncEngine, other_engine: AsyncEngine
) -> None:
    """All locks first, then those who are new; many batches do so too, and the other way round two would wait for each other."""
    await ingest_batch(engine, [answer("z", 5, NOON, offset=0, partition=2)], POLICY)
    async with transaction(engine) as holder:
        await holder.execute(text("UPDATE customers SET opted_out_at = ledger_now()"))
        batch = [answer(key, 1, NOON, offset=place) for place, key in enumerate("az")]
        waiting = asyncio.create_task(ingest_batch(other_engine, batch, POLICY))
        await waiting_for_a_lock(engine)
        made_here = text("INSERT INTO customers (key, facts_as_of) SELECT replace(key, 'z', 'a'), now() FROM customers")
        async with transaction(engine) as connection, connection.begin_nested() as savepoint:
            await connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            await connection.execute(made_here)  # waits for nobody
            await savepoint.rollback()
    told = {outcome: count for (_, outcome), count in (await waiting).outcomes.items()}
    assert told == {RecordOutcome.BOTTOM_BOX: 1, RecordOutcome.SUPPRESSED: 1}  # and z is seen as it was left


async def test_who_waits_for_the_account_of_a_partition_tells_again_what_its_holder_has_stored_meanwhile(
    engine: AsyncEngine, other_engine: AsyncEngine
) -> None:
    """A batch in hand and its partition's next member: the events were read before the wait for the account."""
    for number in range(10 * EFFORT):
        batch = [answer(f"both{number}-{each}", 1, NOON, offset=2 * number + each) for each in range(2)]
        reports = await asyncio.gather(ingest_batch(engine, batch, POLICY), ingest_batch(other_engine, batch, POLICY))
        told = sorted((len(report.moved), len(report.raised), report.seen_again.total()) for report in reports)
        assert told == [(0, 0, 2), (2, 2, 0)], number
        assert [epoch for report in reports for epoch in report.new_epochs] == []
    await assert_sound(engine)


@pytest.mark.parametrize(("clients", "offers"), [(50, 10)] if EFFORT < 10 else [(50, 10), (200, 50)])
async def test_every_callback_has_one_winner_however_many_claim_at_once(
    engine: AsyncEngine, clients: int, offers: int
) -> None:
    for number in range(1 + EFFORT):
        ready = await open_callbacks(engine, offers, prefix=f"r{number}-", first=number * offers)
        claims = await asyncio.gather(*(claim_as(engine, f"advisor{number}-{each}") for each in range(clients)))
        won = [callback.id for claim in claims for callback in claim]
        assert sorted(won) == sorted(callback.id for callback in ready)
    await assert_sound(engine)


async def test_nobody_is_offered_after_the_opt_out_has_committed(engine: AsyncEngine) -> None:
    for number in range(20 * EFFORT):
        [ready] = await open_callbacks(engine, 1, prefix=f"o{number}-", first=number)
        ref = await ref_of(engine, ready.customer_id)
        committed = asyncio.Event()
        claims = [claim_around(engine, f"advisor{each}", committed) for each in range(20)]
        news, offers = await asyncio.gather(opt_out_of(engine, ref, committed), asyncio.gather(*claims))
        after = await read(engine, ready.id)
        late = [callback for begun_after, claimed in offers if begun_after for callback in claimed]
        assert late == [], number
        won = [callback for _, claimed in offers for callback in claimed]
        if won:
            assert [each.kind for each in news[0].events] == ["flagged"]
            assert after.state is State.LEASED
            assert Flag.OPTED_OUT in after.flags
            after = await released(engine, won[0])
        assert (after.state, after.closed_reason) == (State.CLOSED, ClosedReason.OPTED_OUT)
        assert await claim_as(engine, "late") == []
    await assert_sound(engine)


async def ref_of(engine: AsyncEngine, customer_id: int) -> str:
    async with transaction(engine) as connection:
        query = select(customers.c.ref).where(customers.c.id == customer_id)
        return str((await connection.execute(query)).scalar_one())


async def opt_out_of(engine: AsyncEngine, ref: str, committed: asyncio.Event) -> list[Transition]:
    async with transaction(engine) as connection:
        moved = await opt_out(connection, ref, actor="lead", policy=POLICY)
    committed.set()
    return moved


async def claim_around(engine: AsyncEngine, advisor: str, committed: asyncio.Event) -> tuple[bool, list[Callback]]:
    """Claims until it gets something or has asked once after the opt-out; whether that was after it, and what it got."""
    while True:
        begun_after = committed.is_set()
        claimed = await claim_as(engine, advisor)
        if claimed or begun_after:
            return begun_after, claimed


async def released(engine: AsyncEngine, held: Callback) -> Callback:
    token = held.lease_token or ""

    def move(callback: Callback, now: datetime) -> Transition:
        return release(callback, token=token, reason="done", now=now, policy=POLICY)

    async with transaction(engine) as connection:
        return (await apply(connection, held.id, move)).callback


async def test_a_late_resolve_never_overwrites_the_next_holders_work(engine: AsyncEngine, clock: Clock) -> None:
    outcomes = {"ann": 0, "ben": 0}
    rounds = 100 * EFFORT
    for number, ready in enumerate(await open_callbacks(engine, rounds)):
        held = await claim_this(engine, ready.id, "ann")
        # Before, at, or just after the end of the lease: both are on their way when it runs out, on a slow machine too.
        await clock.advance(timedelta(seconds=5, milliseconds=5 - (number % 25) ** 2 / 2))
        late, again = await asyncio.gather(
            resolved_by(engine, held), claimed_after(engine, ready.id, "ben"), return_exceptions=True
        )
        after = await read(engine, ready.id)
        if isinstance(late, Callback):
            outcomes["ann"] += 1
            assert isinstance(again, NotClaimable | AlreadyResolved)
            assert (after.state, after.lease_number) == (State.RESOLVED, 1)
        else:
            outcomes["ben"] += 1
            assert isinstance(late, LeaseLost), late
            assert isinstance(again, Callback), again
            assert (after.state, after.lease_holder, after.lease_token) == (State.LEASED, "ben", again.lease_token)
            assert after.outcome is None
    assert min(outcomes.values()) > 0, outcomes
    await assert_sound(engine)


async def claim_this(engine: AsyncEngine, callback_id: str, advisor: str) -> Callback:
    async with transaction(engine) as connection:
        return (await claim_one(connection, callback_id, Claimer(advisor=advisor), seconds=5, policy=POLICY)).callback


async def claimed_after(engine: AsyncEngine, callback_id: str, advisor: str) -> Callback:
    """Takes it as soon as its lease has run out; gives up when it has ended instead."""
    while True:
        await wake_due(engine, QUIET)
        try:
            return await claim_this(engine, callback_id, advisor)
        except NotClaimable:
            if not (await read(engine, callback_id)).is_open:
                raise


async def resolved_by(engine: AsyncEngine, held: Callback) -> Callback:
    token = held.lease_token or ""

    def move(callback: Callback, now: datetime) -> Transition:
        return resolve(
            callback,
            token=token,
            cause=Cause(CauseKind.SKILL, "other"),
            outcome=Outcome.RECOVERED,
            note=None,
            checklist={},
            version=None,
            now=now,
            policy=POLICY,
        )

    async with transaction(engine) as connection:
        return (await apply(connection, held.id, move)).callback


async def test_an_opt_out_stands_though_the_callback_is_resolved_at_that_moment(engine: AsyncEngine) -> None:
    [ready] = await open_callbacks(engine, 1)
    [leased] = await claim_as(engine, "ann")
    token, ref = leased.lease_token or "", await ref_of(engine, ready.customer_id)

    async def opt_out_now() -> None:
        async with transaction(engine) as connection:
            await opt_out(connection, ref, actor="lead", policy=POLICY)

    async with transaction(engine) as connection:
        await apply(connection, leased.id, lambda callback, now: resolved(callback, token, now))
        opting = asyncio.create_task(opt_out_now())
        await waiting_for_a_lock(engine)
    await opting
    async with transaction(engine) as connection:
        opted_out = select(customers.c.opted_out_at).where(customers.c.id == ready.customer_id)
        assert (await connection.execute(opted_out)).scalar_one() is not None
    assert (await read(engine, leased.id)).state is State.RESOLVED


def resolved(callback: Callback, token: str, now: datetime) -> Transition:
    return resolve(
        callback,
        token=token,
        cause=Cause(CauseKind.SKILL, "other"),
        outcome=Outcome.RECOVERED,
        note=None,
        checklist={},
        version=None,
        now=now,
        policy=POLICY,
    )


async def waiting_for_a_lock(engine: AsyncEngine) -> None:
    """Returns once some session of this database waits for another's lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while True:
        async with transaction(engine) as connection:
            if (await connection.execute(waiting)).scalar_one():
                return
