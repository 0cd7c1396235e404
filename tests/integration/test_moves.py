"""How moves are stored: fenced, each with its own token, and their events in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Callback, State, Transition
from alerts.errors import LeaseLost
from alerts.ledger.callbacks.claims import Claimer, claim_next
from alerts.ledger.callbacks.store import read_callback, store_transitions
from alerts.ledger.database import ledger_now, open_engine, transaction
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.events import outbox
from alerts.policy import shipped_policy
from alerts.result import Result
from alerts.transitions import NewAttempt, assign, attempt, release
from tests.invariants import broken
from tests.parts.answers import answer
from tests.parts.clock import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; the customers are in London
POLICY = shipped_policy()


@pytest.fixture
async def engine(database_url: str, clock: Clock) -> AsyncIterator[AsyncEngine]:
    await clock.set(NOON)
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()


async def opened(engine: AsyncEngine, count: int) -> list[Callback]:
    batch = [answer(f"c{number}", 1, NOON, offset=number) for number in range(count)]
    return [each.callback for each in (await ingest_batch(engine, batch, POLICY)).moved]


async def claimed(engine: AsyncEngine, count: int) -> list[Callback]:
    await opened(engine, count)
    async with transaction(engine) as connection:
        moved = await claim_next(connection, Claimer(advisor="ann"), count=count, policy=POLICY)
    return [each.callback for each in moved]


async def stored(engine: AsyncEngine) -> dict[str, Callback]:
    async with transaction(engine) as connection:
        return {row.id: read_callback(row) for row in await connection.execute(select(callbacks))}


def given_back(leased: Callback, now: datetime) -> Transition:
    return release(leased, token=leased.lease_token or "", reason="r", now=now, policy=POLICY)


async def test_the_statement_itself_refuses_a_token_that_is_late(engine: AsyncEngine, clock: Clock) -> None:
    [leased] = await claimed(engine, 1)
    async with transaction(engine) as connection:
        moved = given_back(leased, await ledger_now(connection))  # checked, and found good
    await clock.advance(timedelta(minutes=15))
    with pytest.raises(LeaseLost):
        async with transaction(engine) as connection:
            await store_transitions(connection, [moved])
    assert await stored(engine) == {leased.id: leased}


async def test_the_statement_itself_refuses_the_token_of_another_holder(engine: AsyncEngine) -> None:
    [leased] = await claimed(engine, 1)
    believed = leased.evolve(lease_token="1.stolen")
    async with transaction(engine) as connection:
        moved = given_back(believed, await ledger_now(connection))
    with pytest.raises(LeaseLost):
        async with transaction(engine) as connection:
            await store_transitions(connection, [moved])
    assert await stored(engine) == {leased.id: leased}


async def test_of_many_moves_stored_at_once_each_is_fenced_by_its_own_token(engine: AsyncEngine) -> None:
    one, two, three = await claimed(engine, 3)
    async with transaction(engine) as connection:
        now = await ledger_now(connection)
        by_a_lead = assign(three, advisor="ben", actor="lea", now=now, policy=POLICY)
        await store_transitions(connection, [given_back(one, now), given_back(two, now), by_a_lead])
    after = await stored(engine)
    assert {after[each.id].state for each in (one, two)} == {State.WAITING}
    assert after[three.id].owner == "ben"
    late = Transition(callback=after[one.id], fence=one.lease_token)
    with pytest.raises(LeaseLost):
        async with transaction(engine) as connection:
            await store_transitions(connection, [late, given_back(three, now)])
    assert await stored(engine) == after


async def test_the_events_of_a_callback_leave_in_their_order_each_with_its_own_version(engine: AsyncEngine) -> None:
    leased = await claimed(engine, 12)
    new = NewAttempt(result=Result.BUSY)
    async with transaction(engine) as connection:
        now = await ledger_now(connection)
        moved = [attempt(each, new, token=each.lease_token or "", now=now, policy=POLICY) for each in leased]
        await store_transitions(connection, moved)
        rows = (await connection.execute(select(outbox).order_by(outbox.c.sequence))).all()
        assert await broken(connection) == []
    for each in leased:
        left = [(row.type, row.data["version"], row.data["state"]) for row in rows if row.subject == each.id]
        assert left == [
            ("bottombox.callback.opened", 1, "waiting"),
            ("bottombox.callback.claimed", 2, "leased"),
            ("bottombox.callback.attempted", 3, "leased"),
            ("bottombox.callback.released", 5, "waiting"),  # 4 is a target met, which stays in the house
        ]
    assert len({row.id for row in rows}) == len(rows)
