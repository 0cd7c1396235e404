"""What the zone database knows: which zones there are, in which country each lies, and which of them share a clock."""

from __future__ import annotations

import zoneinfo
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from alerts.calling_hours.wall_clock import changes_between, offset

_ABBREVIATIONS = frozenset({"EST", "MST", "HST"})
"""Zones without summer time that people choose for the sake of their name, in places that have it."""

_ALIKE_FOR = timedelta(days=3 * 366)


@lru_cache(maxsize=1)
def zone_data_version() -> str:
    """The release of the zone database that decides, like `2026a`: the locked one, on every machine."""
    return _lines("tzdata.zi")[0].removeprefix("# version ")


@lru_cache(maxsize=1)
def known_places() -> frozenset[str]:
    """Every zone that is a place. `UTC`, `GMT`, `Etc/GMT+5`, `localtime` and the like are what a CRM writes by default."""
    return frozenset(zone for zone in zoneinfo.available_timezones() if not _is_nowhere(zone))


def is_fixed_by_habit(zone: str, country: str | None) -> bool:
    """`EST` in a country that has summer time: whoever wrote it meant New York, not Panama."""
    return zone in _ABBREVIATIONS and country is not None and has_summer_time(country)


@lru_cache(maxsize=512)
def has_summer_time(country: str) -> bool:
    return any(_clock(present_name(zone))[1] for zone in zones_of_country(country))


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


def one_per_clock(zones: tuple[str, ...]) -> tuple[str, ...]:
    """Of zones whose clocks agree from now on only one: London for Jersey, New York for Detroit.

    Agree: in the three years from the one in which the zone data was released. Of several the best known stands for
    all: one that the database keeps under this name, a city rather than a county, the one with the most other names.
    """
    alike: dict[object, list[str]] = {}
    for zone in zones:
        alike.setdefault(_clock(present_name(zone)), []).append(zone)
    return tuple(max(group, key=_renown) for group in alike.values())


def prepare() -> None:
    """Reckons every zone's clock beforehand, a third of a second's work, so that no call has to wait for it."""
    for zone in known_places():
        _clock(present_name(zone))


def _renown(zone: str) -> tuple[bool, int, int]:
    kept = present_name(zone)
    return zone == kept, -kept.count("/"), _names()[kept]


@lru_cache(maxsize=1)
def _names() -> Counter[str]:
    """How many other names each zone has."""
    return Counter(_zone_tables()[1].values())


@lru_cache(maxsize=1024)
def _clock(zone: str) -> tuple[timedelta, tuple[tuple[datetime, timedelta], ...]]:
    """The offset at the beginning of the data's year, and each change in the years after it."""
    begin = datetime(int(zone_data_version()[:4]), 1, 1, tzinfo=UTC)
    its = ZoneInfo(zone)
    changes = changes_between(its, begin, begin + _ALIKE_FOR)
    return offset(its, begin), tuple((change, offset(its, change)) for change in changes)


def _is_nowhere(zone: str) -> bool:
    return present_name(zone).startswith("Etc/") or zone in {"localtime", "Factory", "posixrules"}


@lru_cache(maxsize=1)
def _zone_tables() -> tuple[dict[str, str], dict[str, str]]:
    """Country by zone, and the present name by each older name of a zone."""
    cells = [row.split("\t") for row in _lines("zone.tab") if not row.startswith("#")]
    names = [link.split() for link in _lines("tzdata.zi") if link.startswith("L ")]
    return {cell[2]: cell[0] for cell in cells}, {older: present for _, present, older in names}


def _lines(name: str) -> list[str]:
    return resources.files("tzdata.zoneinfo").joinpath(name).read_text(encoding="utf-8").splitlines()
