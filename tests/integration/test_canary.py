"""The canary goes the whole way, and nobody but its own metrics and the account of its partition knows that it was there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Arrival, RecordOutcome
from alerts.ledger.checks.auditor import Auditor
from alerts.ledger.database import open_engine, transaction
from alerts.ledger.intake.batch import Report, ingest_batch
from alerts.ledger.intake.canaries import last_seen, take_turn
from alerts.policy import shipped_policy
from app.metrics import Metrics
from consumers.canary import EVERY, canary_record
from consumers.intake.record import Record, read_record
from consumers.sources.catalogue import load_catalogue
from tests.acceptance.test_main_job import key
from tests.parts.answers import TOPIC, answer
from tests.parts.clock import Clock
from tests.parts.service import Service
from tests.parts.town import Town, eventually

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = shipped_policy()
CATALOGUE = load_catalogue(None)
TRACELESS = ("customers", "responses", "alerts", "callbacks", "queues", "history", "outbox", "attempts", "dead_letters")


@pytest.fixture
async def engine(database_url: str, clock: Clock) -> AsyncIterator[AsyncEngine]:
    await clock.set(NOON)
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()


async def turn(engine: AsyncEngine) -> bytes:
    key = await take_turn(engine, timedelta())
    assert key is not None
    return key


def arrived(key: bytes, offset: int, *, at: datetime = NOON, value: bytes | None = None) -> Arrival:
    """A canary as the consumer reads it; with `value`, that under the mark of another."""
    sent = canary_record(TOPIC, key, at)
    stamp = int(at.timestamp() * 1000)
    record = Record(TOPIC, 0, offset, stamp, None, value or sent.value, sent.headers)
    return read_record(record, CATALOGUE, at)


async def take(engine: AsyncEngine, batch: Sequence[Arrival]) -> Report:
    return await ingest_batch(engine, batch, POLICY)


async def counts(engine: AsyncEngine) -> dict[str, int]:
    async with transaction(engine) as connection:
        found = {
            name: (await connection.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one() for name in TRACELESS
        }
    return {name: count for name, count in found.items() if count}


@pytest.mark.parametrize("hours", [0, 5, 11, 12, 18, 23])
async def test_a_canary_could_be_claimed_at_any_hour_and_leaves_no_trace(
    engine: AsyncEngine, clock: Clock, hours: int
) -> None:
    now = NOON + timedelta(hours=hours)
    await clock.set(now)
    report = await take(engine, [arrived(await turn(engine), 0, at=now)])
    assert report.canaries == [now]
    assert report.outcomes == {(TOPIC, RecordOutcome.CANARY): 1}
    assert not report.moved
    assert not report.responses
    assert not report.raised
    assert await counts(engine) == {}
    seen = await last_seen(engine)
    assert seen is not None
    assert abs(seen - now) < timedelta(minutes=1)
    assert (await Auditor(engine).look()).broken == ()


async def test_the_answers_beside_it_are_taken_in_as_if_it_were_not_there(engine: AsyncEngine) -> None:
    key = await turn(engine)
    batch = [answer("c1", 1, NOON, offset=0), arrived(key, 1), answer("c1", 2, NOON, offset=2), arrived(key, 3)]
    report = await take(engine, batch)
    assert len(report.canaries) == 2
    assert len(report.raised) == 2
    assert await counts(engine) == {
        "customers": 1, "responses": 2, "alerts": 2, "callbacks": 1, "queues": 1, "history": 2, "outbox": 2,
    }  # fmt: skip
    again = await take(engine, batch)
    assert again.canaries == [], "seen again, counted once"
    assert again.seen_again == {TOPIC: 4}
    assert (await Auditor(engine).look()).broken == ()


async def test_a_forged_mark_hides_no_bad_answer(engine: AsyncEngine) -> None:
    genuine = canary_record(TOPIC, await turn(engine), NOON)
    assert genuine.value is not None
    bad = genuine.value.replace(b'"rating": 5', b'"rating": 1')
    report = await take(engine, [arrived(b"a key that is not ours", 0), arrived(await turn(engine), 1, value=bad)])
    assert report.canaries == []
    outcomes = {outcome: count for (_, outcome), count in report.outcomes.items()}
    assert outcomes == {RecordOutcome.NOT_BOTTOM_BOX: 1, RecordOutcome.BOTTOM_BOX: 1}
    assert (await counts(engine))["callbacks"] == 1
    assert await last_seen(engine) is None


async def test_a_canary_that_fails_costs_itself_only(engine: AsyncEngine, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE callbacks ADD CHECK (queue <> 'canary')")
    await connection.close()
    report = await take(engine, [arrived(await turn(engine), 0), answer("c1", 1, NOON, offset=1)])
    assert report.canaries == []
    assert report.outcomes == {(TOPIC, RecordOutcome.CANARY): 1, (TOPIC, RecordOutcome.BOTTOM_BOX): 1}
    assert await last_seen(engine) is None
    assert (await counts(engine))["callbacks"] == 1


async def test_of_many_workers_one_sends_every_twenty_seconds(engine: AsyncEngine, clock: Clock) -> None:
    async def keys() -> list[bytes]:
        return [key for key in await asyncio.gather(*(take_turn(engine, EVERY) for _ in range(8))) if key is not None]

    [first] = await keys()
    await clock.advance(timedelta(seconds=10))
    assert await keys() == []
    await clock.advance(timedelta(seconds=10))
    assert await keys() == [first], "the key stays, so that what is under way is known"
    assert len(first) == 32


async def test_only_its_own_metrics_hear_of_it(engine: AsyncEngine) -> None:
    metrics = Metrics()
    metrics.prepare(POLICY, [TOPIC], ["cloudevents"])
    before = moved(metrics)
    metrics.intake.batch(await take(engine, [arrived(await turn(engine), 0)]), NOON + timedelta(seconds=2))
    assert moved(metrics) - before == {
        f'bottombox_records_total{{outcome="canary",topic="{TOPIC}"}} 1.0',
        "bottombox_canary_latency_seconds_count 1.0",
        "bottombox_canary_latency_seconds_sum 2.0",
        *(f'bottombox_canary_latency_seconds_bucket{{le="{le}"}} 1.0' for le in
          ("2.5", "5.0", "10.0", "30.0", "60.0", "300.0", "900.0", "3600.0", "+Inf")),
    }  # fmt: skip


def moved(metrics: Metrics) -> set[str]:
    page = metrics.registry.page(None)[0].decode()
    return {line for line in page.splitlines() if not line.startswith("#")}


async def test_from_a_worker_over_kafka_to_a_claim_until_the_consumer_stops(town: Town, clock: Clock) -> None:
    lea = key(town, "lea", "callbacks:lead")

    async def seen_at() -> datetime | None:
        found = await town.value("SELECT seen_at FROM canary")
        return found if isinstance(found, datetime) else None

    async def sent_at() -> datetime:
        await clock.advance(EVERY)
        found = await town.value("SELECT sent_at FROM canary")
        assert isinstance(found, datetime)
        return found

    with Service.start("work", town.env) as work, Service.start("api", town.env) as api:
        with Service.start("consume", town.env) as consume:
            first = await eventually(seen_at, bool)
            assert first is not None
            page = await metrics_of(consume)
            assert page["bottombox_canary_latency_seconds_count"] >= 1
            assert page[f'bottombox_records_total{{outcome="canary",topic="{town.topic}"}}'] >= 1
            assert sum(value for name, value in page.items() if name.startswith("bottombox_responses_total")) == 0
        stopped = await seen_at()
        assert stopped is not None
        await eventually(sent_at, lambda moment: moment - stopped > timedelta(seconds=90))
        assert await seen_at() == stopped, "nobody takes them in, and their age grows"
        shown = "bottombox_canary_last_seen_timestamp_seconds"
        await eventually(lambda: metrics_of(work), lambda page: page[shown] == pytest.approx(stopped.timestamp()))
        async with httpx.AsyncClient(base_url=f"{api.http}/v1", headers=lea) as client:
            assert (await client.get("/callbacks")).json()["items"] == []
            assert (await client.get("/responses")).json()["items"] == []
            assert "canary" not in {each["name"] for each in (await client.get("/queues")).json()["items"]}
        assert await town.accounted() == 0
        with Service.start("consume", town.env):
            await eventually(seen_at, lambda moment: moment is not None and moment > stopped)
    for name in TRACELESS:
        assert name == "queues" or await town.value(f"SELECT count(*) FROM {name}") == 0, name


async def metrics_of(service: Service) -> dict[str, float]:
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"{service.metrics}/metrics")).text
    lines = (line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}
