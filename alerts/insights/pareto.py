"""The few causes that make most of the trouble, in the order of their weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from alerts.insights.share import Share, share_of

Name = TypeVar("Name", str, tuple[str, ...])


class Bar(Struct, Generic[Name], frozen=True):
    """`share` of all, and `cumulative`: the share of this bar and all before it, in [0, 1]."""

    name: Name
    share: Share
    cumulative: float


def pareto(counts: Mapping[Name, int]) -> tuple[Bar[Name], ...]:
    """The largest first, equals in the order of their names; without those that never happened.

    Source: J. M. Juran, "Universals in management planning and controlling", Management Review 43 (1954) 748-761.
    """
    of, so_far = sum(counts.values()), 0
    bars = []
    for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        if count:
            so_far += count
            bars.append(Bar(name, share_of(count, of), so_far / of))
    return tuple(bars)
