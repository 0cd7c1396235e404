"""A share of something, never without what it was counted from and the range in which the truth may lie."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import Struct

from alerts.insights.normal import Z95


class Count(Struct, frozen=True):
    """`count` of `of`: 12 bad answers of 40."""

    count: int
    of: int


class Share(Count, frozen=True):
    """`share`, and its 95 % interval by Wilson, all in [0, 1]; None of nothing."""

    share: float | None
    low: float | None
    high: float | None


def share_of(count: int, of: int) -> Share:
    """The share with Wilson's interval, which is honest of few answers and at both ends.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212.
    """
    if of == 0:
        return Share(count=count, of=0, share=None, low=None, high=None)
    low, high = wilson(count, of)
    return Share(count=count, of=of, share=count / of, low=low, high=high)


def wilson(count: float, of: float) -> tuple[float, float]:
    """The ends of the interval; `of` > 0. Fractions are taken, for counts that weigh less than one answer each."""
    squared = Z95 * Z95
    middle = (count + squared / 2) / (of + squared)
    reach = Z95 / (of + squared) * math.sqrt(count * (of - count) / of + squared / 4)
    low = 0.0 if count == 0 else middle - reach
    high = 1.0 if count == of else middle + reach
    return low, high


def total(counts: Iterable[Count]) -> Count:
    """All of them together."""
    parts = [(each.count, each.of) for each in counts]
    return Count(sum(count for count, _ in parts), sum(of for _, of in parts))
