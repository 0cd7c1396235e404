"""How long an advisor waits while an intake process runs flat out beside the API, and while nothing comes in.

Two processes, one ledger. Advisors claim, read and resolve at a steady pace; each round has a ledger of its own, first
without answers, and then with a topic full of them until the last is in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import asyncpg
from msgspec import Struct

from benchmarks.answers import Sent, survey_answers
from benchmarks.backlog import open_backlog
from benchmarks.knock import Knocker, knockers
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.pace import ticks
from benchmarks.rest import Advisor, api_environment, make_advisors
from benchmarks.results import Findings, Table
from benchmarks.rounds import Values, compared, figure, interleave, kept, percentile, undisturbed
from benchmarks.sending import send_all
from consumers.intake.dead_letters import LARGEST
from tests.parts.kafka import KafkaBroker
from tests.parts.postgres import PostgresServer
from tests.parts.service import Service, environment
from tests.parts.topics import create_topic, unique_name

CLIENTS = 8
PACE = 10
"""Callbacks a second that are claimed, read and resolved."""

PARTITIONS = 6
PATIENCE = 300.0  # seconds for all answers
ACCOUNTED = "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM partitions WHERE topic = $1"


class Town(Struct, frozen=True):
    """Where the trials take place."""

    postgres: PostgresServer
    bootstrap: str
    topic: str
    dead: str
    answers: Sequence[Sent]
    idle_seconds: float


async def run(quick: bool) -> Findings:
    answers = survey_answers(10_000 if quick else 60_000)
    with durable_postgres() as postgres, KafkaBroker.start() as kafka:
        await make_template(postgres)
        topic = await create_topic(kafka.bootstrap, "surveys", PARTITIONS)
        dead = await create_topic(kafka.bootstrap, "dead", max_message_bytes=LARGEST)
        await send_all(kafka.bootstrap, topic, answers)
        town = Town(postgres, kafka.bootstrap, topic, dead, answers, 2.0 if quick else 8.0)
        rounds = await interleave({"both": lambda: _both(town)}, 2 if quick else 5)
        notes = [kept(rounds), await conditions(postgres)]
    good = undisturbed(rounds)
    table = Table(
        title=f"Milliseconds of a request, {PACE} callbacks a second claimed, read and resolved (rounds)",
        columns=("", "median", "lowest", "highest", "x idle", "lowest", "highest"),
        rows=[
            compared(good, f"{share}, {title}", f"{name} {share}", f"idle {share}")
            for share in ("p50", "p99")
            for name, title in (("idle", "nothing comes in"), ("busy", "intake flat out"))
        ],
    )
    took = Table(
        title="Answers a second meanwhile, one consumer process",
        columns=("", "median", "lowest", "highest"),
        rows=[compared(good, "intake beside the API", "intake", "intake")[:4]],
    )
    notes.append(
        f"{len(answers):,} answers a round; the API, the consumer, PostgreSQL and Kafka share the machine's cores"
    )
    return Findings(
        name="mixed",
        tables=[table, took],
        notes=notes,
        figures={"mixed.p99": figure(good, "busy p99", "idle p99", is_most=True)},
    )


async def _both(town: Town) -> Values:
    async with fresh_ledger(town.postgres) as url:
        await open_backlog(url, int(PACE * PATIENCE))
        advisors = await make_advisors(url, CLIENTS)
        ledger = await asyncpg.connect(url)
        try:
            with Service.start("api", api_environment(url)) as api:
                async with knockers(api.http, CLIENTS) as clients:
                    await _work(advisors, clients, lambda done: done >= PACE)  # to warm up; not counted
                    until = time.perf_counter() + town.idle_seconds
                    idle = await _work(advisors, clients, lambda done: time.perf_counter() > until)
                    busy, rate = await _busy(town, url, ledger, advisors, clients)
            worked = await ledger.fetchval("SELECT count(*) FROM callbacks WHERE state = 'resolved'")
            assert worked == (len(idle) + len(busy)) // 3 + PACE, f"{worked} callbacks were resolved"
        finally:
            await ledger.close()
    shares = {"p50": 0.5, "p99": 0.99}
    return {
        f"{name} {share}": percentile(taken, part)
        for name, taken in (("idle", idle), ("busy", busy))
        for share, part in shares.items()
    } | {"intake": rate}


async def _busy(
    town: Town,
    url: str,
    ledger: asyncpg.Connection[asyncpg.Record],
    advisors: Sequence[Advisor],
    clients: Sequence[Knocker],
) -> tuple[list[float], float]:
    """Milliseconds of requests from the first committed batch to the last, and answers a second."""
    group = unique_name("group")
    env = environment(database=url, kafka=town.bootstrap, topics=town.topic, dead_letters=town.dead, group=group)
    seen = [0]

    async def watch(wanted: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while seen[0] < wanted:
                seen[0] = await ledger.fetchval(ACCOUNTED, town.topic)
                await asyncio.sleep(0.02)

    with Service.start("consume", env):
        await watch(1)
        first, begun = seen[0], time.perf_counter()
        watching = asyncio.create_task(watch(len(town.answers)))
        taken = await _work(advisors, clients, lambda done: watching.done())
        await watching
        rate = (len(town.answers) - first) / (time.perf_counter() - begun)
    stored = await ledger.fetchval("SELECT count(*) FROM responses WHERE topic = $1", town.topic)
    assert stored == len(town.answers), f"{stored} answers were stored"
    return taken, rate


async def _work(advisors: Sequence[Advisor], clients: Sequence[Knocker], is_over: Callable[[int], bool]) -> list[float]:
    """Milliseconds of each request, at the stated pace, each client with the next callback when it is free."""
    taken: list[float] = []
    free: asyncio.Queue[int] = asyncio.Queue()
    for number in range(len(clients)):
        free.put_nowait(number)

    async def one(number: int) -> None:
        taken.extend(await advisors[number].work(clients[number]))
        free.put_nowait(number)

    running = []
    async for done in ticks(PACE, int(PACE * PATIENCE)):
        if is_over(done):
            break
        running.append(asyncio.create_task(one(await free.get())))
    await asyncio.gather(*running)
    return taken
