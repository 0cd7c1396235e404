"""How long after produce() an alert is committed, at 50 answers a second, beside the least that it could take.

The floor is what Kafka and PostgreSQL need by themselves: from produce() to the return of a bare consumer's getmany,
plus one row inserted and committed. The consumer under test is the service's own, metrics included, in this process,
so that one clock sees both ends.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.results import Cell, Findings, Table
from benchmarks.rounds import Round, Values, interleave, kept, median, percentile, ratios, undisturbed
from benchmarks.street import RATE, open_street
from tests.parts.kafka import KafkaBroker

WARM_UP = 50


async def run(quick: bool) -> Findings:
    count, times = (40, 2) if quick else (250, 5)
    samples: dict[str, list[float]] = {"alert": [], "poll": [], "row": []}
    with durable_postgres() as postgres, KafkaBroker.start() as kafka:
        await make_template(postgres)
        async with fresh_ledger(postgres) as url, open_street(kafka.bootstrap, url) as street:

            async def measure(name: str, step: Callable[[int], Awaitable[list[float]]]) -> Values:
                found = await step(count)
                samples[name] += found
                return {f"{name} p50": percentile(found, 0.5), f"{name} p99": percentile(found, 0.99)}

            await asyncio.gather(street.alerts(WARM_UP), street.polls(WARM_UP), street.rows(WARM_UP))
            rounds = await interleave(
                {
                    "alert": lambda: measure("alert", street.alerts),
                    "poll": lambda: measure("poll", street.polls),
                    "row": lambda: measure("row", street.rows),
                },
                times,
            )
            stored = await street.floor.fetchval("SELECT count(*) FROM alerts")
            assert stored == count * times + WARM_UP, f"{stored} alerts were stored"
            notes = [kept(rounds), await conditions(postgres)]
    return _findings(rounds, samples, notes)


def _findings(rounds: Sequence[Round], samples: dict[str, list[float]], notes: list[str]) -> Findings:
    for each in rounds:
        for share in ("p50", "p99"):
            each.values[f"floor {share}"] = each.values[f"poll {share}"] + each.values[f"row {share}"]
    good = undisturbed(rounds)
    table = Table(
        title=f"Milliseconds at {RATE} answers a second, each of which is an alert (medians of rounds)",
        columns=("", "p50", "p99", "p50 x floor", "p99 x floor", "p50 of all", "p99 of all"),
        rows=[
            _row(good, "alert", "produce() -> alert committed", samples["alert"]),
            _row(good, "floor", "floor: the two below together", []),
            _row(good, "poll", "produce() -> getmany of a bare consumer", samples["poll"]),
            _row(good, "row", "one row inserted and committed", samples["row"]),
        ],
    )
    return Findings(
        name="latency",
        tables=[table],
        notes=[
            f"{len(samples['alert']):,} alerts; the producer and the service's own consumer run in this process",
            "'of all' counts every answer, those of dropped rounds too",
            "the floor's p99 is the sum of two, which is more than the p99 of the sum",
            *notes,
        ],
    )


def _row(good: Sequence[Round], name: str, title: str, sample: Sequence[float]) -> tuple[Cell, ...]:
    measured = [median(good, f"{name} {share}") for share in ("p50", "p99")]
    beside = [statistics.median(ratios(good, f"{name} {share}", f"floor {share}")) for share in ("p50", "p99")]
    return (title, *measured, *beside, *((percentile(sample, share) if sample else None) for share in (0.5, 0.99)))
