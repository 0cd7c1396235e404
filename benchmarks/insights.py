"""What the insights take on a large ledger: each route's view, what is kept for it, and claims beside it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import asyncpg
from sqlalchemy import text

from alerts.ledger.database import open_engine
from alerts.ledger.insights.sums import AnswerSums
from benchmarks.beside import beside
from benchmarks.goals import Figure
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.results import Cell, Findings, Table
from benchmarks.rounds import percentile
from benchmarks.year import grow_year
from tests.integration.api.front import Front
from tests.parts.clock import MOVABLE_CLOCK, Clock

ANSWERS = 3_000_000
ANSWERS_QUICK = 30_000
TIMES = 20
ZONE = "Africa/Abidjan"  # on UTC all year

ROUTES = {
    "hours": "/v1/insights/hours",
    "hours, the live one": "/v1/insights/hours?from={hour}",
    "hours, a month": "/v1/insights/hours?from={month}",
    "days, a month": "/v1/insights/hours?from={month}&step=day",
    "segments by channel": "/v1/insights/segments?by=channel",
    "segments by segment": "/v1/insights/segments?by=segment",
    "repeats": "/v1/insights/repeats",
    "causes": "/v1/insights/causes",
    "targets": "/v1/insights/targets",
    "recovery": "/v1/insights/recovery",
    "forecast": "/v1/insights/forecast",
    "team": "/v1/insights/team",
    "summary": "/v1/insights/summary",
}
KEPT = (
    *("responses_answered_at", "responses_revising", "callbacks_ended_at", "history_at"),
    *("answer_sums", "answer_sums_by_since_value_key", "contact_sums", "customers_not_followed"),
)


async def run(quick: bool) -> Findings:
    answers = ANSWERS_QUICK if quick else ANSWERS
    return await measure(answers, quick=quick)


async def measure(answers: int, *, quick: bool) -> Findings:
    """In this process: no network lies between, and what is measured is the statement and what is made of it."""
    with durable_postgres() as postgres:
        await make_template(postgres)
        async with fresh_ledger(postgres) as url:
            connection = await asyncpg.connect(url)
            try:
                await connection.execute(MOVABLE_CLOCK)
                # At a time of day when customers may be phoned there, for claims are made too.
                now = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=20)
                clock = Clock(connection)
                await clock.set(now)
                await grow_year(url, answers, zone=ZONE, now=now)
                await _sum_up(url)
                taken = await _ask_all(url, clock, now)
                sizes = [await _size(connection, name) for name in KEPT]
                claims, ratio = await beside(
                    url, [path.format(**_moments(now)) for path in ROUTES.values()], quick=quick
                )
            finally:
                await connection.close()
        notes = [await conditions(postgres), f"{answers:,} answers and {answers // 10:,} callbacks of a year"]
    p95 = {name: percentile(each, 0.95) for name, each in taken.items()}
    slowest, live = max(p95.values()), p95["hours, the live one"]
    rows: list[tuple[Cell, ...]] = [(name, percentile(each, 0.5), p95[name]) for name, each in taken.items()]
    return Findings(
        name="insights",
        tables=[
            Table(title="Milliseconds of each route's view", columns=("", "p50", "p95"), rows=rows),
            Table(title="What is there for the insights", columns=("", "MiB"), rows=list(sizes)),
            claims,
        ],
        notes=notes,
        figures={
            "insights.slowest": Figure(slowest, slowest),
            "insights.live": Figure(live, live),
            "insights.claim": Figure(ratio, ratio),
        },
    )


async def _ask_all(url: str, clock: Clock, now: datetime) -> dict[str, list[float]]:
    front = Front(open_engine(url), clock)
    front.policy = front.policy.model_copy(update={"team_insights": "on"})
    front.rebuild()
    client = await front.key("callbacks:lead")
    names = _moments(now)
    found: dict[str, list[float]] = {name: [] for name in ROUTES}
    for _ in range(TIMES):
        for name, path in ROUTES.items():
            begin = time.perf_counter()
            response = await client.get(path.format(**names))
            found[name].append((time.perf_counter() - begin) * 1000)
            assert response.status_code == 200, f"{name}: {response.text}"
    await front.close()
    return found


def _moments(now: datetime) -> dict[str, str]:
    moments = {"hour": now.replace(minute=0, second=0, microsecond=0), "month": now - timedelta(days=28)}
    return {name: each.isoformat().replace("+00:00", "Z") for name, each in moments.items()}


async def _sum_up(url: str) -> None:
    """What the role `work` does in the background."""
    engine = open_engine(url, pool_size=1)
    sums, seen = AnswerSums(engine), 0
    while seen < 2:  # a step that adds nothing looks at what there is; after two of them all is added
        seen = 0 if await sums.add() else seen + 1
    async with engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("VACUUM ANALYZE answer_sums, contact_sums"))
    await engine.dispose()


async def _size(connection: asyncpg.Connection[asyncpg.Record], index: str) -> tuple[Cell, ...]:
    return index, await connection.fetchval("SELECT pg_relation_size($1::regclass)", index) / 2**20
