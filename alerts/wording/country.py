"""Reads a country as people and lists write it: two letters, three letters, three digits, its name, or its flag."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import resources
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import phonenumbers
from holidays.registry import COUNTRIES

from alerts.wording.nobody import names_nobody
from alerts.wording.plain_text import visible

_LONGEST = 64  # characters; what is longer names no country
_A_PART = re.compile(r"([A-Z]{2})[-_][A-Z0-9]{1,3}")  # ISO 3166-2: US-CA
_A_LOCALE = re.compile(r"[a-z]{2,3}[-_](?:[A-Z][a-z]{3}[-_])?([A-Z]{2})")
_TWICE = re.compile(r"([^()\[\]]+)[(\[]([^()\[\]]+)[)\]]")  # United States (US)
_FLAG = range(0x1F1E6, 0x1F200)  # one sign for each letter

# In a name of several words these say nothing: "Republic of Korea" and "Korea, Republic of" are "Korea".
_OF_STATES = frozenset(
    (
        *(
            "the",
            "of",
            "and",
            "de",
            "la",
            "el",
            "republic",
            "rep",
            "state",
            "states",
            "commonwealth",
            "federated",
            "kingdom",
        ),
        *(
            "grand",
            "duchy",
            "principality",
            "sultanate",
            "islamic",
            "plurinational",
            "bolivarian",
            "hashemite",
            "federal",
        ),
        *("federation", "federative", "independent"),
    )
)


@lru_cache(maxsize=4096)
def country_code(text: str) -> str | None:
    """ISO 3166 alpha-2 in capitals, or None when the text names no country, or several.

    Reads alpha-2, alpha-3 and numeric codes, `UK` and `EL`, a part of a country (`US-CA`), the region of a locale, flags, and
    the names of countries in English and in many other languages, whatever their case, accents, blanks and dots.
    """
    plain = _with_letters(visible(text).strip())
    if len(plain) > _LONGEST or (names_nobody(plain) and not _is_two_letters(plain)):
        return None
    if found := _A_PART.fullmatch(plain) or _A_LOCALE.fullmatch(plain):
        return _codes().get(found[1].casefold())
    return _named(plain) or _named_twice(plain)


def prepare() -> None:
    """Loads the names in all languages beforehand, so that nothing has to wait for them."""
    _names()


def _named(text: str) -> str | None:
    folded = _folded(text)
    if found := _codes().get(folded) or _codes().get(_core(text)):
        return found
    is_a_code = folded.isascii() and (len(folded) <= 3 or folded.isdigit())
    return None if is_a_code else _names().get(folded) or _names().get(_core(text))


def _named_twice(text: str) -> str | None:
    """A name and, in brackets behind it, a code or another name for the same."""
    both = _TWICE.fullmatch(text)
    if both is None:
        return None
    found, again = (_named(part.strip()) for part in both.groups())
    return found if found == again else None


def _with_letters(text: str) -> str:
    """A flag as the two letters that it is made of."""
    return "".join(chr(ord(sign) - _FLAG.start + ord("A")) if ord(sign) in _FLAG else sign for sign in text)


def _is_two_letters(text: str) -> bool:
    return len(text) == 2 and text.isalpha()  # `NA` is Namibia


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum())


def _core(text: str) -> str:
    """The words of a name in the order of the alphabet, without those that say nothing."""
    words = (_folded(word) for word in re.split(r"[\s,&()\-]+", text.replace("St.", "Saint")))
    kept = sorted({word for word in words if word and word not in _OF_STATES})
    return " ".join(kept)


@cache
def _codes() -> dict[str, str]:
    """Codes and English names, as the library of holidays lists them, and what people write besides."""
    found = {_folded(name): two for name, two, *_ in COUNTRIES.values()}
    found |= {_folded(three): two for _, two, three, *_ in COUNTRIES.values()}
    found |= {_folded(two): two for _, two, *_ in COUNTRIES.values()}
    for two, digits, names in _rows():
        found |= {key: two for name in names for key in (_folded(name), _core(name))}
        if digits not in _calling_codes():  # 352 is Iceland to one, and Luxembourg to another
            found[digits] = two
    return {key: two for key, two in found.items() if key}


@cache
def _calling_codes() -> frozenset[str]:
    return frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


@cache
def _names() -> dict[str, str]:
    """Names in the languages that the library of phone numbers knows; one that two countries share is none."""
    found: dict[str, str] = {}
    shared: set[str] = set()
    for code, name in _spoken():
        for key in {_folded(name), _core(name)}:
            if found.setdefault(key, code) != code:
                shared.add(key)
    shared.add("")
    return {name: code for name, code in found.items() if name not in shared}


def _spoken() -> Iterator[tuple[str, str]]:
    known = set(_codes().values())
    for code, names in _locale_data().items():
        if code in known:
            yield from ((code, name) for name in names.values() if name and not name.startswith("*"))


def _locale_data() -> dict[str, dict[str, str]]:
    """Names by country and language, without the package that they lie in: its geography takes 100 MB and half a second."""
    assert phonenumbers.__file__ is not None
    path = Path(phonenumbers.__file__).with_name("geodata") / "locale.py"
    spec = spec_from_file_location("phonenumbers.geodata.locale", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    names: dict[str, dict[str, str]] = module.LOCALE_DATA
    return names


def _rows() -> Iterable[tuple[str, str, list[str]]]:
    text = resources.files("alerts.wording").joinpath("countries.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            codes, _, names = line.partition("|")
            two, digits = codes.split()
            yield two, digits, [name.strip() for name in names.split(",") if name.strip()]
