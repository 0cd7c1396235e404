"""Which times are believed: a clock that was never set, or counts in another unit, decides nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from alerts.wording.plain_text import visible

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Before, a clock was unset; after, it counted microseconds or never meant it. The oldest answers are of 2016."""

_LEAP_SECOND = re.compile(r"(.*T\d\d:\d\d|.* \d\d:\d\d):60(.*)")
_ZONE_NAME = re.compile(r"(?:\[[^\]]*\])+$")
_LONGEST = 128
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_EARLIEST_MS, _LATEST_MS = ((moment - _EPOCH) // _MILLISECOND for moment in (EARLIEST, LATEST))


def utc(moment: datetime) -> datetime:
    """An aware moment in UTC; the few of years 1 and 9999 that UTC cannot name become its first or last one."""
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _LAST if moment.year > EARLIEST.year else _FIRST


def read_moment(text: str) -> datetime | None:
    """A moment in one of the ways of ISO 8601 that RFC 3339 leaves out, or with a leap second; None without a zone.

    Java puts the zone's name behind it (RFC 9557), PostgreSQL has `+00`, others no seconds. All of them say which moment
    is meant, and that is what counts.
    """
    if len(text) > _LONGEST:
        return None
    plain = _ZONE_NAME.sub("", visible(text).strip()).upper()
    leap = _LEAP_SECOND.fullmatch(plain)
    try:
        moment = datetime.fromisoformat(leap.expand(r"\1:59\2") if leap else plain)
        moment += timedelta(seconds=1 if leap else 0)
    except (ValueError, OverflowError):
        return None
    return None if moment.tzinfo is None else moment


def is_believable(moment: datetime) -> bool:
    return EARLIEST <= moment < LATEST


def recorded_at(timestamp_ms: int, now: datetime) -> datetime:
    """When Kafka says that a record was written; `now` when it does not know (-1), or not in milliseconds."""
    if _EARLIEST_MS <= timestamp_ms < _LATEST_MS:
        return _EPOCH + timedelta(milliseconds=timestamp_ms)
    return now


def rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
