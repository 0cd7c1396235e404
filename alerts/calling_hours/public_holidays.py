"""The public holidays of a country, and of its parts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays


def holidays_in(place: str, year: int) -> frozenset[date]:
    """The holidays of a country (`GB`: those that all of it keeps), or of a part of one (`GB-ENG`, ISO 3166-2)."""
    country, _, part = place.partition("-")
    return _holidays(country, part or None, year)


def regional_holidays(country: str, regions: Iterable[str], year: int) -> frozenset[date]:
    """The days that any of the regions keeps; with none named, any part of the country.

    A country (ISO 3166 alpha-2) of which no holidays are known has none; a region of which none are known, the country's.
    Some countries have a hundred parts: the first question after a year of one may take 50 ms, see `prepare`.
    """
    known, asked = _parts().get(country, ()), tuple(regions)
    parts = [region for region in asked if region in known] if asked else known
    return frozenset().union(_holidays(country, None, year), *(_holidays(country, part, year) for part in parts))


def prepare(years: Iterable[int]) -> None:
    """Reckons every holiday of these years beforehand (about half a second each), so that no call has to wait for it."""
    for year in years:
        for country in _parts():
            regional_holidays(country, (), year)


def is_known(place: str) -> bool:
    """Whether holidays are known of a country (`GB`), or of a part of one (`GB-ENG`)."""
    country, dash, part = place.partition("-")
    return country in _parts() and (not dash or part in _parts()[country])


@lru_cache(maxsize=32_768)
def _holidays(country: str, part: str | None, year: int) -> frozenset[date]:
    if country not in _parts():
        return frozenset()
    return frozenset(holidays.country_holidays(country, subdiv=part, years=year))


@lru_cache(maxsize=1)
def _parts() -> dict[str, tuple[str, ...]]:
    """The parts of every country of which holidays are known."""
    return {country: tuple(parts) for country, parts in holidays.list_supported_countries().items()}
