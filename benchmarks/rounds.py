"""Runs variants side by side in rounds, so that their ratio means something on a machine whose speed wanders.

In each round every variant runs once, in random order, with a fixed piece of work timed before and after each of
them. A round in which that work took another time than usual was disturbed, and is dropped.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import Struct

from benchmarks.goals import Figure
from benchmarks.results import Cell

SPIN_STEPS = 200_000
TOLERANCE = 0.25
"""A round whose spin is further from the median of all rounds than this share is dropped."""

Values = dict[str, float]
Variant = Callable[[], Awaitable[Values]]


class Round(Struct, frozen=True):
    """What every variant of a round measured, and the fixed work's milliseconds meanwhile."""

    values: Values
    spin_ms: float


async def interleave(variants: Mapping[str, Variant], times: int, *, seed: int = 20_261_123) -> list[Round]:
    """`times` rounds, disturbed ones among them. A variant returns what it measured, by names of its own."""
    dice = random.Random(seed)
    rounds = []
    for _ in range(times):
        order = dice.sample(sorted(variants), len(variants))
        values: Values = {}
        spins = [spin()]
        for name in order:
            values |= await variants[name]()
            spins.append(spin())
        rounds.append(Round(values, statistics.median(spins)))
    return rounds


def undisturbed(rounds: Sequence[Round]) -> list[Round]:
    usual = statistics.median(each.spin_ms for each in rounds)
    return [each for each in rounds if abs(each.spin_ms / usual - 1) <= TOLERANCE]


def spin() -> float:
    """Milliseconds that a fixed piece of work takes now; the median of five."""
    return statistics.median(_spin() for _ in range(5))


def _spin() -> float:
    start = time.perf_counter()
    total = 0
    for number in range(SPIN_STEPS):
        total += number & 7
    return (time.perf_counter() - start) * 1000


def median(rounds: Sequence[Round], name: str) -> float:
    return statistics.median(each.values[name] for each in rounds)


def ratios(rounds: Sequence[Round], name: str, floor: str) -> list[float]:
    """`name` / `floor` of each round, the smallest first."""
    return sorted(each.values[name] / each.values[floor] for each in rounds)


def figure(rounds: Sequence[Round], name: str, floor: str, *, is_most: bool = False) -> Figure:
    """`name` / `floor`: the median and the worst round. `is_most`: much of it is bad."""
    found = ratios(rounds, name, floor)
    return Figure(statistics.median(found), found[-1] if is_most else found[0])


def compared(rounds: Sequence[Round], title: str, name: str, floor: str) -> tuple[Cell, ...]:
    """A row of a table: title, median, smallest, largest, and the ratio to the floor: median, smallest, largest."""
    found = sorted(each.values[name] for each in rounds)
    beside = ratios(rounds, name, floor)
    return (
        title,
        statistics.median(found),
        found[0],
        found[-1],
        statistics.median(beside),
        beside[0],
        beside[-1],
    )


def kept(rounds: Sequence[Round]) -> str:
    """A sentence about the rounds, for the notes."""
    good = undisturbed(rounds)
    spins = [each.spin_ms for each in rounds]
    return (
        f"{len(good)} of {len(rounds)} rounds kept; the fixed work took {min(spins):.1f} to {max(spins):.1f} ms"
        f" (a round more than {TOLERANCE:.0%} from the median is dropped)"
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of `values` do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(0, min(len(ordered), rank) - 1)]
