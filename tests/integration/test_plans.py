"""The plans of the statements that advisors wait for, on a queue of some size: a wrong one costs a hundred times as much."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy import ClauseElement, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from alerts.ledger.callbacks.claims import ANYTHING, CLAIM, NEXT_CALLABLE
from alerts.ledger.checks.auditor import OF_CUSTOMERS
from alerts.ledger.checks.check import FOUND_AT_MOST, Check
from alerts.ledger.checks.lateness import DUE_AND_LEFT, LEASE_OUTLIVED
from alerts.ledger.connection.direct import DirectConnection
from alerts.ledger.database import open_engine
from alerts.ledger.insights.contact_sums import ADD_CONTACTS
from alerts.ledger.insights.sums import ADD, UNITS
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.intake.beginning import BEGINNING
from alerts.ledger.intake.cases import BEHIND, BOTTOM_BOXES, SNAPSHOT
from alerts.ledger.intake.customers import LOCK_CUSTOMERS, LOCK_OR_MAKE_CUSTOMERS
from alerts.ledger.reading.callbacks import CallbackFilter, list_callbacks
from alerts.ledger.reading.source_report import SHAPES
from alerts.policy import shipped_policy
from benchmarks.moves import CLAIM as FLOOR_CLAIM
from benchmarks.moves import CLOSED_WAYS
from tests.parts.answers import answer
from tests.parts.clock import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; the customers are in London
GIVEN = {
    "advisor": "'ann'",
    "key": "'k'",
    "queues": "NULL",
    "languages": "NULL",
    "count": "1",
    "depth": "9",
    "heads": "'[]'",
    "without": "'{}'",
    "since": "NULL",
    "source": "NULL",
}

# The one callback of the story again and again, each of a customer of its own.
MANY = """
    INSERT INTO customers (key, facts_as_of)
        SELECT 'copy:' || n, now() FROM generate_series(1, 20000) AS n;
    CREATE TEMP TABLE copied AS SELECT * FROM callbacks;
    INSERT INTO callbacks SELECT r.* FROM copied AS c, customers AS k,
        LATERAL jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'customer_id', k.id,
            'rank_at', c.rank_at + k.id * interval '1 second')) AS r WHERE k.key LIKE 'copy:%';
"""

# The answer of the story once an hour, for two years up to now.
YEARS = """
    INSERT INTO responses OVERRIDING SYSTEM VALUE SELECT r.* FROM generate_series(1, 20000) AS n,
        (SELECT to_jsonb(each) AS told FROM responses AS each LIMIT 1) AS t,
        LATERAL jsonb_populate_record(NULL::responses, t.told || jsonb_build_object('id', 1000 + n, 'event_id', n,
            'received_at', clock_timestamp() - (20000 - n) * interval '1 hour')) AS r ORDER BY n;
"""

# The same answers, ten by each of so many customers.
OF_MANY = """
    INSERT INTO customers OVERRIDING SYSTEM VALUE SELECT c.* FROM generate_series(1, 2000) AS n,
        (SELECT to_jsonb(each) AS told FROM customers AS each LIMIT 1) AS t,
        LATERAL jsonb_populate_record(NULL::customers, t.told || jsonb_build_object('id', 1000 + n, 'key', 'id:' || n,
            'ref', gen_random_uuid())) AS c;
    UPDATE responses SET customer_id = 1001 + id % 2000, response_id = id, interaction_id = id WHERE id > 1000;
"""

# The answer of the story revised again and again: a thousand times it is good, and then bad with an alert each time.
REVISED = """
    INSERT INTO responses OVERRIDING SYSTEM VALUE SELECT r.* FROM generate_series(1, 2000) AS n,
        (SELECT to_jsonb(each) AS told FROM responses AS each LIMIT 1) AS t,
        LATERAL jsonb_populate_record(NULL::responses, t.told || jsonb_build_object('id', 1000 + n, 'event_id', n,
            'origin_offset', 1000 + n, 'box', CASE WHEN n <= 1000 THEN 'top' ELSE 'bottom' END)) AS r;
    INSERT INTO alerts SELECT a.* FROM generate_series(1001, 2000) AS n,
        (SELECT to_jsonb(each) AS told FROM alerts AS each LIMIT 1) AS t,
        LATERAL jsonb_populate_record(NULL::alerts, t.told || jsonb_build_object('response_id', 1000 + n)) AS a;
"""


@pytest.fixture
async def story(database_url: str, clock: Clock) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    await clock.set(NOON)
    engine = open_engine(database_url)
    await ingest_batch(engine, [answer("c", 1, NOON, offset=0)], shipped_policy())
    await engine.dispose()
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def crowd(story: asyncpg.Connection[asyncpg.Record]) -> asyncpg.Connection[asyncpg.Record]:
    await story.execute(MANY)
    return story


async def plan(
    connection: asyncpg.Connection[asyncpg.Record], statement: ClauseElement, how: str = "", **given: str
) -> str:
    """The plan for any parameters, which the server may keep for a prepared statement. `how`: options of EXPLAIN."""
    compiled: Any = statement.compile(dialect=PGDialect_asyncpg())  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    return await kept_plan(
        connection, str(compiled), [(GIVEN | given)[name] for name in compiled.positiontup or ()], how
    )


async def kept_plan(
    connection: asyncpg.Connection[asyncpg.Record], statement: str, given: Sequence[str], how: str = ""
) -> str:
    """The same of the driver's own SQL."""
    async with connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE asked AS {statement}")
        values = f"({', '.join(given)})" if given else ""
        rows = await connection.fetch(f"EXPLAIN {how} EXECUTE asked {values}")
        await connection.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("analysed", ["before they were ready", "after"])
async def test_a_claim_reads_its_own_index_and_nothing_else(
    crowd: asyncpg.Connection[asyncpg.Record], analysed: str
) -> None:
    if analysed == "after":
        await crowd.execute("ANALYZE callbacks")
    else:  # as at nine o'clock, when the statistics know of no ready row yet
        await crowd.execute("UPDATE callbacks SET ready = false")
        await crowd.execute("ANALYZE callbacks")
        await crowd.execute("UPDATE callbacks SET ready = true")
    claim, look = await plan(crowd, CLAIM.text), await plan(crowd, ANYTHING.text)
    assert "Index Scan using callbacks_pkey" in claim
    for found in (claim, look):
        assert "Index Scan using callbacks_claim" in found
        assert "Seq Scan on callbacks" not in found
        assert "callbacks_work_order" not in found


@pytest.mark.parametrize("analysed", [False, True])
async def test_the_floor_of_a_claim_reads_the_claims_own_index(
    crowd: asyncpg.Connection[asyncpg.Record],
    analysed: bool,
) -> None:
    """By any other it would read what was resolved again and again, and be a floor above the house."""
    taken = FLOOR_CLAIM.format(changed="version = version", queue="general").removesuffix(" AS callback \\gset")
    if analysed:
        await crowd.execute("ANALYZE callbacks")
    for way in CLOSED_WAYS:
        await crowd.execute(f"SET {way} = off")
    read = await kept_plan(crowd, taken, [])
    assert "Index Scan using callbacks_claim" in read
    assert "Seq Scan on callbacks" not in read
    assert "callbacks_work_order" not in read


async def test_the_next_callable_moment_is_read_from_indexes(crowd: asyncpg.Connection[asyncpg.Record]) -> None:
    await crowd.execute("ANALYZE callbacks")
    assert "Seq Scan on callbacks" not in await plan(crowd, NEXT_CALLABLE.text)


async def test_a_page_of_the_list_is_planned_once_and_not_for_each_request(
    crowd: asyncpg.Connection[asyncpg.Record],
) -> None:
    await crowd.execute("ANALYZE callbacks")
    for _ in range(10):
        page = await list_callbacks(
            DirectConnection(crowd, {}), CallbackFilter(), sort="work_order", after=None, limit=50
        )
        assert len(page.views) == 50
    plans = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE $1"
    [(once_for_all, for_what_was_asked)] = await crowd.fetch(plans, "%WITH page%")
    assert (once_for_all, for_what_was_asked) == (5, 5)  # PostgreSQL compares five of the latter with the former


async def test_a_week_of_answers_is_found_without_reading_all_years(
    crowd: asyncpg.Connection[asyncpg.Record],
) -> None:
    await crowd.execute(YEARS)
    await crowd.execute("VACUUM ANALYZE responses")
    found = await plan(crowd, SHAPES)
    assert "Bitmap Index Scan on responses_received_at" in found, found


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        (BEGINNING, ["'[]'", "'[]'"]),
        (SNAPSHOT, ["'[]'", "1", "true"]),
        (LOCK_CUSTOMERS, ["'[]'"]),
        (LOCK_OR_MAKE_CUSTOMERS, ["'[]'"]),
    ],
    ids=["known events", "snapshot", "customers", "few customers"],
)
async def test_a_plan_that_was_made_in_an_empty_ledger_does_not_read_all_of_a_full_one(
    story: asyncpg.Connection[asyncpg.Record], statement: str, given: list[str]
) -> None:
    found = await kept_plan(story, statement, given)
    for table in ("responses", "customers"):
        assert f"Seq Scan on {table}" not in found, found


async def test_a_claim_that_was_planned_in_an_empty_ledger_reads_its_index_in_a_full_one(
    story: asyncpg.Connection[asyncpg.Record],
) -> None:
    """A claim is planned once for each connection."""
    found = await plan(story, CLAIM.text)
    assert "Index Scan using callbacks_claim" in found, found
    assert "Seq Scan on callbacks" not in found, found


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("statement", [BEHIND, BOTTOM_BOXES], ids=["behind", "bottom boxes"])
async def test_an_answer_that_was_revised_often_is_read_once_for_each_time(
    story: asyncpg.Connection[asyncpg.Record], statement: str, analysed: bool
) -> None:
    await story.execute(REVISED)
    if analysed:
        await story.execute("ANALYZE")
    customer = await story.fetchval("SELECT customer_id FROM alerts JOIN callbacks ON id = callback_id LIMIT 1")
    asked = text(statement.replace("$1::bigint[]", "CAST(:customers AS bigint[])"))
    found = await plan(story, asked, "(ANALYZE, TIMING OFF, FORMAT JSON)", customers=f"'{{{customer}}}'")
    assert 1_000 < rows_read(json.loads(found)[0]["Plan"]) < 20 * 2_000, found


async def test_adding_to_the_sums_reads_what_is_new_and_what_that_replaces(
    story: asyncpg.Connection[asyncpg.Record],
) -> None:
    await story.execute(YEARS)
    await story.execute("VACUUM ANALYZE responses")
    newest = await story.fetchval("SELECT max(id) FROM responses")
    found = await plan(
        story, ADD, "(ANALYZE, TIMING OFF, FORMAT JSON)", low=str(newest - 100), top="9223372036854775807"
    )
    assert 100 <= rows_read(json.loads(found)[0]["Plan"]) < 100 * len(UNITS) * 4, found


async def test_adding_to_the_sums_of_contacts_reads_nobody_elses_answers(
    story: asyncpg.Connection[asyncpg.Record],
) -> None:
    await story.execute(YEARS)
    await story.execute(OF_MANY)
    await story.execute("VACUUM ANALYZE responses, customers")
    [(low, newest)] = await story.fetch("SELECT max(id) - 10, max(id) FROM responses")
    found = await plan(story, ADD_CONTACTS, "(ANALYZE, TIMING OFF, FORMAT JSON)", low=str(low), top=str(newest))
    assert 100 <= rows_read(json.loads(found)[0]["Plan"]) < 10_000, found


async def test_an_audit_of_some_customers_reads_nobody_elses_rows(crowd: asyncpg.Connection[asyncpg.Record]) -> None:
    await crowd.execute(
        "INSERT INTO attempts (callback_id, number, result, advisor, started_at, outside_window)"
        " SELECT id, 1, 'busy', 'ann', now(), false FROM callbacks"
    )
    await crowd.execute("ANALYZE")
    some = [row["id"] for row in await crowd.fetch("SELECT id FROM customers ORDER BY id LIMIT 1000")]
    given = OF_CUSTOMERS.replace(":people", f"'{{{','.join(map(str, some))}}}'")
    for table in ("customers", "attempts"):
        found = await crowd.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {given} SELECT count(*) FROM {table}")
        assert 1_000 <= rows_read(json.loads(found)[0]["Plan"]) < 20_000, found


@pytest.mark.parametrize("check", [DUE_AND_LEFT, LEASE_OUTLIVED], ids=lambda check: check.name)
async def test_an_audit_of_all_reads_only_who_is_late(crowd: asyncpg.Connection[asyncpg.Record], check: Check) -> None:
    await crowd.execute("ANALYZE callbacks")
    asked = check.breaks.replace(":grace", "'1 minute'")
    found = await crowd.fetchval(
        f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT * FROM ({asked}) AS f LIMIT {FOUND_AT_MOST}"
    )
    assert rows_read(json.loads(found)[0]["Plan"]) < 100, found


def rows_read(node: dict[str, Any]) -> float:
    """By all parts of the plan that ran, with what they read in vain."""
    rows = sum(value for name, value in node.items() if name == "Actual Rows" or name.startswith("Rows Removed"))
    return float(rows * node["Actual Loops"]) + sum(map(rows_read, node.get("Plans", [])))
