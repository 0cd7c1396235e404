"""How much more the days differ than chance alone would make them: weather, campaigns, one bad Monday.

The figure is the sigma_z of Laney's charts: 1 when chance explains everything, 2 when the swings are twice as wide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from alerts.insights.share import Count, total

LEAST_POINTS = 8
"""Of fewer points nothing is said."""

_MEAN_RANGE = 2 / math.sqrt(math.pi)
"""1.128: the mean distance of two draws from a standard normal distribution (d2 of subgroups of two)."""


class Unrest(Struct, frozen=True):
    """`sigma_z` as it was found among points of `answers` each, on average, from so many moving ranges."""

    sigma_z: float
    answers: float
    ranges: int

    def at(self, of: int) -> float:
        """The sigma_z of a point of `of` answers: what makes a day a bad day does not average out with more answers.

        Source: the variance inflation 1 + (n - 1) rho of D. A. Williams, "Extra-binomial variation in logistic linear
        models", Applied Statistics 31 (1982) 144-148, with n for n - 1.
        """
        if self.sigma_z == 1:
            return 1.0
        return math.sqrt(1 + (self.sigma_z**2 - 1) * of / self.answers)


def unrest(series: Iterable[Sequence[Count]]) -> Unrest:
    """From the mean moving range of the points' z-scores, over all series (each alike in itself: one hour of the week).

    Never below 1: days that happen to be alike do not make us surer than chance allows. 1 too when all series together
    have fewer ranges than eight points give. Neighbours are compared, so that a slow drift is not taken for unrest.

    Source: D. B. Laney, "Improved control charts for attributes", Quality Engineering 14 (2002) 531-537.
    """
    varying = [points for points in map(_answered, series) if _varies(points)]
    answers = [point.of for points in varying for point in points]
    ranges = [each for points in varying for each in moving_ranges(_z_scores(points))]
    return Unrest(sigma_of(ranges), sum(answers) / len(answers) if answers else 0.0, len(ranges))


def moving_ranges(scores: Sequence[float]) -> list[float]:
    return [abs(later - earlier) for earlier, later in pairwise(scores)]


def sigma_of(ranges: Sequence[float]) -> float:
    """The same from the moving ranges of z-scores."""
    if len(ranges) < LEAST_POINTS - 1:
        return 1.0
    return max(1.0, math.fsum(ranges) / len(ranges) / _MEAN_RANGE)


def _answered(points: Sequence[Count]) -> list[Count]:
    return [point for point in points if point.of]


def _varies(points: Sequence[Count]) -> bool:
    """Where all, or none at all, were bad there is nothing to measure."""
    all_ = total(points)
    return 0 < all_.count < all_.of


def _z_scores(points: Sequence[Count]) -> list[float]:
    all_ = total(points)
    center = all_.count / all_.of
    return [(point.count / point.of - center) / math.sqrt(center * (1 - center) / point.of) for point in points]


def usual_rate(past: Count) -> float:
    """The rate to expect after `past` (not empty), never quite nothing or everything.

    None bad of a hundred does not mean that the first bad one is a miracle; then one of the hundred is assumed.
    """
    return min(max(past.count, 1), max(past.of - 1, 1)) / max(past.of, 2)
