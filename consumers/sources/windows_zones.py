"""Knows the zones of Windows, Exchange, Dynamics and Rails by the names that everybody else uses."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import resources

from alerts.calling_hours.geography import present_name
from alerts.calling_hours.zones import known_zones
from alerts.wording.plain_text import visible

_OFFSET = re.compile(r"^\((?:UTC|GMT)[^()]*\)\s*|\s*\((?:UTC|GMT)[^()]*\)$")  # as lists to choose from show it
_WRAPPED = re.compile(r"^(?:TZ=)?:?(?:posix/)?")  # as Unix writes it in an environment
_SEASON = re.compile(r"(.+?) (?:(?:daylight|summer) time|time(?: \([a-z &]+\))?)")
_CONTINENTS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
_NO_CITY = frozenset({"north", "south", "west"})  # of Australia, to Australians
_STATES = {"hawaii": "Pacific/Honolulu", "alaska": "America/Anchorage", "arizona": "America/Phoenix"}


@lru_cache(maxsize=4096)
def zone_named(text: str) -> str:
    """IANA's name for a zone of Windows or Rails, or for a city that a zone is called after.

    Any other text as it is, to be judged where all zones are judged.
    """
    name = " ".join(visible(text).replace("\\/", "/").split())
    shown = _WRAPPED.sub("", _OFFSET.sub("", name))
    found = _windows_zone(shown.casefold())
    if found is None and shown != name:  # behind an offset: "Amsterdam, Berlin, Bern, Rome"
        found = next((_cities()[city] for city in shown.casefold().split(", ") if city in _cities()), None)
    return found or _cities().get(shown.casefold(), shown)


def _windows_zone(name: str) -> str | None:
    """Zones have one name all the year there; what shows a season, or none, is the same zone."""
    season = _SEASON.fullmatch(name)
    return _windows().get(name) or (_windows().get(f"{season[1]} standard time") if season else None)


@cache
def _windows() -> dict[str, str]:
    table = resources.files("consumers.sources").joinpath("windows_zones.txt").read_text(encoding="utf-8")
    pairs = (line.split(" = ") for line in table.splitlines() if not line.startswith("#"))
    return {windows.casefold(): iana for windows, iana in pairs}


@cache
def _cities() -> dict[str, str]:
    """Zones by the city in their name, in small letters and with blanks; none that two zones with different clocks share."""
    found: dict[str, list[str]] = {}
    for zone in sorted(known_zones()):
        continent, _, city = zone.partition("/")
        if city and continent in _CONTINENTS:
            found.setdefault(city.rpartition("/")[2].replace("_", " ").casefold(), []).append(zone)
    clear = {city: zones[0] for city, zones in found.items() if len(set(map(present_name, zones))) == 1}
    return {city: zone for city, zone in clear.items() if city not in _NO_CITY} | _STATES
