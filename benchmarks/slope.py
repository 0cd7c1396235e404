"""What a second process gives: two consumers that share a topic, and two API processes that share eight clients.

On a machine whose cores the database and Kafka share, it is less than on machines of their own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

import asyncpg
from msgspec import Struct

from benchmarks.answers import Sent, survey_answers
from benchmarks.backlog import open_backlog
from benchmarks.knock import ask_for, knockers
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.rest import CLIENTS, api_environment, make_advisors
from benchmarks.results import Findings, Table
from benchmarks.rounds import Values, compared, figure, interleave, kept, undisturbed
from benchmarks.sending import send_all
from consumers.intake.dead_letters import LARGEST
from tests.parts.kafka import KafkaBroker
from tests.parts.postgres import PostgresServer
from tests.parts.service import Service, environment
from tests.parts.topics import create_topic, unique_name

PARTITIONS = 6
PATIENCE = 600.0  # seconds for one trial
ACCOUNTED = "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM partitions"
RESOLVED = "SELECT count(*) FROM callbacks WHERE state = 'resolved'"


class Grounds(Struct, frozen=True):
    """Where the trials take place."""

    postgres: PostgresServer
    bootstrap: str
    topic: str
    dead: str
    answers: Sequence[Sent]
    backlog: int
    seconds: float


async def run(quick: bool) -> Findings:
    answers = survey_answers(15_000 if quick else 150_000)
    with durable_postgres() as postgres, KafkaBroker.start() as kafka:
        await make_template(postgres)
        topic = await create_topic(kafka.bootstrap, "surveys", PARTITIONS)
        dead = await create_topic(kafka.bootstrap, "dead", max_message_bytes=LARGEST)
        await send_all(kafka.bootstrap, topic, answers)
        backlog, seconds = (1_000, 1.0) if quick else (10_000, 5.0)
        grounds = Grounds(postgres, kafka.bootstrap, topic, dead, answers, backlog, seconds)
        rounds = await interleave(
            {
                "consume 1": lambda: _consume(grounds, 1),
                "consume 2": lambda: _consume(grounds, 2),
                "cycle 1": lambda: _cycles(grounds, 1),
                "cycle 2": lambda: _cycles(grounds, 2),
            },
            1 if quick else 5,
        )
        notes = [kept(rounds), await conditions(postgres)]
    good = undisturbed(rounds)
    table = Table(
        title="A second, with one process and with two (medians and extremes of rounds)",
        columns=("", "median", "lowest", "highest", "x one", "lowest", "highest"),
        rows=[
            compared(good, "answers, one consumer", "consume 1", "consume 1"),
            compared(good, "answers, two consumers", "consume 2", "consume 1"),
            compared(good, f"claims with resolves, {CLIENTS} clients, one API", "cycle 1", "cycle 1"),
            compared(good, f"claims with resolves, {CLIENTS} clients, two APIs", "cycle 2", "cycle 1"),
        ],
    )
    notes.append(f"{len(answers):,} answers in {PARTITIONS} partitions; the first third of them is not counted")
    return Findings(
        name="slope",
        tables=[table],
        notes=notes,
        figures={
            "slope.consume": figure(good, "consume 2", "consume 1"),
            "slope.cycle": figure(good, "cycle 2", "cycle 1"),
        },
    )


async def _consume(grounds: Grounds, processes: int) -> Values:
    """Answers a second over the last two thirds, when all processes have their partitions."""
    count = len(grounds.answers)
    async with fresh_ledger(grounds.postgres) as url, AsyncExitStack() as stack:
        ledger = await asyncpg.connect(url)
        stack.push_async_callback(ledger.close)
        env = environment(
            database=url,
            kafka=grounds.bootstrap,
            topics=grounds.topic,
            dead_letters=grounds.dead,
            group=unique_name("group"),
        )
        running = []
        for _ in range(processes):
            running.append(stack.enter_context(Service.start("consume", env)))
            running[-1].pause()  # until all are there
        for each in running:
            each.resume()
        start, begun = 0, 0.0
        async with asyncio.timeout(PATIENCE):
            while (done := await ledger.fetchval(ACCOUNTED)) < count:
                if not start and done >= count // 3:
                    start, begun = done, time.perf_counter()
                await asyncio.sleep(0.02)
        rate = (count - start) / (time.perf_counter() - begun)
        stored = await ledger.fetchval("SELECT count(*) FROM responses")
        assert stored == count, f"{stored} answers were stored"
    return {f"consume {processes}": rate}


async def _cycles(grounds: Grounds, processes: int) -> Values:
    async with fresh_ledger(grounds.postgres) as url, AsyncExitStack() as stack:
        await open_backlog(url, grounds.backlog)
        advisors = await make_advisors(url, CLIENTS)
        clients = []
        for _ in range(processes):
            api = stack.enter_context(Service.start("api", api_environment(url)))
            clients += await stack.enter_async_context(knockers(api.http, CLIENTS // processes))
        steps = [each.cycle for each in advisors]
        warm = await ask_for(grounds.seconds / 5, clients, steps)
        asked = await ask_for(grounds.seconds, clients, steps)
        ledger = await asyncpg.connect(url)
        try:
            resolved = await ledger.fetchval(RESOLVED)
        finally:
            await ledger.close()
        assert resolved == len(warm.taken) + len(asked.taken), f"{resolved} callbacks were resolved"
    return {f"cycle {processes}": asked.a_second}
