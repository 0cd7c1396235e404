"""Between which limits a share moves while nothing has changed: the p-chart, as wide as the days really swing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from alerts.insights.binomial import at_least
from alerts.insights.dispersion import LEAST_POINTS, unrest, usual_rate
from alerts.insights.normal import upper_tail
from alerts.insights.share import Count, total

_REACH = 3.0
_THIN = 5.0
"""Where fewer answers of either kind are expected, the normal curve that the three sigma stand for does not fit."""


class Limits(Struct, frozen=True):
    """All in [0, 1], for one point of so many answers.

    `points` and `answers` are what they were counted from; `sigma_z` is how much wider than chance the past swung.
    """

    center: float
    low: float
    high: float
    sigma_z: float
    points: int
    answers: int


def limits(earlier: Sequence[Count], of: int) -> Limits | None:
    """The limits of a point of `of` answers, after its `earlier` ones in their order; None with fewer than eight.

    Center and three standard errors: W. A. Shewhart's p-chart (NIST/SEMATECH e-Handbook of Statistical Methods, section
    6.3.3.2), times Laney's sigma_z. Where a point has fewer than five expected answers of either kind, the limits are
    widened to the exact binomial ones of the same chance (D. C. Montgomery, Introduction to Statistical Quality Control,
    chapter 7).
    """
    points = [each for each in earlier if each.of]
    if len(points) < LEAST_POINTS:
        return None
    past, sigma_z = total(points), unrest([points]).sigma_z
    center = past.count / past.of
    low, high = _shewhart(center, of, sigma_z)
    if of and of * min(center, 1 - center) < _THIN:
        usual = usual_rate(past)
        low, high = min(low, 1 - _exact_high(of, 1 - usual)), max(high, _exact_high(of, usual))
    return Limits(center, low, high, sigma_z, len(points), past.of)


def _shewhart(center: float, of: int, sigma_z: float) -> tuple[float, float]:
    if not of:
        return 0.0, 1.0
    reach = _REACH * sigma_z * math.sqrt(center * (1 - center) / of)
    return max(0.0, center - reach), min(1.0, center + reach)


def _exact_high(of: int, p: float) -> float:
    """The smallest share above which a count comes as rarely as one beyond three sigma."""
    rare = upper_tail(_REACH)
    count = int(of * p)
    while at_least(count + 1, of, p) > rare:
        count += 1
    return count / of
