"""Which times are believed: a clock that was never set, or counts in another unit, decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Before, a clock was unset; after, it counted microseconds or never meant it. The oldest answers are of 2016."""

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


def is_believable(moment: datetime) -> bool:
    return EARLIEST <= moment < LATEST


def recorded_at(timestamp_ms: int, now: datetime) -> datetime:
    """When Kafka says that a record was written; `now` when it does not know (-1), or not in milliseconds."""
    if _EARLIEST_MS <= timestamp_ms < _LATEST_MS:
        return _EPOCH + timedelta(milliseconds=timestamp_ms)
    return now


def rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
