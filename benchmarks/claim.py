"""How long a claim takes: with a thousand and with a million open callbacks, under a held snapshot, and at nine o'clock.

A claim is `claim_next` in a transaction of its own, as in the API. Each claimed callback is then put at the end of its
queue, as if it had been resolved and another had come, so that their number stays; that is not measured.
"""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg

from benchmarks.crowd import QUEUES, grow, zone_in_the_morning
from benchmarks.desk import Desk
from benchmarks.flood import flood
from benchmarks.goals import Figure
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.results import Findings, Table
from benchmarks.rounds import Values, compared, figure, interleave, kept, percentile, undisturbed
from tests.parts.postgres import PostgresServer

SLICES = 5


async def run(quick: bool) -> Findings:
    few, many = (1_000, 20_000) if quick else (1_000, 1_000_000)
    with durable_postgres() as postgres:
        await make_template(postgres)
        async with _crowd(postgres, few) as small, _crowd(postgres, many) as large:
            depth, notes, flat = await _by_depth(small, large, few, many, 60 if quick else 500, 3 if quick else 7)
            churned, plans, held = await _held_snapshot(small, large, 400 if quick else 12_000)
        flooded, plans["at nine o'clock"], nine = await flood(postgres, 2_000 if quick else 100_000)
        notes.append(await conditions(postgres))
    return Findings(
        name="claim",
        tables=[depth, churned, flooded],
        notes=notes,
        figures={"claim.depth": flat, "claim.held": Figure(held, held), "claim.flood": Figure(nine, nine)},
        plans=plans,
    )


@asynccontextmanager
async def _crowd(postgres: PostgresServer, count: int) -> AsyncIterator[Desk]:
    async with fresh_ledger(postgres) as url:
        now = datetime.now(UTC)
        await grow(url, count, zone=zone_in_the_morning(now), now=now)
        async with Desk.open(url) as desk:
            yield desk


async def _by_depth(
    small: Desk, large: Desk, few: int, many: int, claims: int, times: int
) -> tuple[Table, list[str], Figure]:
    async def measure() -> Values:
        measured = await _alternate(small, large, claims)
        return {
            f"{name} {share:.0%}": percentile(taken, share)
            for name, taken in zip(("few", "many"), measured, strict=True)
            for share in (0.5, 0.99)
        }

    await measure()  # to warm up; not counted
    rounds = await interleave({"both": measure}, times)
    good = undisturbed(rounds)
    table = Table(
        title=f"Milliseconds of a claim, {claims} a round in {QUEUES} queues (medians and extremes of rounds)",
        columns=("", "median", "lowest", "highest", f"x p50 of {few:,}", "lowest", "highest"),
        rows=[
            compared(good, f"p50, {few:,} open", "few 50%", "few 50%"),
            compared(good, f"p50, {many:,} open", "many 50%", "few 50%"),
            compared(good, f"p99, {few:,} open", "few 99%", "few 50%"),
            compared(good, f"p99, {many:,} open", "many 99%", "few 50%"),
        ],
    )
    return table, [kept(rounds)], figure(good, "many 50%", "few 50%", is_most=True)


async def _held_snapshot(small: Desk, large: Desk, claims: int) -> tuple[Table, dict[str, str], float]:
    """Churn with and without a transaction elsewhere that keeps every dead row from being removed.

    The small ledger, which nobody holds, is measured meanwhile: beside it the machine's own wandering falls out.
    """
    free = await _churn(small, large, claims)
    plans = {f"after {claims:,} claims": await large.plan()}
    holder = await asyncpg.connect(large.url)
    try:
        async with holder.transaction(isolation="repeatable_read", readonly=True):
            await holder.fetchval("SELECT count(*) FROM queues")  # the first statement takes the snapshot
            held = await _churn(small, large, claims)
            plans[f"after {claims:,} claims under a held snapshot"] = await large.plan()
    finally:
        await holder.close()
    table = Table(
        title=f"Milliseconds of a claim (p50) while {claims:,} are made, beside claims from the small ledger",
        columns=("", *(f"{number}/{SLICES}" for number in range(1, SLICES + 1)), "last x small", "x free"),
        rows=[
            ("nobody holds a snapshot", *(large for _, large in free), _beside(free), 1.0),
            ("a session holds one", *(large for _, large in held), _beside(held), _beside(held) / _beside(free)),
        ],
    )
    return table, plans, _beside(held) / _beside(free)


async def _churn(small: Desk, large: Desk, claims: int) -> list[tuple[float, float]]:
    """The p50 of the small and of the large ledger, slice by slice."""
    slices = []
    for _ in range(SLICES):
        taken = await _alternate(small, large, claims // SLICES, every=5)
        slices.append((statistics.median(taken[0]), statistics.median(taken[1])))
    return slices


def _beside(slices: list[tuple[float, float]]) -> float:
    small, large = slices[-1]
    return large / small


async def _alternate(small: Desk, large: Desk, claims: int, *, every: int = 1) -> tuple[list[float], list[float]]:
    """Milliseconds of claims from both, in turns, so that whatever disturbs one disturbs the other.

    `claims` from the large ledger, and one from the small after `every` of them.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(claims):
        taken[1].append(await _claim(large))
        if number % every == 0:
            taken[0].append(await _claim(small))
    return taken


async def _claim(desk: Desk) -> float:
    milliseconds, found = await desk.claim()
    assert found, "there was nothing to claim"
    return milliseconds
