"""Reads a country as people write it: two letters, three letters, or its name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from holidays.registry import COUNTRIES

_LONGEST = 64  # characters; what is longer names no country
_ALIASES = {
    "UK": "GB",
    "EL": "GR",  # as the European Union writes it
    "US of A": "US",
    "United States of America": "US",
    "Great Britain": "GB",
    "Britain": "GB",
    "England": "GB",
    "Scotland": "GB",
    "Wales": "GB",
    "Northern Ireland": "GB",
    "Holland": "NL",
    "Czech Republic": "CZ",
    "Turkey": "TR",
    "Korea": "KR",
    "Kosovo": "XK",
    "XKX": "XK",
}


@lru_cache(maxsize=4096)
def country_code(text: str) -> str | None:
    """ISO 3166 alpha-2 in capitals, or None when the text names no country, or several.

    Reads alpha-2 and alpha-3 codes, `UK` and `EL`, and the names of countries in English and in many other languages,
    whatever their case, accents, blanks and dots.
    """
    if len(text) > _LONGEST:
        return None
    folded = _folded(text)
    is_a_code = folded.isascii() and len(folded) <= 3
    return _codes().get(folded) or (None if is_a_code else _names().get(folded))


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum())


@cache
def _codes() -> dict[str, str]:
    """Codes and English names, as the library of holidays lists them, and what people write besides."""
    found = {_folded(name): two for name, two, *_ in COUNTRIES.values()}
    found |= {_folded(three): two for _, two, three, *_ in COUNTRIES.values()}
    found |= {_folded(two): two for _, two, *_ in COUNTRIES.values()}
    return found | {_folded(name): two for name, two in _ALIASES.items()}


@cache
def _names() -> dict[str, str]:
    """Names in the languages that the library of phone numbers knows; one that two countries share is none."""
    found: dict[str, str] = {}
    shared: set[str] = set()
    for code, name in _spoken():
        if found.setdefault(_folded(name), code) != code:
            shared.add(_folded(name))
    return {name: code for name, code in found.items() if name not in shared}


def _spoken() -> Iterator[tuple[str, str]]:
    # Loads the library's whole geography, so only once somebody writes a name that the short list lacks.
    from phonenumbers.geodata.locale import LOCALE_DATA

    known = set(_codes().values())
    for code, names in LOCALE_DATA.items():
        if code in known:
            yield from ((code, name) for name in names.values() if name and not name.startswith("*"))
