"""Where the time of an answer and of a claim goes: the stacks of the real processes at full rate, a hundred a second.

It is no figure to compare: the looking itself takes time, and whoever waits is not drawn.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from benchmarks.answers import survey_answers
from benchmarks.backlog import open_backlog
from benchmarks.flame import draw, own_time, read_stacks
from benchmarks.knock import ask_for, knockers
from benchmarks.ledgers import durable_postgres, fresh_ledger, make_template
from benchmarks.rest import CLIENTS, api_environment, make_advisors
from benchmarks.results import Cell, Findings, Table
from benchmarks.sending import send_all
from consumers.intake.dead_letters import LARGEST
from tests.parts.kafka import KafkaBroker
from tests.parts.postgres import PostgresServer
from tests.parts.service import Service, environment
from tests.parts.topics import create_topic, unique_name

SAMPLED = "benchmarks.sampled"
PATIENCE = 300.0  # seconds for all answers
ACCOUNTED = "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM partitions"
LOOP = ("asyncio.runners:", "uvloop:", "selectors:", "threading:")
"""What is innermost while the loop waits, or works in C."""

Stacks = Counter[tuple[str, ...]]


async def run(quick: bool) -> Findings:
    count, seconds = (6_000, 2.0) if quick else (120_000, 20.0)
    with durable_postgres() as postgres, tempfile.TemporaryDirectory() as folder:
        await make_template(postgres)
        found = {
            "intake": await _intake(postgres, count, Path(folder) / "intake"),
            "claim": await _claims(postgres, 1_000 if quick else 10_000, seconds, Path(folder) / "claim"),
        }
    working = {name: _working(stacks) for name, stacks in found.items()}
    notes = [
        f"{name}: {_share(working[name], stacks):.0%} of {sum(stacks.values()):,} samples were in Python; the others waited,"
        " or were in the event loop's own C"
        for name, stacks in found.items()
    ]
    notes.append(
        "SQLAlchemy runs its driver in a stack of its own, so what it waits for stands beside it and not below"
    )
    return Findings(
        name="profile",
        tables=[_table(name, stacks) for name, stacks in working.items()],
        notes=notes,
        pictures={
            "flame-intake": draw("Intake: bottombox consume at full rate", working["intake"]),
            "flame-claim": draw(f"Claim and resolve: bottombox api, {CLIENTS} clients", working["claim"]),
        },
    )


async def _intake(postgres: PostgresServer, count: int, samples: Path) -> Stacks:
    with KafkaBroker.start() as kafka:
        topic = await create_topic(kafka.bootstrap, "surveys", 6)
        dead = await create_topic(kafka.bootstrap, "dead", max_message_bytes=LARGEST)
        await send_all(kafka.bootstrap, topic, survey_answers(count))
        async with fresh_ledger(postgres) as url:
            group = unique_name("group")
            env = environment(database=url, kafka=kafka.bootstrap, topics=topic, dead_letters=dead, group=group)
            ledger = await asyncpg.connect(url)
            try:
                with Service.start("consume", env | {"SAMPLES": str(samples)}, module=SAMPLED):
                    async with asyncio.timeout(PATIENCE):
                        while await ledger.fetchval(ACCOUNTED) < count:  # noqa: ASYNC110 - another process moves it
                            await asyncio.sleep(0.02)
            finally:
                await ledger.close()
    return _read(samples)


async def _claims(postgres: PostgresServer, backlog: int, seconds: float, samples: Path) -> Stacks:
    async with fresh_ledger(postgres) as url:
        await open_backlog(url, backlog)
        advisors = await make_advisors(url, CLIENTS)
        with Service.start("api", api_environment(url) | {"SAMPLES": str(samples)}, module=SAMPLED) as api:
            async with knockers(api.http, CLIENTS) as clients:
                await ask_for(seconds, clients, [each.cycle for each in advisors])
    return _read(samples)


def _read(samples: Path) -> Stacks:
    return read_stacks(samples.read_text())


def _working(stacks: Stacks) -> Stacks:
    """Without those that waited, and without what is below the event loop."""
    found: Stacks = Counter()
    for stack, count in stacks.items():
        if stack[-1].startswith(LOOP) or "asyncio.runners:Runner.run" not in stack:
            continue
        inner = stack[stack.index("asyncio.runners:Runner.run") + 1 :]
        found[inner] += count
    return found


def _share(part: Mapping[tuple[str, ...], int], whole: Mapping[tuple[str, ...], int]) -> float:
    return sum(part.values()) / max(1, sum(whole.values()))


def _table(name: str, stacks: Stacks) -> Table:
    own, total = own_time(stacks), max(1, sum(stacks.values()))
    rows: list[tuple[Cell, ...]] = [(package, 100 * count / total) for package, count in own.most_common(12)]
    return Table(title=f"{name}: whose function was running itself", columns=("package", "% of samples"), rows=rows)
