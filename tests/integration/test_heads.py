"""Claims while dead rows that nobody may remove lie at the head of a queue: still the right callback, and soon the newest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.ledger.callbacks import claim_heads as heads
from alerts.ledger.callbacks.claims import Claimer, claim_next
from alerts.ledger.database import open_engine, transaction
from alerts.ledger.intake.batch import ingest_batch
from alerts.policy import shipped_policy
from tests.parts.answers import answer
from tests.parts.clock import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; the customers are in London
POLICY = shipped_policy()


@pytest.fixture
async def engine(database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    """One connection, which always remembers where the queues begin."""
    monkeypatch.setattr(heads, "MANY_DEAD", -1)
    await clock.set(NOON)
    engine = open_engine(database_url, pool_size=1)
    yield engine
    await engine.dispose()


async def opened(engine: AsyncEngine, name: str, rating: int, offset: int) -> str:
    report = await ingest_batch(engine, [answer(name, rating, NOON, offset=offset)], POLICY)
    return report.moved[0].callback.id


async def claimed(engine: AsyncEngine) -> str | None:
    async with transaction(engine) as connection:
        moved = await claim_next(connection, Claimer(advisor="ann"), policy=POLICY)
    return moved[0].callback.id if moved else None


async def test_claims_that_remember_the_heads_go_on_in_the_order_of_work(engine: AsyncEngine) -> None:
    ids = [await opened(engine, f"c{number}", 1, number) for number in range(5)]
    assert [await claimed(engine) for _ in range(6)] == [*ids, None]


async def test_what_comes_in_before_a_remembered_head_is_found_once_that_is_forgotten(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "REMEMBERED_SECONDS", 3600)
    mild = [await opened(engine, f"mild{number}", 2, number) for number in range(3)]
    assert await claimed(engine) == mild[0]
    urgent = await opened(engine, "urgent", 1, 10)
    assert await claimed(engine) == mild[1]  # the price: a more urgent one waits while the head is remembered
    monkeypatch.setattr(heads, "REMEMBERED_SECONDS", 0)
    await engine.dispose()  # a new connection remembers nothing
    assert await claimed(engine) == urgent


async def test_a_queue_that_was_empty_is_looked_at_again(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "REMEMBERED_SECONDS", 0)
    await opened(engine, "first", 1, 0)
    assert await claimed(engine) is not None
    assert await claimed(engine) is None
    second = await opened(engine, "second", 1, 1)
    assert await claimed(engine) == second
