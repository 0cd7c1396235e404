"""Nine o'clock: very many callbacks become callable at once, and advisors go on claiming meanwhile.

The ledger's clock is put to nine. A `bottombox work` process, the real one, turns the callbacks in small batches; the
advisors claim at a steady pace until all are ready, and once more in the quiet afterwards.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg

from benchmarks.crowd import grow
from benchmarks.desk import Desk
from benchmarks.ledgers import fresh_ledger
from benchmarks.pace import ticks
from benchmarks.results import Cell, Table
from benchmarks.rounds import percentile
from tests.parts.clock import MOVABLE_CLOCK, Clock
from tests.parts.postgres import PostgresServer
from tests.parts.service import Service, environment
from tests.parts.topics import unique_name

ZONE = "Africa/Abidjan"  # on UTC all year
PACE = 50  # claims a second
PATIENCE = 300.0  # seconds
NOBODY = "127.0.0.1:9"  # timers need no Kafka

LEFT = "SELECT EXISTS (SELECT FROM callbacks WHERE wake_at <= ledger_now())"
LOOK_EVERY = 10  # claims


async def flood(postgres: PostgresServer, count: int) -> tuple[Table, str, float]:
    """What claims took, the plan of the claim's statement when all had just become ready, and p50 / p50 of the quiet.

    The statistics are then still those of the night, in which nothing was.
    """
    async with fresh_ledger(postgres) as url:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(MOVABLE_CLOCK)
            clock = Clock(connection)
            night = datetime.now(UTC).replace(hour=3, minute=0) + timedelta(days=1)
            await clock.set(night)
            await grow(url, count, zone=ZONE, now=night)
            return await _nine_o_clock(url, clock, night.replace(hour=9, second=0), count)
        finally:
            await connection.close()


async def _nine_o_clock(url: str, clock: Clock, nine: datetime, count: int) -> tuple[Table, str, float]:
    loop = asyncio.get_running_loop()
    group = unique_name("group")
    env = environment(database=url, kafka=NOBODY, topics="none", dead_letters="none", group=group)
    async with Desk.open(url) as desk:
        with Service.start("work", env):
            assert not (await desk.claim())[1], "a callback may be claimed at night"
            await clock.set(nine)
            start = loop.time()
            during = await _claims_until_ready(desk)
            seconds = loop.time() - start
        plan = await desk.plan()
        after = [(await desk.claim())[0] async for _ in ticks(PACE, len(during))]
        turned = await desk.other.fetchval("SELECT count(*) FROM callbacks WHERE ready")
        assert turned == count, f"{turned} callbacks are ready"
    table = Table(
        title=f"Nine o'clock: {count:,} callbacks become ready in {seconds:.1f} s; milliseconds of claims at {PACE}/s",
        columns=("", "claims", "p50", "p99", "longest", "p50 x quiet", "p99 x quiet"),
        rows=[_row("until all are ready", during, after), _row("in the quiet afterwards", after, after)],
    )
    return table, plan, percentile(during, 0.5) / percentile(after, 0.5)


async def _claims_until_ready(desk: Desk) -> list[float]:
    """Milliseconds of each claim; those of the first moment, which find nothing, count too."""
    taken = []
    async for number in ticks(PACE, int(PACE * PATIENCE)):
        taken.append((await desk.claim())[0])
        if number % LOOK_EVERY == 0 and not await desk.other.fetchval(LEFT):
            return taken
    raise TimeoutError(f"not all were ready after {PATIENCE:.0f} s")


def _row(title: str, taken: list[float], quiet: list[float]) -> tuple[Cell, ...]:
    shares = (0.5, 0.99)
    found = [percentile(taken, share) for share in shares]
    beside = [percentile(taken, share) / percentile(quiet, share) for share in shares]
    return (title, len(taken), *found, max(taken), *beside)
