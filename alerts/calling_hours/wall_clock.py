"""Says at which moment the clock on a zone's wall shows a time, and when that clock is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

EARLIEST = datetime(1, 2, 1, tzinfo=UTC)
LATEST = datetime(9999, 11, 30, tzinfo=UTC)
"""Between these we reckon. A little further on the calendar itself ends, and with it every sum of a time and a span."""

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)

_SECOND = timedelta(seconds=1)
_FEW_DAYS = 6 * 86_400


def bounded(at: datetime) -> datetime:
    """The moment in UTC, or the bound that it lies beyond."""
    return min(max(at, EARLIEST), LATEST).astimezone(UTC)


def later(at: datetime, span: timedelta) -> datetime:
    """`at` (one that is bounded) plus `span`, or the bound."""
    return at + min(max(span, EARLIEST - at), LATEST - at)


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    """How far the clock is ahead of UTC at a moment."""
    ahead = at.astimezone(zone).utcoffset()
    assert ahead is not None
    return ahead


def shown(zone: ZoneInfo, at: datetime) -> datetime:
    """What the clock shows at a moment; naive."""
    return at.astimezone(zone).replace(tzinfo=None)


def moment(zone: ZoneInfo, wall: datetime, *, fold: int) -> datetime:
    """When the clock shows `wall` (naive), in UTC.

    Of a time shown twice, `fold` 0 is the first and 1 the second; a time left out is the moment of the jump.
    """
    at = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return at if shown(zone, at) == wall else _jump(zone, wall)


def whole_day(zone: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    """From the first midnight to the last that the clock shows on a day."""
    midnight = datetime.combine(day, time())
    return moment(zone, midnight, fold=0), moment(zone, midnight + DAY, fold=1)


def changes_between(zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The moments in (start, end), in UTC and in order, from which the clock shows another offset."""
    years = range(start.year, end.year + 1)
    return [change for year in years for change in _changes_in(zone, year) if start < change < end]


def _jump(zone: ZoneInfo, wall: datetime) -> datetime:
    """The first second at which the clock shows `wall` or later, for a `wall` that it leaves out."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if shown(zone, middle) < wall:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=16_384)
def _changes_in(zone: ZoneInfo, year: int) -> tuple[datetime, ...]:
    """Looks every few days: no zone changes its clock and back sooner (a test asks each of them).

    Seconds of the epoch, as these are many questions and a datetime is dear.
    """
    first = max(datetime(year, 1, 1, tzinfo=UTC), EARLIEST)
    last = LATEST if year == LATEST.year else datetime(year + 1, 1, 1, tzinfo=UTC)
    begin, end = int(first.timestamp()) - 1, int(last.timestamp()) - 1
    looks = [*range(begin, end, _FEW_DAYS), end]
    shows = [_ahead(zone, look) for look in looks]
    steps = zip(pairwise(looks), pairwise(shows), strict=True)
    changes = (change for step, (was, then) in steps if was != then for change in _between(zone, *step))
    return tuple(datetime.fromtimestamp(change, UTC) for change in changes)


def _between(zone: ZoneInfo, at: int, until: int) -> Iterator[int]:
    while _ahead(zone, at) != _ahead(zone, until):
        at = _first_change(zone, at, until)
        yield at


def _first_change(zone: ZoneInfo, at: int, until: int) -> int:
    before = _ahead(zone, at)
    while until - at > 1:
        middle = (at + until) // 2
        if _ahead(zone, middle) == before:
            at = middle
        else:
            until = middle
    return until


def _ahead(zone: ZoneInfo, at: int) -> timedelta | None:
    return datetime.fromtimestamp(at, zone).utcoffset()
