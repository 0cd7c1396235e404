"""Says when one customer may be phoned, on the customer's own clock, and why not now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial

from msgspec import Struct

from alerts.calling_hours.geography import (
    country_of_zone,
    is_fixed_by_habit,
    known_places,
    one_per_clock,
    zones_of_country,
)
from alerts.calling_hours.hours import Closed, Hours, PolicyKey, daily, no_day_off, weekdays
from alerts.calling_hours.open_time import Interval, open_time, shared, shared_from
from alerts.calling_hours.public_holidays import holidays_in, regional_holidays
from alerts.calling_hours.wall_clock import bounded, later, moment
from alerts.phones.phone import Number
from alerts.phones.regions import regions_of_zone
from alerts.policy import LEGAL_FROM_MINUTE, LEGAL_UNTIL_MINUTE, Policy
from alerts.survey import Respondent

SEARCH = timedelta(days=370)
"""How far ahead a window is looked for: a year, and the holidays that follow it."""

SHORTEST = timedelta(minutes=1)
"""What is left of a window is not offered when it is shorter than this."""

FEWEST_HOURS = 2.0
"""In a week; see `needs_zone`."""

_INSTANT = timedelta(microseconds=1)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_ALL_TRIED = "; no hour is left that was not tried"


class Place(Struct, frozen=True):
    """Where a customer may be, as far as the clock is concerned.

    `zones`: at least one IANA name; a call must be allowed in every one. `country`: ISO 3166 alpha-2, whose
    rules apply. `guessed`: nothing is known and the zone is the queue's. `regions`: the parts of the country (ISO
    3166-2) in one of which it is, whose holidays count; empty when nothing names any.
    """

    zones: tuple[str, ...]
    country: str | None = None
    guessed: bool = False
    regions: tuple[str, ...] = ()


class CallWindow(Struct, frozen=True):
    """The customer may be phoned in [opens, closes), in UTC. `reason` says it in words."""

    opens: datetime
    closes: datetime
    reason: str


def place_of(customer: Respondent, number: Number, queue_zone: str) -> Place:
    """The customer's own zone; else those of the number, cut to the country; else the country's; else the queue's.

    The country is the customer's, else the number's own. A zone that is no place (`UTC`), or one without summer time
    that stands for its name only (`EST` in the United States), says nothing.
    """
    country = customer.country or number.country
    own = customer.time_zone
    regions = number.regions if number.country == country else ()
    if own in known_places() and not is_fixed_by_habit(own, country):
        return Place((own,), country, regions=regions or regions_of_zone(own))
    zones = one_per_clock(_cut(number.zones, country) or zones_of_country(country or ""))
    if zones:
        return Place(zones, country, regions=regions)
    return Place((queue_zone,), country, guessed=True)


def next_window(
    at: datetime,
    place: Place,
    policy: Policy,
    not_before: datetime | None = None,
    avoid: Sequence[datetime] = (),
) -> CallWindow | None:
    """The first window that lasts at least a minute after `at` and `not_before`; None when a year has none.

    `opens` is the window's own beginning, in the past when it is open at `at`, but never before `not_before`.
    `avoid`: moments of earlier tries. No time of day within `policy.attempts.avoid_minutes` of one is used
    again, except on a day when that would leave nothing of the window.
    """
    return _next_window(at, place, PolicyKey(policy), not_before, tuple(avoid))


@lru_cache(maxsize=4096)
def _next_window(
    at: datetime, place: Place, same: PolicyKey, not_before: datetime | None, tried_before: tuple[datetime, ...]
) -> CallWindow | None:
    """Remembered, for all answers of a batch are judged at one moment, and most customers live in few places."""
    clocks, margin = _clocks_of(place, same.policy), timedelta(minutes=same.policy.attempts.avoid_minutes)
    at, avoid = bounded(at), [bounded(tried) for tried in tried_before]
    earliest = max(at, bounded(not_before or at))
    for window in shared_from(clocks, earliest, later(earliest, SEARCH)):
        spared = _spared(window, clocks, avoid, margin)
        for opens, closes in spared or [window]:
            if closes - max(opens, earliest) < SHORTEST:
                continue
            begins = max(opens, bounded(not_before)) if not_before else opens
            note = "" if spared else _ALL_TRIED
            return CallWindow(begins, closes, _reason(at, begins, closes, clocks) + note)
    return None


def may_call(at: datetime, place: Place, policy: Policy) -> CallWindow | None:
    """The window that is open at `at`, or None. Earlier tries and the time left do not count here."""
    clocks = _clocks_of(place, policy)
    at = bounded(at)
    for opens, closes in shared(clocks, at, later(at, _INSTANT)):
        return CallWindow(opens, closes, _reason(at, opens, closes, clocks))
    return None


def callable_seconds(start: datetime, end: datetime, place: Place, policy: Policy) -> float:
    """Seconds of [start, end) in which the customer could be phoned; before the last three years by the usual week."""
    return open_time(_clocks_of(place, policy), start, end).total_seconds()


def shared_hours(place: Place, policy: Policy, at: datetime, days: int = 7) -> float:
    """Hours within the next `days` days that are open in every zone of the place."""
    at = bounded(at)
    return callable_seconds(at, later(at, timedelta(days=days)), place, policy) / 3600


def needs_zone(place: Place, policy: Policy, at: datetime) -> bool:
    """Whether a lead must say which of the zones it is, or the customer would hardly ever be phoned.

    So it is with fewer than two shared hours in the next week, and with less than a quarter of what one zone alone has.
    """
    if len(place.zones) < 2:
        return False
    alone = shared_hours(Place(place.zones[:1], place.country), policy, at)
    return shared_hours(place, policy, at) < max(FEWEST_HOURS, alone / 4)


def _cut(zones: tuple[str, ...], country: str | None) -> tuple[str, ...]:
    """The zones of a number that lie in the country.

    A number from abroad rings where we cannot know: then it must be open both there and in the whole country.
    """
    if country is None or not zones:
        return zones
    inside = tuple(zone for zone in zones if country_of_zone(zone) == country)
    return inside or (*zones, *zones_of_country(country))


def _clocks_of(place: Place, policy: Policy) -> tuple[Hours, ...]:
    return _clocks(PolicyKey(policy), place.country, place.zones, place.regions)


@lru_cache(maxsize=16_384)
def _clocks(
    same: PolicyKey, country: str | None, zones: tuple[str, ...], regions: tuple[str, ...]
) -> tuple[Hours, ...]:
    """The calling hours of each zone, under the rules of the country and never outside the law."""
    rules = same.policy.calling.of(country)
    window = rules.window or same.policy.calling.window
    start, end = max(window.start, LEGAL_FROM_MINUTE), min(window.end, LEGAL_UNTIL_MINUTE)
    week = daily(start, end, weekdays(rules.days or ()), _holidays(rules.holidays, country, regions))
    return tuple(Hours(zone, week, narrow=True) for zone in zones)


def _holidays(kept: bool | str | None, country: str | None, regions: tuple[str, ...]) -> Closed:
    if not kept or country is None:
        return no_day_off
    return partial(holidays_in, country) if kept == "national" else partial(regional_holidays, country, regions)


def _spared(
    window: Interval, clocks: tuple[Hours, ...], avoid: Sequence[datetime], margin: timedelta
) -> list[Interval]:
    """What is left of a window without the times of day at which we tried before; no part below a minute."""
    left = [window]
    for clock in clocks if margin else ():
        day = window[0].astimezone(clock.zone).date()
        for tried in avoid:
            time_of_day = tried.astimezone(clock.zone).time()
            for shift in (-1, 0, 1):
                wall = datetime.combine(day + timedelta(days=shift), time_of_day)
                begin = moment(clock.zone, wall - margin, fold=0)
                left = _without(left, begin, moment(clock.zone, wall + margin, fold=1))
    return [(opens, closes) for opens, closes in left if closes - opens >= SHORTEST]


def _without(intervals: list[Interval], begin: datetime, end: datetime) -> list[Interval]:
    parts = ((opens, min(closes, begin)) for opens, closes in intervals)
    rests = ((max(opens, end), closes) for opens, closes in intervals)
    return sorted((opens, closes) for opens, closes in (*parts, *rests) if opens < closes)


def _reason(at: datetime, opens: datetime, closes: datetime, clocks: tuple[Hours, ...]) -> str:
    if opens <= at:
        clock = _first_to_close(clocks, closes)
        return f"{_hour(at, clock)} in {_city(clock)}, open until {_hour(closes, clock)}"
    clock = next((clock for clock in clocks if _opens(clock, opens)), clocks[0])
    closed = next((clock for clock in clocks if not clock.is_open(at)), None)
    here, verb = closed or clock, "opens" if closed else "again from"
    now = _hour(at, here) if here.opens_on(at.astimezone(here.zone).date()) else _weekday(at, here)
    there = "" if here is clock else f" in {_city(clock)}"
    return f"{now} in {_city(here)}, {verb} {_when(opens, at, clock)}{there}"


@lru_cache(maxsize=4096)
def _first_to_close(clocks: tuple[Hours, ...], closes: datetime) -> Hours:
    """Remembered, for while a window is open everybody who looks at one of its callbacks asks this."""
    return next((clock for clock in clocks if _closes(clock, closes)), clocks[0])


def _opens(clock: Hours, at: datetime) -> bool:
    return any(opens == at for opens, _ in clock.slots(at, at + _INSTANT))


def _closes(clock: Hours, at: datetime) -> bool:
    return any(closes == at for _, closes in clock.slots(at - _INSTANT, at))


def _when(then: datetime, now: datetime, clock: Hours) -> str:
    day, today = then.astimezone(clock.zone).date(), now.astimezone(clock.zone).date()
    if day == today:
        return _hour(then, clock)
    if (day - today).days < 7:
        return f"{_weekday(then, clock)} {_hour(then, clock)}"
    return f"{day.day} {_MONTHS[day.month - 1]} {_hour(then, clock)}"


def _hour(at: datetime, clock: Hours) -> str:
    there = at.astimezone(clock.zone)
    return f"{there.hour:02}:{there.minute:02}"


def _weekday(at: datetime, clock: Hours) -> str:
    return _WEEKDAYS[at.astimezone(clock.zone).weekday()]


def _city(clock: Hours) -> str:
    return clock.zone.key.rsplit("/", 1)[-1].replace("_", " ")
