"""Reads the times that platforms send: ISO 8601, a stated format, or a count since some beginning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from consumers.intake.moments import read_moment
from consumers.sources.numbers import float_of

UNITS = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
COUNTS = frozenset({*UNITS, "epoch", "excel"})
"""Formats that are no `strptime`: seconds or parts of them since 1970, the same of whatever unit, Excel's days."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXCEL = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet has no zone; day 60 is the 29 February 1900 that never was
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_SAMPLE = datetime(2026, 11, 22, 21, 43, 56, 123456, tzinfo=UTC)
_NAMED = re.compile(r"(.*\S)\s+(\S+)", re.DOTALL)
_UTC_NAMES = frozenset({"UTC", "GMT", "UT", "Z"})


def check_format(form: str) -> None:
    """Raises ValueError, with a remedy, for a format that could not read a time, or would read a wrong one."""
    if form in COUNTS:
        return
    core = _core(form)
    if "%Z" in core.replace("%%", ""):
        raise ValueError("%Z is read at the end of a format only, after a blank; move it, or use %z for an offset")
    try:
        read = datetime.strptime(_SAMPLE.strftime(core), core)  # noqa: DTZ007 - only looked at here
    except (ValueError, re.error):
        raise ValueError(f"{form[:60]!r} is no format of Python's strptime; correct it") from None
    if read.date() != _SAMPLE.date():
        raise ValueError(f"{form[:60]!r} names no whole date; add year, month and day")
    if read.hour not in (0, _SAMPLE.hour):
        raise ValueError(f"{form[:60]!r} has hours to 12 and no %p; use %H, or add %p")


def moment_of(found: Any, form: str | None, zone: ZoneInfo | None, zones: Mapping[str, str]) -> datetime:
    """The moment in UTC. A zone within the text decides; `zone` is for times that name none. Raises ValueError."""
    moment = _counted(found, form) if form in COUNTS else _read(found, form, zones)
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def day_of(found: Any, form: str | None) -> date:
    """The day as it is written, whatever the zone. Raises ValueError."""
    if form in COUNTS:
        return _counted(found, form).date()
    text = _text(found)
    if form is not None:
        return _read(text, form, {}).date()
    return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text).date()


def _read(found: Any, form: str | None, zones: Mapping[str, str]) -> datetime:
    text = _text(found)
    if form is None:
        return read_moment(text) or datetime.fromisoformat(text)
    if not form.endswith("%Z"):
        return datetime.strptime(text, form)  # noqa: DTZ007 - the zone stands beside it in the source file
    parts = _NAMED.fullmatch(text)
    if parts is None:
        raise ValueError
    return datetime.strptime(parts[1], _core(form)).replace(tzinfo=_named_zone(parts[2], zones))


def _core(form: str) -> str:
    """A format without the zone's name at its end, which Python would read and forget (python/cpython #76678)."""
    return form.removesuffix("%Z").rstrip() if re.search(r"\s%Z$", form) else form


def _named_zone(name: str, zones: Mapping[str, str]) -> ZoneInfo:
    name = name.strip("()")
    if name in zones:
        return ZoneInfo(zones[name])
    if name.upper() in _UTC_NAMES:
        return ZoneInfo("UTC")
    if "/" in name and name in _iana():
        return ZoneInfo(name)
    raise ValueError


@cache
def _iana() -> frozenset[str]:
    return frozenset(available_timezones())


def _counted(found: Any, form: str | None) -> datetime:
    """Counted exactly: a float has no room for nanoseconds."""
    float_of(found)
    count = Decimal(str(found).strip())
    if form == "excel":
        moment = _EXCEL + timedelta(milliseconds=round(count * 86_400_000))
    else:
        unit = UNITS[form] if form in UNITS else _unit(count)
        moment = _EPOCH + timedelta(microseconds=int(count * 1_000_000 / unit))
    if not _FIRST <= moment.replace(tzinfo=UTC) < _LAST:
        raise ValueError
    return moment


def _unit(count: Decimal) -> int:
    """Between 1973 and the year 5000 the sizes of the units do not meet."""
    return next((unit for unit in UNITS.values() if abs(count) < 10**11 * unit), UNITS["epoch_ns"])


def _text(found: Any) -> str:
    if type(found) is int:
        return str(found)
    if isinstance(found, str):
        return found.strip()
    raise ValueError
