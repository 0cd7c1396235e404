"""The objectives are counted from the record: each decision once, in steps of any size, and the same by whoever counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Answer
from alerts.ledger.callbacks.timers import wake_due
from alerts.ledger.database import open_engine
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.reading import objectives as reading
from alerts.ledger.reading.objectives import SETTLED, Kept, Objective, ObjectiveCounts, Totals
from alerts.policy import shipped_policy
from tests.parts.answers import answer
from tests.parts.clock import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
POLICY = shipped_policy()


@pytest.fixture
async def engine(database_url: str, clock: Clock) -> AsyncIterator[AsyncEngine]:
    await clock.set(NOON)
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()


def recorded(number: int, at: datetime) -> Answer:
    """A bad answer whose record is from then."""
    given = answer(f"c{number}", 1, NOON, offset=number)
    return structs.replace(given, address=structs.replace(given.address, timestamp=at))


async def whole(counts: ObjectiveCounts) -> Totals:
    while not await counts.count():
        pass
    return counts.totals


async def test_alerts_and_targets_are_judged_once_they_are_settled(
    engine: AsyncEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = ObjectiveCounts(engine)
    soon = NOON + timedelta(seconds=30)  # the clock goes on while this story runs
    batch = [recorded(0, soon), recorded(1, soon), recorded(2, NOON - timedelta(minutes=1)), recorded(3, soon)]
    await ingest_batch(engine, batch, POLICY)
    assert await whole(counts) == {}, "a transaction that began earlier may still be under way"
    await clock.advance(SETTLED)
    latency = {(Objective.ALERT_LATENCY, Kept.MET): 3, (Objective.ALERT_LATENCY, Kept.MISSED): 1}
    assert await whole(counts) == latency
    assert await whole(counts) == latency, "each once"
    await clock.advance(timedelta(days=5))
    await wake_due(engine, POLICY, limit=100)
    await clock.advance(SETTLED)
    judged = latency | {(target, Kept.MISSED): 4 for target in Objective if target is not Objective.ALERT_LATENCY}
    assert await whole(counts) == judged
    assert await whole(ObjectiveCounts(engine)) == judged, "whoever begins now comes to the same"
    monkeypatch.setattr(reading, "AT_ONCE", 2)
    assert await whole(ObjectiveCounts(engine)) == judged
    await clock.set(NOON)
    assert await whole(counts) == judged, "a clock that was put back has nothing counted twice"
    await clock.advance(timedelta(days=6))
    assert await whole(counts) == judged


async def test_a_step_walks_over_a_part_of_the_record_only(
    engine: AsyncEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 3)
    await ingest_batch(engine, [recorded(number, NOON) for number in range(5)], POLICY)
    await clock.advance(SETTLED)
    counts = ObjectiveCounts(engine)
    assert [await counts.count(), sum(counts.totals.values())] == [False, 3]
    assert [await counts.count(), sum(counts.totals.values())] == [True, 5]
