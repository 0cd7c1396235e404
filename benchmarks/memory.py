"""How much memory a consumer takes at full rate over ten million records, and whether it grows.

One `bottombox consume` process reads them all, so that what it would keep of each record adds up. A million answers are
sent ten times over: the first time they are new, then they are duplicates.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from msgspec import Struct

from benchmarks.answers import survey_answers
from benchmarks.goals import Figure
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.results import Cell, Findings, Table
from benchmarks.sending import send_all
from consumers.intake.dead_letters import LARGEST
from tests.parts.kafka import KafkaBroker
from tests.parts.service import Service, environment
from tests.parts.topics import create_topic, unique_name

PARTITIONS = 6
PASSES = 10
EVERY = 0.5  # seconds between looks
PATIENCE = 3600.0  # seconds for all records
ACCOUNTED = "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM partitions"
COUNTS = """SELECT (SELECT count(*) FROM responses), (SELECT sum((outcomes ->> 'duplicate')::bigint) FROM partitions)::bigint,
    (SELECT count(*) FROM alerts)"""


class Look(Struct, frozen=True):
    """The process at one moment: seconds since the first, records accounted for, MiB that it holds."""

    at: float
    records: int
    mib: float


async def run(quick: bool) -> Findings:
    answers = survey_answers(2_000 if quick else 1_000_000)
    bottom, count = sum(each.is_bottom for each in answers), len(answers)
    with durable_postgres() as postgres, KafkaBroker.start() as kafka:
        await make_template(postgres)
        topic = await create_topic(kafka.bootstrap, "surveys", PARTITIONS)
        dead = await create_topic(kafka.bootstrap, "dead", max_message_bytes=LARGEST)
        for _ in range(PASSES):
            await send_all(kafka.bootstrap, topic, answers)
        del answers
        async with fresh_ledger(postgres) as url:
            group = unique_name("group")
            env = environment(database=url, kafka=kafka.bootstrap, topics=topic, dead_letters=dead, group=group)
            ledger = await asyncpg.connect(url)
            try:
                with Service.start("consume", env) as consumer:
                    looks = await _watch(consumer.pid, ledger, count * PASSES)
                counted = await ledger.fetchrow(COUNTS)
            finally:
                await ledger.close()
        notes = [await conditions(postgres)]
    assert counted is not None
    assert tuple(counted) == (count, count * (PASSES - 1), bottom), tuple(counted)
    return _findings(looks, count * PASSES, notes)


async def _watch(pid: int, ledger: asyncpg.Connection[asyncpg.Record], wanted: int) -> list[Look]:
    """From the first committed batch until all records are accounted for."""
    loop = asyncio.get_running_loop()
    looks: list[Look] = []
    begun, records = loop.time(), 0
    async with asyncio.timeout(PATIENCE):
        while records < wanted:
            records = await ledger.fetchval(ACCOUNTED)
            if records:
                looks.append(Look(loop.time() - begun, records, resident_mib(pid)))
            await asyncio.sleep(EVERY if wanted > 100_000 else 0.02)
    return looks


def resident_mib(pid: int) -> float:
    """What of a process lies in memory (proc(5), VmRSS)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _findings(looks: Sequence[Look], total: int, notes: list[str]) -> Findings:
    tenths = [
        [look for look in looks if tenth * total < look.records * PASSES <= (tenth + 1) * total]
        for tenth in range(PASSES)
    ]
    rows: list[tuple[Cell, ...]] = []
    for number, part in enumerate(tenths, start=1):
        mib = [look.mib for look in part] or [looks[-1].mib]
        rate = (part[-1].records - part[0].records) / (part[-1].at - part[0].at) if len(part) > 1 else None
        what = "new" if number == 1 else "duplicates"
        rows.append((f"tenth {number} of the records, {what}", statistics.median(mib), min(mib), max(mib), rate))
    peak = max(look.mib for look in looks)
    drift = float(rows[-1][1] or 0) / float(rows[1][1] or 1)
    return Findings(
        name="memory",
        tables=[
            Table(
                title=f"MiB of one consumer over {total:,} records, {PASSES} times the same {total // PASSES:,}",
                columns=("", "median", "lowest", "highest", "records a second"),
                rows=rows,
            )
        ],
        notes=[f"{len(looks):,} looks at VmRSS", *notes],
        figures={"memory.peak": Figure(peak, peak), "memory.drift": Figure(drift, drift)},
    )
