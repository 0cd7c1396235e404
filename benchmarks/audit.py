"""What the audit costs, and the counting of objectives, in a ledger of ten thousand and of a million callbacks.

One customer is worked in the usual way; what that leaves in every table is the pattern of all others, so the ledger is sound.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta

import asyncpg
from sqlalchemy import Table as LedgerTable
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Address, Answer
from alerts.ledger.callbacks.claims import Claimer, claim_next
from alerts.ledger.callbacks.store import store_transitions
from alerts.ledger.checks.auditor import RECENT, WALKED, Auditor
from alerts.ledger.database import ledger_now, open_engine, transaction
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.reading.objectives import ObjectiveCounts
from alerts.ledger.tables.callbacks import attempts, callbacks
from alerts.ledger.tables.customers import customers
from alerts.ledger.tables.events import history, outbox
from alerts.ledger.tables.responses import alerts, responses
from alerts.policy import shipped_policy
from alerts.result import Result
from alerts.survey import Respondent, SurveyResponse
from alerts.transitions import NewAttempt, attempt
from benchmarks.crowd import zone_in_the_morning
from benchmarks.goals import Figure
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.results import Cell, Findings, Table
from benchmarks.rounds import percentile
from tests.parts.postgres import PostgresServer

CALLBACK = "CAST('00000000-0000-7000-8000-' || lpad(to_hex(copy), 12, '0') AS uuid)"
ROOM = 16  # numbers for the rows that one callback has in a table

# In the order in which they refer to each other; what differs from one customer to the next.
DIFFERENT: dict[LedgerTable, dict[str, str]] = {
    customers: {"id": "copy", "ref": "gen_random_uuid()", "key": "'crowd ' || copy"},
    responses: {
        "id": "copy",
        "event_id": "copy",
        "response_id": "copy",
        "customer_id": "copy",
        '"offset"': "copy",
    },
    callbacks: {"id": CALLBACK, "customer_id": "copy"},
    alerts: {"response_id": "copy", "callback_id": CALLBACK},
    history: {"id": f"copy * {ROOM} + pattern.id", "callback_id": CALLBACK},
    attempts: {"id": f"copy * {ROOM} + pattern.id", "callback_id": CALLBACK},
    outbox: {
        "id": "gen_random_uuid()",
        "sequence": f"copy * {ROOM} + pattern.sequence",
        "subject": f"{CALLBACK}::text",
    },
}


async def run(quick: bool) -> Findings:
    few, many, looks = (2_000, 5_000, 5) if quick else (10_000, 1_000_000, 50)
    with durable_postgres() as postgres:
        await make_template(postgres)
        small, large = await _measured(postgres, few, looks), await _measured(postgres, many, looks)
        notes = [await conditions(postgres)]
    ratio = float(large[0] or 0) / float(small[0] or 1)
    return Findings(
        name="audit",
        tables=[
            Table(
                title=f"One look of the audit (the newest {RECENT}, the next {WALKED} customers), and counting the objectives",
                columns=("", "look p50, ms", "look longest, ms", "first count, s", "further count p50, ms"),
                rows=[(f"{few:,} callbacks", *small), (f"{many:,} callbacks", *large)],
            )
        ],
        notes=notes,
        figures={"audit.look": Figure(ratio, ratio)},
    )


async def _measured(postgres: PostgresServer, count: int, looks: int) -> tuple[Cell, ...]:
    async with fresh_ledger(postgres) as url:
        engine = open_engine(url, pool_size=1)
        try:
            await _work_one(engine, datetime.now(UTC) - timedelta(minutes=5))
            await _multiply(url, count)
            auditor, objectives = Auditor(engine), ObjectiveCounts(engine)
            taken = [await _look(auditor) for _ in range(looks)]
            start = time.perf_counter()
            while not await objectives.count():
                pass
            first = time.perf_counter() - start
            assert sum(objectives.totals.values()) == 2 * count, "an alert and a first attempt of each"
            further = [await _count(objectives) for _ in range(looks)]
        finally:
            await engine.dispose()
    return percentile(taken, 0.5), max(taken), first, statistics.median(further)


async def _look(auditor: Auditor) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    audit = await auditor.look()
    milliseconds = (time.perf_counter() - start) * 1000
    assert audit.broken == (), audit.broken[:3]
    return milliseconds


async def _count(objectives: ObjectiveCounts) -> float:
    """Milliseconds, when there is nothing new."""
    start = time.perf_counter()
    assert await objectives.count()
    return (time.perf_counter() - start) * 1000


async def _work_one(engine: AsyncEngine, at: datetime) -> None:
    """A bad answer, a claim, and a try that reached nobody."""
    policy = shipped_policy()
    response = SurveyResponse(
        event_source="/benchmarks",
        event_id="1",
        response_id="1",
        source="cloudevents",
        rating=1,
        answered_at=at,
        revised_at=at,
        customer=Respondent(id="crowd", time_zone=zone_in_the_morning(at), language="en"),
    )
    await ingest_batch(engine, [Answer(Address("crowd", 0, 0, at), response, b"1", b"1")], policy)
    async with transaction(engine) as connection:
        [claimed] = await claim_next(connection, Claimer(advisor="ann"), policy=policy)
        token, now = claimed.callback.lease_token or "", await ledger_now(connection)
        tried = attempt(claimed.callback, NewAttempt(result=Result.NO_ANSWER), token=token, now=now, policy=policy)
        await store_transitions(connection, [tried])


async def _multiply(url: str, count: int) -> None:
    """The rows of one customer, `count` times; the moments go back, so that all is settled."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE history SET at = at - interval '5 minutes'")
        await connection.execute("UPDATE alerts SET raised_at = raised_at - interval '5 minutes'")
        for table, different in DIFFERENT.items():
            names = [f'"{column.name}"' for column in table.columns]
            values = ", ".join(different.get(name, different.get(name.strip('"'), f"pattern.{name}")) for name in names)
            await connection.execute(
                f"INSERT INTO {table.name} ({', '.join(names)}) OVERRIDING SYSTEM VALUE"
                f" SELECT {values} FROM {table.name} AS pattern, generate_series(2, {count}) AS copy"
            )
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
