"""How far apart two shares are, and the range in which the true distance may lie."""

from __future__ import annotations

import math

from msgspec import Struct

from alerts.insights.share import Count, wilson


class Difference(Struct, frozen=True):
    """First share minus second, in [-1, 1], with its 95 % interval; None when one of them is of nothing."""

    value: float | None
    low: float | None
    high: float | None


def difference(first: Count, second: Count, *, weight: float = 1.0) -> Difference:
    """The difference with Newcombe's hybrid score interval.

    `weight` in (0, 1] says how much one answer tells when answers of one day resemble each other; the interval is then
    that of `weight` times as many answers.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of
    eleven methods", Statistics in Medicine 17 (1998) 873-890, method 10. The weight: J. N. K. Rao and A. J. Scott,
    "A simple method for the analysis of clustered binary data", Biometrics 48 (1992) 577-585.
    """
    if not first.of or not second.of:
        return Difference(None, None, None)
    p1, p2 = first.count / first.of, second.count / second.of
    low1, high1 = wilson(first.count * weight, first.of * weight)
    low2, high2 = wilson(second.count * weight, second.of * weight)
    low = p1 - p2 - math.hypot(p1 - low1, high2 - p2)
    high = p1 - p2 + math.hypot(high1 - p1, p2 - low2)
    return Difference(p1 - p2, low, high)
