"""Which times are believed: a clock that was never set, or counts in another unit, decides nothing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated

from msgspec import Meta

from alerts.wording.plain_text import visible

Moment = Annotated[datetime, Meta(tz=True)]
"""In RFC 3339, with a zone."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Before, a clock was unset; after, it counted microseconds or never meant it. The oldest answers are of 2016."""

FIRST_CUSTOMER = date(1900, 1, 2)
"""Before, nobody who answers was a customer; the first of that year is where databases begin."""

UNSET_DATES = frozenset({date(1970, 1, 1), date(1980, 1, 1)})
"""Where clocks begin, of programs and of PCs: a customer since that very day is one whose date nobody has set."""

_BEYOND_ITS_DAY = (  # as an hour or a second that no clock shows, the one it is counted from, and what is left
    (re.compile(r"(.*[T ]\d\d:\d\d):60(.*)"), r"\1:59\2", timedelta(seconds=1)),
    (re.compile(r"(.*[T ])24(:00(?::00(?:[.,]0+)?)?(?![:\d]).*|)"), r"\g<1>00\2", timedelta(days=1)),
)
_ZONE_NAME = re.compile(r"(?:\[[^\]]*\]|\s+\([^()]*\))+$")
_MONOTONIC = re.compile(r"\s+M=[+-][0-9.]+$")  # what Go prints behind a time
_OF_UTC = re.compile(r"(?<=\d)\s*(?:UTC|GMT|UT|Z)\s*(?:([+-])(\d{1,2})(?::?(\d\d))?)?$")
_SHORT_OFFSET = re.compile(r"(?<=\d)\s*([+-])(\d):(\d\d)$")
_OFFSET_TWICE = re.compile(r"(\s[+-]\d{4})\s+[A-Z]{2,5}$")
_YEAR_FIRST = re.compile(r"(\d{4})/(\d\d)/(\d\d)(?=[T ])")
_DAY_OF_YEAR = re.compile(r"(\d{4})-(\d{3})(?=[T ])")
_WEEKDAY = re.compile(r"(?:MON|TUE|WED|THU|FRI|SAT|SUN)[A-Z]*,?\s+")
_DASHES = str.maketrans("\u2212\u2010\u2011\u2012\u2013", "-----")
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
    """A moment however a program writes it, as long as it says which one is meant; None without a zone.

    Beyond RFC 3339: the other ways of ISO 8601, 24:00 and leap seconds, a zone's name behind the offset (RFC 9557,
    JavaScript, Go), UTC and GMT with or without an offset, and the dates of e-mail and HTTP (RFC 5322). Other zones
    without an offset are none: `IST` is three of them.
    """
    if len(text) > _LONGEST:
        return None
    plain = visible(text).strip().upper().translate(_DASHES)
    plain = _numbered(_MONOTONIC.sub("", _ZONE_NAME.sub("", plain)).strip())
    try:
        moment = _in_figures(plain) if plain[:4].isdigit() else _in_words(plain)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return None if moment.tzinfo is None else moment


def _numbered(plain: str) -> str:
    """With the offset from UTC in figures: ` +0200` for `UTC+2`, `GMT+0200` and ` +0200 CEST`."""
    plain = _OFFSET_TWICE.sub(r"\1", plain)
    return _SHORT_OFFSET.sub(_offset, _OF_UTC.sub(_offset, plain))


def _offset(found: re.Match[str]) -> str:
    sign, hours, minutes = found.groups()
    return f" {sign or '+'}{int(hours or 0):02}{minutes or '00'}"


def _in_figures(plain: str) -> datetime:
    plain = _DAY_OF_YEAR.sub(_date_of_day, _YEAR_FIRST.sub(r"\1-\2-\3", plain)).replace(" +", "+").replace(" -", "-")
    for pattern, instead, left in _BEYOND_ITS_DAY:
        if found := pattern.fullmatch(plain):
            return datetime.fromisoformat(found.expand(instead)) + left
    return datetime.fromisoformat(plain)


def _date_of_day(found: re.Match[str]) -> str:
    year, day = int(found[1]), int(found[2])
    named = date(year, 1, 1) + timedelta(days=day - 1)
    if named.year != year:
        raise ValueError
    return named.isoformat()


def _in_words(plain: str) -> datetime:
    """`Tue, 01 Sep 2026 10:00:00 GMT`, and JavaScript's `Tue Sep 01 2026 10:00:00 GMT+0200`."""
    words = _WEEKDAY.sub("", plain, count=1).split()
    if words[0].isalpha():
        words[:2] = words[1::-1]
    moment = parsedate_to_datetime(" ".join(words))
    return moment.replace(tzinfo=UTC) if words[-1] == "-0000" else moment  # RFC 5322, 3.3: UTC, from anywhere


def is_believable(moment: datetime) -> bool:
    return EARLIEST <= moment < LATEST


def recorded_at(timestamp_ms: int, now: datetime) -> datetime:
    """When Kafka says that a record was written; `now` when it does not know (-1), or not in milliseconds."""
    if _EARLIEST_MS <= timestamp_ms < _LATEST_MS:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    return now


def rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
