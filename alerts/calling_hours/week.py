"""What a week usually looks like at a place, and the days on which it differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta

from msgspec import Struct

DaySlots = tuple[tuple[int, int], ...]
"""Slots of one local day in minutes since midnight, in order and apart; 1440 is the next midnight."""

Usual = tuple[DaySlots, ...]
"""The slots of each of the seven days, Monday first."""

_DAY = timedelta(days=1)


def as_usual(year: int) -> Mapping[date, DaySlots]:
    """Of a week that no holiday disturbs."""
    return {}


class Week(Struct, frozen=True):
    """`differing` gives the days of a year that are not as usual (holidays, exceptions), each with its slots."""

    usual: Usual
    differing: Callable[[int], Mapping[date, DaySlots]] = as_usual

    def on(self, day: date) -> DaySlots:
        return self.differing(day.year).get(day, self.usual[day.weekday()])

    def open_days(self, first: date, last: date) -> Iterator[date]:
        """The days of [first, last] that have any slot, without a look at each day of a week that never opens."""
        if not any(self.usual):
            yield from (day for day in self._listed(first, last) if self.on(day))
            return
        day = first
        while day <= last:
            if self.on(day):
                yield day
            day += _DAY

    def odd_days(self, first: date, last: date) -> list[date]:
        """The days of [first, last] that have other slots than the usual ones, in order."""
        return [day for day in self._listed(first, last) if self.on(day) not in ((), self.usual[day.weekday()])]

    def closed_days(self, first: date, last: date) -> list[date]:
        """The days of [first, last] that have slots in a usual week, and none now, in order."""
        return [day for day in self._listed(first, last) if self.usual[day.weekday()] and not self.on(day)]

    def _listed(self, first: date, last: date) -> Iterator[date]:
        for year in range(first.year, last.year + 1):
            yield from sorted(day for day in self.differing(year) if first <= day <= last)


def apart(slots: Iterable[tuple[int, int]]) -> DaySlots:
    """Slots in order, those that overlap or touch made one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(slots):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)
