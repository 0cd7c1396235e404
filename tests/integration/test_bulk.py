"""Many rows go by COPY and few as JSON: what is stored is the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.ledger.bulk import COPY_FROM, copy_rows
from alerts.ledger.database import open_engine, transaction
from alerts.ledger.intake import customers as meeting
from alerts.ledger.intake import writing
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.tables.customers import customers
from alerts.policy import shipped_policy
from tests.parts.answers import answer
from tests.parts.clock import Clock

WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ODD = ("", "a\tb\\n", "\N{GRINNING FACE} \u202e'; --", "{1,2}", "\\N", 'say "no"')

# All that a row says, but for what tells the row from others and the moment at which it came.
ROWS = {
    "customers": "id ref",
    "responses": "id event_id response_id customer_id received_at offset origin_offset content_hash value_hash",
    "callbacks": "id customer_id",
    "history": "id callback_id",
    "outbox": "id sequence subject",
    "alerts": "response_id callback_id",
}


async def stored(engine: AsyncEngine) -> dict[str, list[str]]:
    """The rows of each table in the order in which they were made, and then none any more."""
    found = {}
    async with transaction(engine) as connection:
        for table, left_out in ROWS.items():
            order = {"callbacks": "customer_id", "outbox": "sequence", "alerts": "response_id"}.get(table, "id")
            told = "CAST(to_jsonb(t) - CAST(:left_out AS text[]) #- '{data,callback}' #- '{data,customer}' AS text)"
            told = rf"regexp_replace({told}, ':[0-9]{{2}}(\.[0-9]+)?\+00', '', 'g')"  # to the minute: the clock ticks
            query = text(f"SELECT {told} FROM {table} AS t ORDER BY t.{order}")
            found[table] = list((await connection.execute(query, {"left_out": left_out.split()})).scalars())
        await connection.execute(text("TRUNCATE customers, responses, callbacks, history, outbox, alerts CASCADE"))
    return found


@pytest.fixture
async def engine(database_url: str, clock: Clock) -> Any:
    await clock.set(NOON)
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()


async def test_a_batch_that_goes_by_copy_is_stored_as_one_that_goes_as_json(
    engine: AsyncEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    for number in range(COPY_FROM * 2):
        made = answer(f"c{number:03}", 1, NOON, offset=number)
        words = ODD[number % len(ODD)]
        response = structs.replace(made.response, comment=words or None, attributes={"note": words}, flags=(words,))
        answers.append(structs.replace(made, response=response))
    await ingest_batch(engine, answers, shipped_policy())
    copied = await stored(engine)
    for room in (meeting, writing):
        monkeypatch.setattr(room, "COPY_FROM", 10**9)
    await clock.set(NOON)
    await ingest_batch(engine, answers, shipped_policy())
    assert [len(rows) for rows in copied.values()] == [len(answers)] * 4 + [len(copied["outbox"]), len(answers)]
    assert copied == await stored(engine)


async def test_a_row_that_is_there_already_is_the_error_that_an_insert_gives(engine: AsyncEngine) -> None:
    row = {"key": "id:crm:c-1", "facts_as_of": NOON}
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        with pytest.raises(exc.IntegrityError):
            await copy_rows(connection, customers, [row, row])


async def test_a_new_customer_whom_another_batch_has_just_made_costs_a_large_batch_nothing(engine: AsyncEngine) -> None:
    answers = [answer(f"c{number:03}", 1, NOON, offset=number) for number in range(COPY_FROM)]
    made = text("INSERT INTO customers (key, facts_as_of) VALUES ('id:cloudevents:c050', :at) RETURNING id")
    async with transaction(engine) as other:
        customer = (await other.execute(made, {"at": NOON})).scalar_one()
        taken = asyncio.create_task(ingest_batch(engine, answers, shipped_policy()))
        while not (await other.execute(text(WAITS))).first():
            await other.execute(text("SELECT pg_stat_clear_snapshot()"))
            assert not taken.done(), "it did not wait for the other"
    report = await taken
    assert len(report.raised) == len(answers)
    async with transaction(engine) as connection:
        counted = text("SELECT count(*), count(DISTINCT customer_id), bool_or(customer_id = :id) FROM responses")
        assert tuple((await connection.execute(counted, {"id": customer})).one()) == (COPY_FROM, COPY_FROM, True)
        assert (await connection.execute(text("SELECT count(*) FROM customers"))).scalar_one() == COPY_FROM
