"""Cuts time into hours, days and weeks as the people of a place know them: clocks are changed there, and skip or repeat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


class Grain(StrEnum):
    HOUR = "hour"  # until the clock strikes, or is changed
    DAY = "day"  # of 23, 24 or 25 hours, from midnight on
    WEEK = "week"  # from Monday on (ISO 8601)


class Bucket(Struct, frozen=True):
    """[start, end), in UTC. `place`: (weekday, hour) where the bucket begins in the week, as far as the step tells it."""

    start: datetime
    end: datetime
    place: tuple[int, int]


def buckets(since: datetime, until: datetime, step: Grain, zone: ZoneInfo) -> Iterator[Bucket]:
    """Every bucket that has a moment of [since, until) in it, one beginning where the other ends; whole ones."""
    start = begin_of(since, step, zone) if since < until else until
    while start < until:
        end = _next(start, step, zone)
        yield Bucket(start, end, _place(start, step, zone))
        start = end


def begin_of(at: datetime, step: Grain, zone: ZoneInfo) -> datetime:
    """When the bucket began in which this moment lies."""
    if step is Grain.HOUR:
        return _hour_before(at, zone)
    day = at.astimezone(zone).date()
    while _midnight(day + DAY, zone) <= at:  # a clock that was put back over midnight says yesterday's date again
        day += DAY
    return _midnight(day - DAY * (day.weekday() if step is Grain.WEEK else 0), zone)


def _next(start: datetime, step: Grain, zone: ZoneInfo) -> datetime:
    if step is Grain.HOUR:
        return _hour_after(start, zone)
    days = 7 if step is Grain.WEEK else 1
    return _midnight(start.astimezone(zone).date() + days * DAY, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first one, where there are two; where there is none, the moment in which the clock jumped over it.

    So a day that was left out (Samoa had no 30 December 2011) begins where the next one does, and is no bucket.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _hour_before(at: datetime, zone: ZoneInfo) -> datetime:
    strike = at - _since_strike(at, zone)
    return strike if _offset(strike, zone) == _offset(at, zone) else _change(strike, at, zone)


def _hour_after(start: datetime, zone: ZoneInfo) -> datetime:
    strike = start + HOUR - _since_strike(start, zone)
    return strike if _offset(strike, zone) == _offset(start, zone) else _change(start, strike, zone)


def _since_strike(at: datetime, zone: ZoneInfo) -> timedelta:
    local = at.astimezone(zone)
    return timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment within (before, after] in which the clock was changed."""
    old = _offset(before, zone)
    before, seconds = before.replace(microsecond=0), 0
    low, high = 0, int((after - before) / SECOND) + 1
    while low < high:
        seconds = (low + high) // 2
        low, high = (seconds + 1, high) if _offset(before + seconds * SECOND, zone) == old else (low, seconds)
    return before + low * SECOND


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _place(start: datetime, step: Grain, zone: ZoneInfo) -> tuple[int, int]:
    local = start.astimezone(zone)
    if step is Grain.WEEK:
        return 0, 0
    return local.weekday(), local.hour if step is Grain.HOUR else 0
