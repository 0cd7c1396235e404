"""The ledger's part of "one customer": whatever teaches us something of a customer reaches the open callback (I25)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Answer, RecordOutcome
from alerts.callback import Callback, Flag
from alerts.ledger.actions.attempts import record_attempt
from alerts.ledger.actions.corrections import correct_customer
from alerts.ledger.actions.reopening import reopen_callback
from alerts.ledger.callbacks.claims import Claimer, claim_next
from alerts.ledger.callbacks.store import apply, read_callback
from alerts.ledger.customers.record import customer_by_ref
from alerts.ledger.database import open_engine, transaction
from alerts.ledger.intake.batch import Report, ingest_batch
from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.customers import customers
from alerts.policy import shipped_policy
from alerts.resolution import Cause, CauseKind, Outcome
from alerts.result import Result
from alerts.transitions import NewAttempt, resolve
from tests.parts.answers import answer
from tests.parts.clock import Clock

POLICY = shipped_policy()
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; 21:00 in Tokyo
ANN = Claimer(advisor="ann")


@pytest.fixture
async def engine(database_url: str, clock: Clock) -> AsyncIterator[AsyncEngine]:
    await clock.set(NOON)
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()


def said(
    offset: int, rating: int, *, zone: str | None = "Europe/London", flags: tuple[str, ...] = (), **facts: Any
) -> Answer:
    given = answer("c-17", rating, NOON - timedelta(minutes=60 - offset), offset=offset, zone=zone)
    customer = structs.replace(given.response.customer, **facts)
    return structs.replace(given, response=structs.replace(given.response, customer=customer, flags=flags))


async def hear(engine: AsyncEngine, *answers: Answer) -> Report:
    return await ingest_batch(engine, answers, POLICY)


async def the_callback(engine: AsyncEngine) -> Callback:
    async with transaction(engine) as connection:
        return read_callback((await connection.execute(callbacks.select())).one())


async def claims(engine: AsyncEngine) -> list[Callback]:
    async with transaction(engine) as connection:
        return [moved.callback for moved in await claim_next(connection, ANN, policy=POLICY)]


async def resolve_it(engine: AsyncEngine, callback: Callback) -> None:
    cause, token = Cause(CauseKind.SKILL, "courtesy"), callback.lease_token or ""
    facts: dict[str, Any] = {"outcome": Outcome.RECOVERED, "note": None, "checklist": {}, "version": callback.version}
    async with transaction(engine) as connection:
        await apply(
            connection,
            callback.id,
            lambda now_held, now: resolve(now_held, token=token, cause=cause, now=now, policy=POLICY, **facts),
        )


async def correct_it(engine: AsyncEngine, **changes: str | None) -> None:
    async with transaction(engine) as connection:
        ref = str((await connection.execute(customers.select())).one().ref)
        version = (await customer_by_ref(connection, ref)).version
        await correct_customer(connection, ref, changes, version=version, actor="lead", policy=POLICY)


async def test_a_good_answer_that_says_where_the_customer_is_keeps_the_call_from_the_wrong_hour(
    engine: AsyncEngine,
) -> None:
    await hear(engine, said(0, 1))
    assert (await the_callback(engine)).ready
    report = await hear(engine, said(1, 5, zone="Asia/Tokyo"))
    assert [event.kind for moved in report.moved for event in moved.events] == ["customer_changed"]
    assert (await the_callback(engine)).zones == ("Asia/Tokyo",)
    assert await claims(engine) == []


async def test_a_number_in_a_good_answer_takes_the_bad_one_away(engine: AsyncEngine) -> None:
    await hear(engine, said(0, 1, flags=("bad_number",)))
    assert (await the_callback(engine)).flags == (Flag.BAD_NUMBER,)
    await hear(engine, said(1, 4, phone="+442079460067"))
    assert (await the_callback(engine)).flags == ()


async def test_a_joining_answer_brings_the_customers_new_language(engine: AsyncEngine) -> None:
    await hear(engine, said(0, 1, language="en"))
    await hear(engine, said(1, 2, language="fr"))
    assert (await the_callback(engine)).language == "fr"


async def test_a_reopened_callback_knows_where_the_customer_went_meanwhile(engine: AsyncEngine) -> None:
    await hear(engine, said(0, 1))
    [held] = await claims(engine)
    await resolve_it(engine, held)
    await correct_it(engine, time_zone="Asia/Tokyo")
    async with transaction(engine) as connection:
        await reopen_callback(connection, held.id, actor="lead", reason=None, policy=POLICY)
    assert (await the_callback(engine)).zones == ("Asia/Tokyo",)
    assert await claims(engine) == []


@pytest.mark.parametrize("changes", [{"language": "fr"}, {"time_zone": "Europe/Paris"}])
async def test_a_number_that_was_not_theirs_is_bad_however_one_asks(
    engine: AsyncEngine, changes: dict[str, str | None]
) -> None:
    await hear(engine, said(0, 1, phone="+442079460067"))
    [held] = await claims(engine)
    async with transaction(engine) as connection:
        await record_attempt(
            connection,
            held.id,
            NewAttempt(result=Result.WRONG_PERSON),
            token=held.lease_token or "",
            number=None,
            actor="ann",
            policy=POLICY,
        )
    assert (await the_callback(engine)).flags == (Flag.BAD_NUMBER,)
    await correct_it(engine, **changes)
    assert (await the_callback(engine)).flags == (Flag.BAD_NUMBER,)
    await hear(engine, said(1, 2))
    assert (await the_callback(engine)).flags == (Flag.BAD_NUMBER,)


async def test_a_duplicate_or_a_conflict_teaches_nothing_of_the_customer(engine: AsyncEngine) -> None:
    first = said(0, 1, phone="+442079460067")
    await hear(engine, first)
    other = said(1, 5, zone="Asia/Tokyo", phone="+442079460099")
    conflict = structs.replace(other, response=structs.replace(other.response, event_id=first.response.event_id))
    before = await contents(engine)
    report = await hear(engine, conflict, conflict)
    assert report.outcomes["surveys", RecordOutcome.CONFLICT] == 2
    assert await contents(engine) == before


async def test_all_answers_of_a_batch_teach_and_not_the_newest_alone(engine: AsyncEngine) -> None:
    await hear(engine, said(0, 2, phone="+442079460067"), said(1, 2, language="fr"))
    async with transaction(engine) as connection:
        row = (await connection.execute(customers.select())).one()
    assert (row.phone, row.language) == ("+442079460067", "fr")
    assert Flag.NO_NUMBER not in (await the_callback(engine)).flags


async def test_a_revision_from_1_to_1_is_no_repeat_of_itself(engine: AsyncEngine) -> None:
    first, second = said(0, 1), said(1, 1)
    revised = structs.replace(second, response=structs.replace(second.response, response_id=first.response.response_id))
    await hear(engine, first)
    await hear(engine, revised)
    callback = await the_callback(engine)
    assert (callback.severity, callback.priority, callback.reasons) == (80, 2, ("rated_1",))


async def contents(engine: AsyncEngine) -> list[str]:
    async with transaction(engine) as connection:
        rows: list[str] = []
        for table in ("customers", "responses", "callbacks", "alerts", "history", "outbox"):
            rows += (await connection.execute(text(f"SELECT t::text FROM {table} AS t ORDER BY 1"))).scalars().all()
        return rows
