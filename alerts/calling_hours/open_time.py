"""Adds up the time in which places are open, all of them at once, without a walk through the years.

Between two changes of a clock every week is like the next: such stretches are reckoned, and what the closed days of
them would have had is taken off. Only the days about a change that touches opening hours, and days that have other
hours than usual, are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct

from alerts.calling_hours.wall_clock import DAY, WEEK, bounded, changes_between, later, moment, offset, shown, whole_day
from alerts.calling_hours.week import Usual, Week

Interval = tuple[datetime, datetime]

NEAR = 2 * WEEK
"""So much is looked at day by day: reckoning would not be quicker."""

FOLLOWED = timedelta(days=400)
"""So far back from the end, changes of the clock and days that differ are followed; before, the usual week counts."""

_ABOUT = timedelta(hours=50)
"""A change of the clock is felt so far away at most: a zone may leave a whole day out, or have it twice."""

_MONDAY = datetime(1, 1, 1, tzinfo=UTC)
_NOTHING = timedelta()


class Clock(Protocol):
    """What must be known of a place: its clock, its week, and its slots as they are."""

    @property
    def zone(self) -> ZoneInfo: ...

    @property
    def week(self) -> Week: ...

    def slots(self, start: datetime, end: datetime) -> Iterator[Interval]: ...


class Pattern(Struct, frozen=True):
    """What is open in every week of a stretch: times since Monday 00:00 UTC, in order and apart."""

    slots: tuple[tuple[timedelta, timedelta], ...]

    @property
    def in_a_week(self) -> timedelta:
        return sum((closes - opens for opens, closes in self.slots), _NOTHING)

    def between(self, start: datetime, end: datetime) -> timedelta:
        return self._until(end) - self._until(start)

    def _until(self, at: datetime) -> timedelta:
        weeks, rest = divmod(at - _MONDAY, WEEK)
        parts = (min(max(rest - opens, _NOTHING), closes - opens) for opens, closes in self.slots)
        return weeks * self.in_a_week + sum(parts, _NOTHING)


class Stretch(Struct, frozen=True):
    """A part of time, and the pattern of its weeks; None when its days must be looked at."""

    begin: datetime
    end: datetime
    pattern: Pattern | None = None


def open_time(clocks: Sequence[Clock], start: datetime, end: datetime) -> timedelta:
    """How much of [start, end) is open on all clocks."""
    start, end = bounded(start), bounded(end)
    if end - start <= NEAR:
        return _looked_at(clocks, start, end)
    seam, usual = _before_it_is_followed(clocks, start, end)
    return usual + sum((_within(clocks, stretch) for stretch in stretches(clocks, seam, end)), _NOTHING)


def shared(clocks: Sequence[Clock], start: datetime, end: datetime) -> Iterator[Interval]:
    """The whole slots, open on all clocks at once, that reach into [start, end)."""
    if len(clocks) == 1:
        yield from clocks[0].slots(start, end)
        return
    each = [clock.slots(start, end) for clock in clocks]
    slots = [slot for slot in (next(its, None) for its in each) if slot is not None]
    while len(slots) == len(each):
        opens, closes = max(slot[0] for slot in slots), min(slot[1] for slot in slots)
        if opens < closes:
            yield opens, closes
        moved = (next(its, None) if slot[1] == closes else slot for slot, its in zip(slots, each, strict=True))
        slots = [slot for slot in moved if slot is not None]


def shared_from(clocks: Sequence[Clock], start: datetime, end: datetime) -> Iterator[Interval]:
    """Like `shared`, but for a search: stretches that share nothing are passed over. A slot may come twice in a row."""
    start, end = bounded(start), bounded(end)
    near = min(later(start, NEAR), end)
    yield from shared(clocks, start, near)
    for stretch in stretches(clocks, near, end):
        if stretch.pattern is None or stretch.pattern.slots:
            yield from shared(clocks, stretch.begin, stretch.end)


def stretches(clocks: Sequence[Clock], start: datetime, end: datetime) -> Iterator[Stretch]:
    """[start, end) in order and without gaps."""
    at = start
    for begin, until in _interruptions(clocks, start, end):
        if at < begin:
            yield Stretch(at, begin, _pattern_at(clocks, at))
        if begin < until:
            yield Stretch(begin, until)
        at = until
    if at < end:
        yield Stretch(at, end, _pattern_at(clocks, at))


def _within(clocks: Sequence[Clock], stretch: Stretch) -> timedelta:
    if stretch.pattern is None:
        return _looked_at(clocks, stretch.begin, stretch.end)
    closed = _joined(_closed_parts(clocks, stretch), stretch.begin, stretch.end)
    lost = (stretch.pattern.between(begin, until) for begin, until in closed)
    return stretch.pattern.between(stretch.begin, stretch.end) - sum(lost, _NOTHING)


def _closed_parts(clocks: Sequence[Clock], stretch: Stretch) -> Iterator[Interval]:
    """When each clock would have been open on the days on which it is closed."""
    first, last = (stretch.begin - DAY).date(), (stretch.end + DAY).date()
    closed = {id(week): week.closed_days(first, last) for week in (clock.week for clock in clocks)}
    for clock in clocks:
        ahead = offset(clock.zone, stretch.begin)
        for day in closed[id(clock.week)]:
            usual, midnight = clock.week.usual[day.weekday()], datetime.combine(day, time(), UTC) - ahead
            yield midnight + timedelta(minutes=usual[0][0]), midnight + timedelta(minutes=usual[-1][1])


def _looked_at(clocks: Sequence[Clock], start: datetime, end: datetime) -> timedelta:
    slots = shared(clocks, start, end)
    return sum((min(closes, end) - max(opens, start) for opens, closes in slots), _NOTHING)


def _before_it_is_followed(clocks: Sequence[Clock], start: datetime, end: datetime) -> tuple[datetime, timedelta]:
    """Where the part begins that is followed, and what the usual week makes of the whole weeks before it."""
    if end - start <= FOLLOWED:
        return start, _NOTHING
    weeks = (end - start - FOLLOWED) // WEEK
    zone = clocks[0].zone
    seam = moment(zone, shown(zone, start) + weeks * WEEK, fold=0)
    return seam, weeks * _pattern_at(clocks, seam).in_a_week


def _interruptions(clocks: Sequence[Clock], start: datetime, end: datetime) -> Iterator[Interval]:
    """Where a stretch ends: in order and apart. One without length only changes the pattern."""
    found = (each for clock in clocks for each in (*_changes(clock, start, end), *_odd_days(clock, start, end)))
    return _joined(found, start, end)


def _joined(intervals: Iterable[Interval], start: datetime, end: datetime) -> Iterator[Interval]:
    """Cut to [start, end], in order, those that overlap or touch made one."""
    cut = sorted((max(begin, start), min(until, end)) for begin, until in intervals if begin < end and until > start)
    begun: Interval | None = None
    for begin, until in cut:
        if begun and begin <= begun[1]:
            begun = (begun[0], max(begun[1], until))
            continue
        if begun:
            yield begun
        begun = (begin, until)
    if begun:
        yield begun


def _changes(clock: Clock, start: datetime, end: datetime) -> Iterable[Interval]:
    for change in changes_between(clock.zone, later(start, -_ABOUT), later(end, _ABOUT)):
        touched = _touches_a_slot(clock, change)
        yield (later(change, -_ABOUT), later(change, _ABOUT)) if touched else (change, change)


def _touches_a_slot(clock: Clock, change: datetime) -> bool:
    """Whether any slot has to do with the times that the clock leaves out or shows twice."""
    after = shown(clock.zone, change)
    before = after - offset(clock.zone, change) + offset(clock.zone, change - timedelta(seconds=1))
    first, last = min(before, after), max(before, after)
    days = (first + shift * DAY for shift in range(-1, (last - first) // DAY + 2))
    midnights = [datetime.combine(day.date(), time()) for day in days]
    return any(
        midnight + timedelta(minutes=opens) <= last and midnight + timedelta(minutes=closes) >= first
        for midnight in midnights
        for opens, closes in clock.week.on(midnight.date())
    )


def _odd_days(clock: Clock, start: datetime, end: datetime) -> Iterable[Interval]:
    first, last = shown(clock.zone, start).date() - DAY, shown(clock.zone, end).date() + DAY
    return (whole_day(clock.zone, day) for day in clock.week.odd_days(first, last))


def _pattern_at(clocks: Sequence[Clock], at: datetime) -> Pattern:
    return _pattern(tuple((clock.week.usual, offset(clock.zone, at)) for clock in clocks))


@lru_cache(maxsize=8192)
def _pattern(weeks: tuple[tuple[Usual, timedelta], ...]) -> Pattern:
    first, *others = (_in_utc(usual, ahead) for usual, ahead in weeks)
    for other in others:
        both = ((max(a[0], b[0]), min(a[1], b[1])) for a in first for b in other)
        first = [(opens, closes) for opens, closes in both if opens < closes]
    return Pattern(tuple(sorted(first)))


def _in_utc(usual: Usual, ahead: timedelta) -> list[tuple[timedelta, timedelta]]:
    """A week's slots on the clock of UTC; what reaches over its end begins it."""
    slots = [
        (day * DAY + timedelta(minutes=opens) - ahead, day * DAY + timedelta(minutes=closes) - ahead)
        for day, minutes in enumerate(usual)
        for opens, closes in minutes
    ]
    turned = ((opens + turn * WEEK, closes + turn * WEEK) for opens, closes in slots for turn in (-1, 0, 1))
    cut = ((max(opens, _NOTHING), min(closes, WEEK)) for opens, closes in turned)
    return [(opens, closes) for opens, closes in cut if opens < closes]
