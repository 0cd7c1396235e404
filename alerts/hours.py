"""Counts the time in which a place is open: slots of the local week, holidays, and days that differ.

A slot is meant as the clock on the wall shows it, so on a day the clocks change it may be longer or shorter.
All moments that go in and come out are aware; what comes out is in UTC. Intervals never include their end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import holidays
from msgspec import Struct

from alerts.errors import Misconfigured
from alerts.policy import DAYS, Calendar, Policy, Slot

Interval = tuple[datetime, datetime]
Minutes = tuple[tuple[int, int], ...]
"""Slots of one local day in minutes since midnight; 1440 is the next midnight."""

HORIZON = timedelta(days=400)
"""How far ahead the next opening is looked for: more than a year, for places that open on one day of it."""

LONGEST = timedelta(days=3653)
"""No deadline lies further away than ten years."""


class Hours:
    """A place's opening hours. `slots_of` gives the slots of a local date.

    Of a time that the clock shows twice, a slot begins at the first and ends at the second, so that no hour
    is lost; `narrow` turns that round, so that the clock shows no time outside the slot while it is open.
    A time that the clock leaves out is the moment at which it was left out.
    """

    def __init__(self, zone: str, slots_of: Callable[[date], Minutes], *, narrow: bool = False) -> None:
        self.zone = ZoneInfo(zone)
        self._slots_of = slots_of
        self._narrow = narrow
        self._day = lru_cache(maxsize=1024)(self._intervals_of)

    def slots(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """Every slot that is open within [start, end): whole, in order, not overlapping, not joined."""
        day, last = _date_in(self.zone, start, -1), _date_in(self.zone, end, 1)
        reached = datetime.min.replace(tzinfo=UTC)
        while day <= last:
            for opens, closes in self._day(day):
                begins = max(opens, reached)
                if max(begins, start) < min(closes, end):
                    yield begins, closes
                    reached = closes
            day += timedelta(days=1)

    def open_between(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """The open parts of [start, end), those that touch joined into one."""
        first, last = start.astimezone(UTC), end.astimezone(UTC)
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
        """Seconds of [start, end) that are open."""
        return total(self.open_between(start, end)).total_seconds()

    def add_open(self, start: datetime, duration: timedelta) -> datetime:
        """The moment at which `duration` of open time has passed since `start`, which it is for no duration.

        Time that ends with a slot ends at that slot's end, not at the next opening. Raises Misconfigured when
        there is no opening for 400 days or not enough of it in ten years, ValueError for a negative duration.
        """
        if duration < timedelta():
            raise ValueError("open time cannot be added backwards")
        at, left = start.astimezone(UTC), duration
        if not left:
            return at
        for opens, closes in self.slots(at, at + LONGEST):
            if opens - at > HORIZON:
                break
            at = max(opens, at)
            if closes - at >= left:
                return at + left
            left -= closes - at
            at = closes
        raise Misconfigured(f"a calendar in {self.zone.key} has too few opening hours; add slots to `weekly`")

    def is_open(self, at: datetime) -> bool:
        return any(True for _ in self.slots(at, at + timedelta(microseconds=1)))

    def opens_on(self, day: date) -> bool:
        """Whether there is any slot on a local date."""
        return bool(self._day(day))

    def next_change(self, at: datetime) -> datetime | None:
        """When it next opens or closes, later than `at`; None when that is more than 400 days away."""
        until = at + HORIZON
        for opens, closes in self.open_between(at, until):
            change = closes if opens <= at else opens
            return change if change < until else None
        return None

    def _intervals_of(self, day: date) -> tuple[Interval, ...]:
        midnight = datetime.combine(day, time())
        first, second = (1, 0) if self._narrow else (0, 1)
        intervals = (
            (
                moment(self.zone, midnight + timedelta(minutes=start), fold=first),
                moment(self.zone, midnight + timedelta(minutes=end), fold=second),
            )
            for start, end in sorted(self._slots_of(day))
        )
        return tuple((opens, closes) for opens, closes in intervals if opens < closes)


class DailySlot(Struct, frozen=True):
    """The same slot on some days of the week (0 is Monday), except on the public holidays of a country."""

    start: int
    end: int
    days: frozenset[int]
    holidays_of: str | None = None

    def on(self, day: date) -> Minutes:
        if day.weekday() not in self.days:
            return ()
        if self.holidays_of is not None and day in public_holidays(self.holidays_of, day.year):
            return ()
        return ((self.start, self.end),)


class Same:
    """A policy as a cache key: it never changes, but has no hash, so it is known by which object it is."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return id(self.policy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.policy is self.policy


def hours_of(policy: Policy, queue: str) -> Hours:
    """The hours on which a queue's targets count: its calendar, else the calling window on the queue's clock.

    The latter keeps the holidays of the country in which the queue's zone lies, if the policy keeps holidays.
    Raises Misconfigured when the calendar never opens.
    """
    return _hours_of(Same(policy), queue)


def hours_of_calendar(calendar: Calendar) -> Hours:
    """Raises Misconfigured when the calendar has no slot at all."""
    if not any((*calendar.weekly.values(), *calendar.exceptions.values())):
        raise Misconfigured(f"a calendar in {calendar.zone} has no opening hours; add a slot to `weekly`")
    weekly: dict[str, Minutes] = {day: _minutes(slots) for day, slots in calendar.weekly.items()}
    exceptions = {day: _minutes(slots) for day, slots in calendar.exceptions.items()}
    closed = frozenset(calendar.holidays)

    def slots_of(day: date) -> Minutes:
        if day in exceptions:
            return exceptions[day]
        if day in closed or any(day in public_holidays(each, day.year) for each in calendar.holiday_countries):
            return ()
        return weekly.get(DAYS[day.weekday()], ())

    return Hours(calendar.zone, slots_of)


@lru_cache(maxsize=256)
def _hours_of(same: Same, queue: str) -> Hours:
    policy = same.policy
    rules = policy.queue(queue)
    if rules.calendar is not None:
        return hours_of_calendar(policy.calendars[rules.calendar])
    if not policy.calling.days:
        raise Misconfigured("the calling window has no days; add some to `calling.days`")
    daily = DailySlot(
        start=policy.calling.window.start,
        end=policy.calling.window.end,
        days=weekdays(policy.calling.days),
        holidays_of=country_of_zone(rules.zone) if policy.calling.holidays else None,
    )
    return Hours(rules.zone, daily.on)


def moment(zone: ZoneInfo, wall: datetime, *, fold: int) -> datetime:
    """When the clock in `zone` shows `wall` (a naive datetime), in UTC.

    Of a time shown twice, `fold` 0 is the first and 1 the second; a time left out is the moment of the jump.
    """
    at = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall:
        return at
    return _jump(zone, wall)


def total(intervals: Iterable[Interval]) -> timedelta:
    return sum((closes - opens for opens, closes in intervals), timedelta())


def _jump(zone: ZoneInfo, wall: datetime) -> datetime:
    """The first second at which the clock shows `wall` or later, for a `wall` that it leaves out."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=2048)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """The public holidays of a country (ISO 3166 alpha-2); none for a country of which none are known."""
    if country not in _countries_with_holidays():
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=year))


@lru_cache(maxsize=1)
def _countries_with_holidays() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries())


def country_of_zone(zone: str) -> str | None:
    """The country (ISO 3166 alpha-2) in which an IANA zone lies, by the `zone.tab` of the zone database."""
    countries, _ = _zone_tables()
    return countries.get(zone) or countries.get(present_name(zone))


def present_name(zone: str) -> str:
    """The name under which the database keeps a zone; zones with the same one have the same clock."""
    return _zone_tables()[1].get(zone, zone)


@lru_cache(maxsize=512)
def zones_of_country(country: str) -> tuple[str, ...]:
    """Every zone of a country (ISO 3166 alpha-2); none for a country that the database does not know."""
    return tuple(zone for zone, its_country in _zone_tables()[0].items() if its_country == country)


def weekdays(days: tuple[str, ...]) -> frozenset[int]:
    return frozenset(DAYS.index(day) for day in days)


@lru_cache(maxsize=1)
def _zone_tables() -> tuple[dict[str, str], dict[str, str]]:
    """Country by zone, and the present name by each older name of a zone."""
    files = resources.files("tzdata.zoneinfo")
    rows = files.joinpath("zone.tab").read_text(encoding="utf-8").splitlines()
    links = files.joinpath("tzdata.zi").read_text(encoding="utf-8").splitlines()
    cells = [row.split("\t") for row in rows if not row.startswith("#")]
    names = [link.split() for link in links if link.startswith("L ")]
    return {cell[2]: cell[0] for cell in cells}, {older: present for _, present, older in names}


def _minutes(slots: tuple[Slot, ...]) -> Minutes:
    return tuple((slot.start, slot.end) for slot in slots)


def _date_in(zone: ZoneInfo, at: datetime, shift: int) -> date:
    """The local date, some days earlier or later."""
    return at.astimezone(zone).date() + timedelta(days=shift)
