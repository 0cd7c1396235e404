"""How long after produce() an alert is committed, at 50 and at 1,000 answers a second, beside the least that it could take.

The floor is what Kafka and PostgreSQL need by themselves: from produce() to the return of a bare consumer's getmany,
plus one row inserted and committed. The consumer under test is the service's own, metrics included, in this process,
so that one clock sees both ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from msgspec import Struct

from benchmarks.answers import BOTTOM_SHARE
from benchmarks.goals import Figure
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.results import Findings, Table
from benchmarks.rounds import Round, Values, compared, figure, interleave, kept, percentile, undisturbed
from benchmarks.street import Street, open_street
from tests.parts.kafka import KafkaBroker

WARM_UP = 50
SHARES = ("p50", "p99")
PARTS = ("alert", "poll", "row")


class Pace(Struct, frozen=True):
    """`rate` answers a second for `seconds`, of which `bad` are alerts."""

    rate: int
    bad: float
    seconds: float

    @property
    def count(self) -> int:
        return int(self.rate * self.seconds)

    @property
    def alerts(self) -> int:
        return int(self.count * self.bad)


async def run(quick: bool) -> Findings:
    paces = [Pace(50, 1.0, 0.8 if quick else 5.0), Pace(1_000, BOTTOM_SHARE, 0.8 if quick else 5.0)]
    times = 2 if quick else 5
    samples: dict[str, list[float]] = {}
    with durable_postgres() as postgres, KafkaBroker.start() as kafka:
        await make_template(postgres)
        async with fresh_ledger(postgres) as url, open_street(kafka.bootstrap, url) as street:
            await asyncio.gather(street.alerts(WARM_UP, 50, 1.0), street.polls(WARM_UP, 50), street.rows(WARM_UP, 50))
            variants = {
                f"{pace.rate} {part}": partial(_measure, f"{pace.rate} {part}", step, samples)
                for pace in paces
                for part, step in zip(PARTS, _steps(street, pace), strict=True)
            }
            rounds = await interleave(variants, times)
            stored = await street.floor.fetchval("SELECT count(*) FROM alerts")
            expected = times * sum(pace.alerts for pace in paces) + WARM_UP
            assert stored == expected, f"{stored} alerts were stored, {expected} bad answers were sent"
            notes = [kept(rounds), await conditions(postgres)]
    return _findings(paces, rounds, samples, notes)


def _steps(street: Street, pace: Pace) -> list[Callable[[], Awaitable[list[float]]]]:
    return [
        lambda: street.alerts(pace.count, pace.rate, pace.bad),
        lambda: street.polls(pace.count, pace.rate),
        lambda: street.rows(pace.alerts, pace.rate),
    ]


async def _measure(name: str, step: Callable[[], Awaitable[list[float]]], samples: dict[str, list[float]]) -> Values:
    found = await step()
    samples.setdefault(name, []).extend(found)
    return {f"{name} p50": percentile(found, 0.5), f"{name} p99": percentile(found, 0.99)}


def _findings(
    paces: Sequence[Pace], rounds: Sequence[Round], samples: dict[str, list[float]], notes: list[str]
) -> Findings:
    for each in rounds:
        for pace in paces:
            for share in SHARES:
                poll, row = (each.values[f"{pace.rate} {part} {share}"] for part in ("poll", "row"))
                each.values[f"{pace.rate} floor {share}"] = poll + row
    good = undisturbed(rounds)
    figures: dict[str, Figure] = {
        f"latency.{pace.rate} {share}": figure(
            good, f"{pace.rate} alert {share}", f"{pace.rate} floor {share}", is_most=True
        )
        for pace in paces
        for share in SHARES
    }
    return Findings(
        name="latency",
        tables=[_table(pace, good) for pace in paces],
        notes=[
            "the producer and the service's own consumer run in this process",
            *(_of_all(pace, samples[f"{pace.rate} alert"]) for pace in paces),
            "the floor's p99 is the sum of two, which is more than the p99 of the sum",
            *notes,
        ],
        figures=figures,
    )


def _table(pace: Pace, good: Sequence[Round]) -> Table:
    titles = {
        "alert": "produce() -> alert committed",
        "floor": "floor: the two below together",
        "poll": "F_poll: produce() -> getmany of a bare consumer",
        "row": "F_row: one row inserted and committed",
    }
    return Table(
        title=f"Milliseconds at {pace.rate:,} answers a second, {pace.bad:.0%} of them alerts (medians and extremes of rounds)",
        columns=("", "median", "lowest", "highest", "x floor", "lowest", "highest"),
        rows=[
            compared(good, f"{share}, {title}", f"{pace.rate} {part} {share}", f"{pace.rate} floor {share}")
            for share in SHARES
            for part, title in titles.items()
        ],
    )


def _of_all(pace: Pace, sample: Sequence[float]) -> str:
    p50, p99 = (percentile(sample, share) for share in (0.5, 0.99))
    return f"at {pace.rate:,}/s, {len(sample):,} alerts, those of dropped rounds too: p50 {p50:.1f}, p99 {p99:.1f} ms"
