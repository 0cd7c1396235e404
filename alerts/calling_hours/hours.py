"""Counts the time in which a place is open: slots of the local week, holidays, and days that differ.

A slot is meant as the clock on the wall shows it, so on a day the clocks change it may be longer or shorter.
All moments that go in and come out are aware; what comes out is in UTC. Intervals never include their end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from alerts.calling_hours.geography import country_of_zone
from alerts.calling_hours.open_time import NEAR, Interval, open_time
from alerts.calling_hours.public_holidays import holidays_in
from alerts.calling_hours.wall_clock import DAY, bounded, later, moment, shown
from alerts.calling_hours.week import DaySlots, Week, apart
from alerts.errors import Misconfigured
from alerts.policy import DAYS, Calendar, Policy, Slot

HORIZON = timedelta(days=400)
"""How far ahead the next opening is looked for: more than a year, for places that open on one day of it."""

LONGEST = 10 * HORIZON
"""No deadline lies further away than ten years."""

Closed = Callable[[int], Collection[date]]
"""The days of a year that are closed."""


def no_day_off(year: int) -> Collection[date]:
    return ()


class Hours:
    """The opening hours of a place: its week, on the clock of its zone.

    Of a time that the clock shows twice, a slot begins at the first and ends at the second, so that no hour
    is lost; `narrow` turns that round, so that the clock shows no time outside the slot while it is open.
    A time that the clock leaves out is the moment at which it was left out.
    """

    def __init__(self, zone: str, week: Week, *, narrow: bool = False) -> None:
        self.zone = ZoneInfo(zone)
        self.week = week
        self._narrow = narrow
        self._day = lru_cache(maxsize=1024)(self._intervals_of)
        # A batch asks for a few durations from one moment on, again and again.
        self._added = lru_cache(maxsize=256)(self._add)
        self._opened = lru_cache(maxsize=256)(self._open_seconds)

    def slots(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """Every slot that is open within [start, end): whole, in order, not overlapping, not joined."""
        start, end = bounded(start), bounded(end)
        first, last = shown(self.zone, start).date() - DAY, shown(self.zone, end).date() + DAY
        reached = start - 3 * DAY
        for day in self.week.open_days(first, last):
            for opens, closes in self._day(day):
                begins = max(opens, reached)
                if max(begins, start) < min(closes, end):
                    yield begins, closes
                    reached = closes

    def open_between(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """The open parts of [start, end), those that touch joined into one."""
        first, last = bounded(start), bounded(end)
        begun: Interval | None = None
        for slot_opens, slot_closes in self.slots(first, last):
            opens, closes = max(slot_opens, first), min(slot_closes, last)
            if begun and opens <= begun[1]:
                begun = (begun[0], closes)
                continue
            if begun:
                yield begun
            begun = (opens, closes)
        if begun:
            yield begun

    def open_seconds(self, start: datetime, end: datetime) -> float:
        """Seconds of [start, end) that are open; of more than three years, the earlier ones by the usual week."""
        return self._opened(start, end)

    def _open_seconds(self, start: datetime, end: datetime) -> float:
        return open_time((self,), start, end).total_seconds()

    def add_open(self, start: datetime, duration: timedelta) -> datetime:
        """The moment at which `duration` of open time has passed since `start`, which it is for no duration.

        Time that ends with a slot ends at that slot's end, not at the next opening. Raises Misconfigured when
        there is no opening for 400 days or not enough of it in ten years, ValueError for a negative duration.
        """
        if duration < timedelta():
            raise ValueError("open time cannot be added backwards")
        return self._added(bounded(start), duration)

    def _add(self, at: datetime, left: timedelta) -> datetime:
        if not left:
            return at
        until, limit = later(at, NEAR), later(at, LONGEST)
        reached, left = self._spent(at, until, left)
        while reached is None and until < limit:
            at, until = until, later(until, HORIZON)
            opened = open_time((self,), at, until)
            if opened >= left:
                return self._found(at, until, left)
            if not opened:
                break
            left -= opened
        if reached is None:
            raise Misconfigured(f"a calendar in {self.zone.key} has too few opening hours; add slots to `weekly`")
        return reached

    def is_open(self, at: datetime) -> bool:
        return any(True for _ in self.slots(at, later(bounded(at), timedelta(microseconds=1))))

    def opens_on(self, day: date) -> bool:
        """Whether there is any slot on a local date."""
        return bool(self._day(day))

    def next_change(self, at: datetime) -> datetime | None:
        """When it next opens or closes, later than `at`; None when that is more than 400 days away."""
        until = later(bounded(at), HORIZON)
        for opens, closes in self.open_between(at, until):
            change = closes if opens <= at else opens
            return change if change < until else None
        return None

    def _spent(self, at: datetime, until: datetime, left: timedelta) -> tuple[datetime | None, timedelta]:
        """When `left` is used up, if it is before `until`, and what is left of it there."""
        for opens, closes in self.slots(at, until):
            begins, ends = max(opens, at), min(closes, until)
            if ends - begins >= left:
                return begins + left, timedelta()
            left -= ends - begins
        return None, left

    def _found(self, at: datetime, until: datetime, left: timedelta) -> datetime:
        """When `left` is used up, which it is before `until`."""
        while until - at > NEAR:
            middle = at + (until - at) / 2
            opened = open_time((self,), at, middle)
            if opened >= left:
                until = middle
            else:
                at, left = middle, left - opened
        reached, _ = self._spent(at, until, left)
        assert reached is not None
        return reached

    def _intervals_of(self, day: date) -> tuple[Interval, ...]:
        midnight = datetime.combine(day, time())
        first, second = (1, 0) if self._narrow else (0, 1)
        intervals = (
            (
                moment(self.zone, midnight + timedelta(minutes=opens), fold=first),
                moment(self.zone, midnight + timedelta(minutes=closes), fold=second),
            )
            for opens, closes in self.week.on(day)
        )
        return tuple((opens, closes) for opens, closes in intervals if opens < closes)


def daily(start: int, end: int, days: Iterable[int] = range(7), closed: Closed = no_day_off) -> Week:
    """The same slot (minutes since midnight) on some days of the week (0 is Monday), save those that are `closed`."""
    slot = ((start, end),)

    @lru_cache(maxsize=64)
    def differing(year: int) -> Mapping[date, DaySlots]:
        return dict.fromkeys(closed(year), ())

    return Week(tuple(slot if day in days else () for day in range(7)), differing)


class PolicyKey:
    """A policy as a cache key: it never changes, but has no hash, so it is known by which object it is."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return id(self.policy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PolicyKey) and other.policy is self.policy


def hours_of(policy: Policy, queue: str) -> Hours:
    """The hours on which a queue's targets count: its calendar, else the calling window on the queue's clock.

    The latter keeps the national holidays of the country in which the queue's zone lies, if the policy keeps any.
    Raises Misconfigured when the calendar never opens.
    """
    return _hours_of(PolicyKey(policy), queue)


def hours_of_calendar(calendar: Calendar) -> Hours:
    """Raises Misconfigured when the calendar has no slot at all."""
    if not any((*calendar.weekly.values(), *calendar.exceptions.values())):
        raise Misconfigured(f"a calendar in {calendar.zone} has no opening hours; add a slot to `weekly`")
    usual = tuple(_minutes(calendar.weekly.get(day, ())) for day in DAYS)
    exceptions = {day: _minutes(slots) for day, slots in calendar.exceptions.items()}

    @lru_cache(maxsize=256)
    def differing(year: int) -> Mapping[date, DaySlots]:
        written = [day for day in calendar.holidays if day.year == year]
        public = (day for place in calendar.holiday_countries for day in holidays_in(place, year))
        own = {day: slots for day, slots in exceptions.items() if day.year == year}
        return {**dict.fromkeys((*written, *public), ()), **own}

    return Hours(calendar.zone, Week(usual, differing))


def weekdays(days: tuple[str, ...]) -> frozenset[int]:
    return frozenset(DAYS.index(day) for day in days)


@lru_cache(maxsize=256)
def _hours_of(same: PolicyKey, queue: str) -> Hours:
    policy = same.policy
    rules = policy.queue(queue)
    if rules.calendar is not None:
        return hours_of_calendar(policy.calendars[rules.calendar])
    if not policy.calling.days:
        raise Misconfigured("the calling window has no days; add some to `calling.days`")
    window, country = policy.calling.window, country_of_zone(rules.zone)
    closed = partial(holidays_in, country) if policy.calling.holidays and country else no_day_off
    return Hours(rules.zone, daily(window.start, window.end, weekdays(policy.calling.days), closed))


def _minutes(slots: tuple[Slot, ...]) -> DaySlots:
    return apart((slot.start, slot.end) for slot in slots)
