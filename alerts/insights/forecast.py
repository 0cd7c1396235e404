"""How many promised times will be missed until the calling day ends, if it goes on as in the last hours."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from alerts.insights.normal import Z95

HOUR = timedelta(hours=1)


class Owed(Struct, frozen=True):
    """A callback that waits, or will: `arrives`, its place in the queue (`rank`, the earliest first), its `due` time."""

    arrives: datetime
    rank: datetime
    due: datetime


class Pace(Struct, frozen=True):
    """So many callbacks were handled within so many hours (above zero)."""

    handled: int
    hours: float


class Forecast(Struct, frozen=True):
    """`will_miss` of the `due` ones that come due until the end of the day, the first of them at `first_at`.

    `low` and `high`: the same if the true pace lies at the upper and lower end of its 95 % interval. `overdue` ones are
    late already, not counted in `will_miss`, but still to be handled. `arriving`: how many of all are yet to come.
    """

    due: int
    will_miss: int
    low: int
    high: int
    first_at: datetime | None
    overdue: int
    arriving: int
    pace: Pace


def forecast(owed: Iterable[Owed], pace: Pace, now: datetime, until: datetime) -> Forecast:
    """Hands the callbacks out one by one in the order of the queue, at the pace of the last hours.

    The pace's interval is the score interval of a Poisson rate: h + z^2/2 -+ z sqrt(h + z^2/4) of h handled (L. Barker,
    "A comparison of nine confidence intervals for a Poisson parameter", The American Statistician 56 (2002) 85-89).
    """
    queue = sorted(owed, key=lambda each: each.arrives)
    squared = Z95 * Z95
    middle, reach = pace.handled + squared / 2, Z95 * math.sqrt(pace.handled + squared / 4)
    missed, fewest, most = (
        list(_missed(queue, handled / pace.hours, now, until))
        for handled in (float(pace.handled), middle + reach, max(0.0, middle - reach))
    )
    return Forecast(
        due=sum(now < each.due <= until for each in queue),
        will_miss=len(missed),
        low=len(fewest),
        high=len(most),
        first_at=min(missed, default=None),
        overdue=sum(each.due <= now for each in queue),
        arriving=sum(each.arrives > now for each in queue),
        pace=pace,
    )


def again(recent: Sequence[Owed], over: timedelta, until: datetime) -> list[Owed]:
    """What will arrive, if the next hours bring what the last ones (`over`) brought: the same, as often as it fits."""
    coming = []
    for each in recent:
        shift = over
        while each.arrives + shift <= until:
            coming.append(Owed(each.arrives + shift, each.rank + shift, each.due + shift))
            shift += over
    return coming


def _missed(queue: Sequence[Owed], per_hour: float, now: datetime, until: datetime) -> Iterator[datetime]:
    """The due times that pass unserved; `queue` in the order of arrival."""
    waiting: list[tuple[datetime, datetime]] = []
    coming = iter(queue)
    upcoming = next(coming, None)
    for at in _moments(per_hour, now, until):
        while upcoming is not None and upcoming.arrives <= at:
            heapq.heappush(waiting, (upcoming.rank, upcoming.due))
            upcoming = next(coming, None)
        if waiting:
            _, due = heapq.heappop(waiting)
            if now < due < at:
                yield due
    yield from (due for _, due in waiting if now < due <= until)
    while upcoming is not None:
        if now < upcoming.due <= until:
            yield upcoming.due
        upcoming = next(coming, None)


def _moments(per_hour: float, now: datetime, until: datetime) -> Iterator[datetime]:
    """When the next callback is taken, one after the other."""
    if per_hour <= 0:
        return
    each = HOUR / per_hour
    for number in range(1, int((until - now) / each) + 1):
        yield now + number * each
