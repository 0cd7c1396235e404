"""Where the interpreter's time of an answer and of a claim goes: who holds it in the real processes at full rate.

It is no figure to compare: the looking itself takes time, and whoever waits, for the database say, is not seen.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import asyncpg

from benchmarks.answers import survey_answers
from benchmarks.backlog import open_backlog
from benchmarks.flame import draw, own_time
from benchmarks.knock import ask_for, knockers
from benchmarks.ledgers import durable_postgres, fresh_ledger, make_template
from benchmarks.rest import CLIENTS, api_environment, make_advisors
from benchmarks.results import Cell, Findings, Table
from benchmarks.sampled import RATE, Stacks, looked_at
from benchmarks.sending import send_all
from consumers.intake.dead_letters import LARGEST
from tests.parts.kafka import KafkaBroker
from tests.parts.postgres import PostgresServer
from tests.parts.service import Service, environment
from tests.parts.topics import create_topic, unique_name

PATIENCE = 300.0  # seconds for all answers
ACCOUNTED = "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM partitions"

BELOW = frozenset({"asyncio.runners:Runner.run", "concurrent.futures.thread:_WorkItem.run", "threading:Thread.run"})
"""What is called by these is drawn, without all that leads to them."""

PARTS = {
    "intake": {
        "reading the records": "consumers.intake.batch:_read",
        "the decision": "alerts.intake:decide_all",
        "customers: who they are, their rows": "alerts.ledger.intake.customers:meet_customers",
        "the rows of what was decided, and writing them": "alerts.ledger.intake.writing:write_effects",
        "whatever else the transaction takes": "alerts.ledger.intake.batch:ingest_batch",
        "log lines and metrics": "consumers.intake.surveys:SurveyConsumer._tell",
        "log lines, in their thread": "app.log_pipe:LogPipe._write_all",
        "Kafka: asking for records": "consumers.intake.surveys:SurveyConsumer._read_on",
    },
    "claim": {
        "the driver: statements, BEGIN, COMMIT": "asyncpg.",
        "log lines and metrics": "app.listeners:",
        "log lines, in their thread": "app.log_pipe:LogPipe._write_all",
        "what is decided": "alerts.transitions.",
        "whatever else the ledger does": "alerts.ledger.",
        "the key, and what it may": "app.api.http.security:",
        "HTTP and the endpoints": "uvicorn.",
    },
}
"""How the functions begin that a part of the work is done below. A stack counts for the first part that it holds one of."""

REST = "everything else"


async def run(quick: bool) -> Findings:
    count, seconds = (20_000, 2.0) if quick else (200_000, 20.0)
    with durable_postgres() as postgres:
        await make_template(postgres)
        found = {
            "intake": await _intake(postgres, count),
            "claim": await _claims(postgres, 1_000 if quick else 10_000, seconds),
        }
    working = {name: _below(stacks) for name, stacks in found.items()}
    return Findings(
        name="profile",
        tables=[table for name, stacks in working.items() for table in (_parts(name, stacks), _packages(name, stacks))],
        notes=[f"{name}: {sum(stacks.values()):,} samples, {RATE} looks a second" for name, stacks in found.items()],
        pictures={
            "flame-intake": draw("Intake: bottombox consume at full rate", working["intake"]),
            "flame-claim": draw(f"Claim and resolve: bottombox api, {CLIENTS} clients", working["claim"]),
        },
    )


async def _intake(postgres: PostgresServer, count: int) -> Stacks:
    """From when the first tenth is in the ledger until nearly all is."""
    with KafkaBroker.start() as kafka:
        topic = await create_topic(kafka.bootstrap, "surveys", 6)
        dead = await create_topic(kafka.bootstrap, "dead", max_message_bytes=LARGEST)
        await send_all(kafka.bootstrap, topic, survey_answers(count))
        async with fresh_ledger(postgres) as url:
            group = unique_name("group")
            env = environment(database=url, kafka=kafka.bootstrap, topics=topic, dead_letters=dead, group=group)
            ledger = await asyncpg.connect(url)
            try:
                with Service.start("consume", env) as consumer:
                    await _until_taken(ledger, count // 10)
                    with looked_at(consumer.pid) as stacks:
                        await _until_taken(ledger, count * 9 // 10)
            finally:
                await ledger.close()
    return stacks


async def _until_taken(ledger: asyncpg.Connection[asyncpg.Record], count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await ledger.fetchval(ACCOUNTED) < count:  # noqa: ASYNC110 - another process moves it
            await asyncio.sleep(0.02)


async def _claims(postgres: PostgresServer, backlog: int, seconds: float) -> Stacks:
    async with fresh_ledger(postgres) as url:
        await open_backlog(url, backlog)
        advisors = await make_advisors(url, CLIENTS)
        with Service.start("api", api_environment(url)) as api:
            async with knockers(api.http, CLIENTS) as clients:
                with looked_at(api.pid) as stacks:
                    await ask_for(seconds, clients, [each.cycle for each in advisors])
    return stacks


def _below(stacks: Stacks) -> Stacks:
    found: Stacks = Counter()
    for stack, count in stacks.items():
        starts = [place + 1 for place, frame in enumerate(stack) if frame in BELOW and place + 1 < len(stack)]
        found[stack[starts[-1] if starts else 0 :]] += count
    return found


def _parts(name: str, stacks: Stacks) -> Table:
    parts = PARTS[name]
    found = Counter[str]()
    for stack, count in stacks.items():
        part = next((part for part, begins in parts.items() if any(frame.startswith(begins) for frame in stack)), REST)
        found[part] += count
    return _table(
        f"{name}: the interpreter's time, by part",
        "part",
        {part: found[part] for part in (*parts, REST)},
        stacks.total(),
    )


def _packages(name: str, stacks: Stacks) -> Table:
    own = dict(own_time(stacks).most_common(12))
    return _table(f"{name}: whose function was running itself", "package", own, stacks.total())


def _table(title: str, column: str, counts: Mapping[str, int], total: int) -> Table:
    rows: list[tuple[Cell, ...]] = [(name, 100 * count / total) for name, count in counts.items()]
    return Table(title=title, columns=(column, "% of samples"), rows=rows)
