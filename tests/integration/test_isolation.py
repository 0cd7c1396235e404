"""One row that cannot be computed or stored stops nobody: the timers and the claims step over it."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Callback, State
from alerts.errors import NotClaimable
from alerts.intake import decide_all
from alerts.ledger.callbacks import timers
from alerts.ledger.callbacks.claims import Claimer, claim_next, claim_one
from alerts.ledger.callbacks.store import read_callback
from alerts.ledger.callbacks.timers import wake_due
from alerts.ledger.database import open_engine, transaction
from alerts.ledger.intake import batch
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.tables.callbacks import callbacks
from alerts.policy import shipped_policy
from alerts.transitions import wake
from tests.parts.answers import answer
from tests.parts.clock import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; the customers are in London
POLICY = shipped_policy()

# What makes a row impossible. Each takes the customer's id; a constraint that is not valid yet lets the row stand as it is.
CANNOT_BE_READ = "UPDATE callbacks SET flags = '{{no_such_flag}}' WHERE customer_id = :id"
CANNOT_BE_LEASED = "ALTER TABLE callbacks ADD CHECK (customer_id <> {id} OR state <> 'leased') NOT VALID"
CANNOT_BE_READY = "ALTER TABLE callbacks ADD CHECK (customer_id <> {id} OR NOT ready) NOT VALID"
CANNOT_BE_WRITTEN = "ALTER TABLE callbacks ADD CHECK (customer_id <> {id}) NOT VALID"


@pytest.fixture
async def engine(database_url: str, clock: Clock) -> AsyncIterator[AsyncEngine]:
    await clock.set(NOON)
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()


async def opened(engine: AsyncEngine, count: int) -> list[Callback]:
    """In the order of work: the first was opened first."""
    batches = [[answer(f"c{number}", 1, NOON, offset=number)] for number in range(count)]
    return [(await ingest_batch(engine, batch, POLICY)).moved[0].callback for batch in batches]


async def spoil(engine: AsyncEngine, callback: Callback, how: str) -> None:
    async with transaction(engine) as connection:
        bound = {"id": callback.customer_id} if ":id" in how else {}
        await connection.execute(text(how.format(id=callback.customer_id)), bound)


async def read(engine: AsyncEngine, callback_id: str) -> Callback:
    async with transaction(engine) as connection:
        return read_callback((await connection.execute(select(callbacks).where(callbacks.c.id == callback_id))).one())


async def claim_as(engine: AsyncEngine, advisor: str, count: int = 1) -> list[str]:
    async with transaction(engine) as connection:
        moved = await claim_next(connection, Claimer(advisor=advisor), count=count, policy=POLICY)
    return [each.callback.id for each in moved]


async def night(engine: AsyncEngine, clock: Clock, count: int) -> list[Callback]:
    """Callbacks that become ready at nine, and the clock just after it."""
    await clock.set(NOON.replace(hour=22))
    waiting = await opened(engine, count)
    await clock.set(NOON.replace(hour=9, minute=0, second=1) + timedelta(days=1))
    return waiting


@pytest.mark.parametrize("how", [CANNOT_BE_READ, CANNOT_BE_READY, CANNOT_BE_WRITTEN])
async def test_one_that_cannot_be_woken_does_not_keep_the_others_asleep(
    engine: AsyncEngine, clock: Clock, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = await night(engine, clock, 7)
    await spoil(engine, waiting[2], how)
    woken = await wake_due(engine, POLICY)
    assert {each.callback.id for each in woken} == {each.id for each in waiting} - {waiting[2].id}
    assert all([(await read(engine, each.callback.id)).ready for each in woken])
    [first, *_] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert waiting[2].id in first.getMessage()
    if how != CANNOT_BE_WRITTEN:
        assert await wake_due(engine, POLICY) == []
        async with transaction(engine) as connection:
            query = text("SELECT extract(epoch FROM wake_at - ledger_now()) FROM callbacks WHERE id = :id")
            assert 290 < (await connection.execute(query, {"id": waiting[2].id})).scalar_one() <= 300


@pytest.mark.parametrize("how", [CANNOT_BE_READ, CANNOT_BE_LEASED, CANNOT_BE_WRITTEN])
async def test_a_claim_steps_over_one_that_nobody_can_have(engine: AsyncEngine, how: str) -> None:
    first, second, third = await opened(engine, 3)
    await spoil(engine, first, how)
    assert await claim_as(engine, "ann") == [second.id]
    assert await claim_as(engine, "ben") == [third.id]
    assert await claim_as(engine, "cat") == []


async def test_a_claim_of_several_has_as_many_as_there_are(engine: AsyncEngine) -> None:
    waiting = await opened(engine, 5)
    await spoil(engine, waiting[0], CANNOT_BE_READ)
    await spoil(engine, waiting[2], CANNOT_BE_LEASED)
    assert await claim_as(engine, "ann", count=2) == [waiting[1].id, waiting[3].id]
    assert await claim_as(engine, "ben", count=2) == [waiting[4].id]


async def test_a_whole_line_of_them_is_stepped_over_at_once(engine: AsyncEngine) -> None:
    waiting = await opened(engine, 30)  # more than a claim looks at first
    async with transaction(engine) as connection:
        ids = [each.id for each in waiting[:-1]]
        await connection.execute(
            text("UPDATE callbacks SET flags = '{no_such_flag}' WHERE id = ANY (:ids)"), {"ids": ids}
        )
    assert await claim_as(engine, "ann") == [waiting[-1].id]


async def test_one_that_was_stepped_over_is_offered_again_once_it_is_mended(engine: AsyncEngine, clock: Clock) -> None:
    first, second = await opened(engine, 2)
    await spoil(engine, first, CANNOT_BE_READ)
    assert await claim_as(engine, "ann") == [second.id]
    await spoil(engine, first, "UPDATE callbacks SET flags = '{{}}' WHERE customer_id = :id")
    assert not (await read(engine, first.id)).ready
    await clock.advance(timedelta(minutes=5, seconds=1))
    await wake_due(engine, POLICY)
    assert await claim_as(engine, "ben") == [first.id]


@pytest.mark.parametrize("how", [CANNOT_BE_READ, CANNOT_BE_LEASED, CANNOT_BE_WRITTEN])
async def test_asking_for_that_very_one_is_refused_in_a_sentence(engine: AsyncEngine, how: str) -> None:
    [only] = await opened(engine, 1)
    await spoil(engine, only, how)
    with pytest.raises(NotClaimable, match="claim another"):
        async with transaction(engine) as connection:
            await claim_one(connection, only.id, Claimer(advisor="ann"), policy=POLICY)
    if how != CANNOT_BE_READ:
        assert (await read(engine, only.id)).state is State.WAITING


async def test_an_answer_from_the_year_one_is_claimed_like_any_other(engine: AsyncEngine) -> None:
    long_ago = datetime(1, 1, 3, tzinfo=UTC)
    [moved] = (await ingest_batch(engine, [answer("ann", 1, long_ago, offset=0)], POLICY)).moved
    assert await claim_as(engine, "ann") == [moved.callback.id]


async def test_neither_a_batch_nor_what_is_due_is_reckoned_on_the_event_loop(
    engine: AsyncEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either may take longer than a request, a claim or a heartbeat of the same process should wait."""
    threads = []

    def noted(reckon: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*given: Any, **more: Any) -> Any:
            threads.append(threading.get_ident())
            return reckon(*given, **more)

        return noting

    monkeypatch.setattr(
        batch, "FEW", 1
    )  # of few of usual length the reckoning is over sooner than a thread has its turn
    monkeypatch.setattr(batch, "decide_all", noted(decide_all))
    monkeypatch.setattr(timers, "wake", noted(wake))
    await night(engine, clock, 2)
    assert len(await wake_due(engine, POLICY)) == 2
    assert len(threads) == 4
    assert threading.get_ident() not in threads
