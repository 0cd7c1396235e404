"""Which points of a chart say that something has changed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from alerts.insights.chart import Limits
from alerts.insights.share import Count

RUN = 9
_ROUNDING = 1e-12


class Signal(StrEnum):
    HIGH = "high"  # above the upper limit: this point alone
    LOW = "low"  # below the lower limit
    RUN = "run"  # the ninth point in a row, or a later one, on the same side of the center


def signals(points: Sequence[tuple[Count, Limits | None]]) -> tuple[Signal | None, ...]:
    """One for each point, in their order. A point without answers or limits says nothing and breaks no run.

    Sources: one point beyond the limits is rule 1 of the Western Electric Statistical Quality Control Handbook (1956);
    the run of nine is rule 2 of L. S. Nelson, "The Shewhart control chart: tests for special causes", Journal of
    Quality Technology 16 (1984) 237-239.
    """
    found: list[Signal | None] = []
    side = run = 0
    for count, limits in points:
        if limits is None or not count.of:
            found.append(None)
            continue
        now = _side(count, limits)
        run = run + 1 if now == side and now else abs(now)
        side = now
        found.append(_beyond(count, limits) or (Signal.RUN if run >= RUN else None))
    return tuple(found)


def _side(count: Count, limits: Limits) -> int:
    gap = count.count / count.of - limits.center
    return (gap > _ROUNDING) - (gap < -_ROUNDING)


def _beyond(count: Count, limits: Limits) -> Signal | None:
    share = count.count / count.of
    if share > limits.high + _ROUNDING:
        return Signal.HIGH
    return Signal.LOW if share < limits.low - _ROUNDING else None
