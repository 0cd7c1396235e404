"""Truths drawn at random, and what was counted of each: the same from the same seed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from random import Random

from scipy import stats

from alerts.insights.share import Count
from tests.parts.effort import EFFORT, FULL, times

DRAWS = times(2_000)


def truths(seed: int) -> list[tuple[int, float]]:
    """So many answers, and the true share of bad ones: from thin to thick, from rare to even."""
    random = Random(seed)
    return [(int(10 ** random.uniform(1.5, 4.5)), random.uniform(0.02, 0.6)) for _ in range(DRAWS)]


def counted(seed: int, drawn: Iterable[tuple[int, float]]) -> list[Count]:
    of, p = zip(*drawn, strict=True)
    return [Count(int(count), n) for count, n in zip(stats.binom.rvs(of, p, random_state=seed), of, strict=True)]


def slack(full: float, rate: float) -> float:
    """How far a found rate may lie from the true one: `full` of all draws; of a tenth, three standard errors."""
    return full if EFFORT >= FULL else max(full, 3 * (rate * (1 - rate) / DRAWS) ** 0.5)


def say(figure: str, value: object) -> None:
    """For whoever asks: `pytest -rP` shows it."""
    sys.stdout.write(f"{figure}: {value}\n")
