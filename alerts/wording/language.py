"""Reads which language somebody speaks, however a system writes it, and says who serves them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

from alerts.wording.nobody import names_nobody
from alerts.wording.plain_text import visible

_LONGEST = 128
_REGION = re.compile(r"[a-z]{2}|[0-9]{3}")
_SUBTAG = re.compile(r"[a-z0-9]{1,8}")
_IN_BRACKETS = re.compile(r"\s*[(\[（].*")  # English (United States)
_LIST = re.compile(r"[,;|/]")  # Accept-Language: the first is the favourite
_PARTS = re.compile(r"[\s_\-‐‑–]+")


@lru_cache(maxsize=4096)
def read_language(text: str | None) -> str | None:
    """A BCP 47 tag in small letters (`en-us`, `zh-hans-cn`), or None for a language that nobody can name.

    Reads tags with hyphens or underscores, POSIX locales (`de_DE.UTF-8`), three-letter and withdrawn codes (`eng`, `iw`),
    names in English or in the language itself, and the first of a list.
    """
    if text is None or len(text) > _LONGEST:
        return None
    first = _LIST.split(unicodedata.normalize("NFKC", visible(text)).strip())[0]
    name = _plain(_IN_BRACKETS.sub("", first))
    tag, *rest = _PARTS.split(name.partition(".")[0].partition("@")[0])
    if name != "id" and names_nobody(name):  # Indonesian
        return None
    is_a_name = bool(rest) and (rest[-1] in _names() or (" " in name and not all(map(_REGION.fullmatch, rest))))
    if tag in _codes() and not is_a_name:  # "US English" and "No preference" are none, though `us` and `no` are codes
        return "-".join([_codes()[tag], *_subtags(rest)])
    return _named(name)


def primary(tag: str) -> str:
    """The language itself, without script and region: `en` for `en-us`."""
    return tag.partition("-")[0]


def serves(languages: Iterable[str], wanted: str | None) -> bool:
    """Whether somebody who speaks `languages` can serve a customer who wants to be spoken to in `wanted`.

    The look-up of RFC 4647, down to the language itself: `en` serves `en-gb`, and who speaks `pt-br` is understood in
    Lisbon. Of a language that nobody can name everybody is offered.
    """
    tag = read_language(wanted)
    return tag is None or any(primary(spoken) == primary(tag) for spoken in map(read_language, languages) if spoken)


def spoken(languages: Iterable[str]) -> list[str]:
    """The languages themselves that somebody speaks, for the queue's own look-up; nothing of those nobody can name."""
    return sorted({primary(tag) for tag in map(read_language, languages) if tag})


def is_within(tag: str | None, ranges: Iterable[str]) -> bool:
    """Whether a language lies in one of the ranges: `pt` holds `pt-br` too, `pt-br` only itself (RFC 4647, basic filtering)."""
    read = read_language(tag)
    wanted = (read_language(each) or each.casefold() for each in ranges)
    return read is not None and any(read == each or read.startswith(f"{each}-") for each in wanted)


def _named(name: str) -> str | None:
    """By the whole name, else by its last word (`US English`) or its first (`Spanish Latin America`)."""
    words = _PARTS.split(name)
    return next((_names()[each] for each in (name, words[-1], words[0]) if each in _names()), None)


def _subtags(parts: list[str]) -> list[str]:
    """Script, region and the like, as far as they are any; what follows something that is none is left out."""
    kept = []
    for part in parts:
        if not _SUBTAG.fullmatch(part):
            break
        kept.append(part)
    return kept


def _plain(text: str) -> str:
    marked = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(sign for sign in marked if unicodedata.category(sign) != "Mn")).strip()


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """The primary subtag by each code. A language's own code counts before one that stands for another."""
    rows = [codes.split() for codes, _ in _rows()]
    others = {code: own for own, *more in rows for code in more}
    return {**others, **{own: own for own, *_ in rows}}


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {_plain(name): codes.split()[0] for codes, names in _rows() for name in names.split(",")}


def _rows() -> list[tuple[str, str]]:
    text = resources.files("alerts.wording").joinpath("languages.txt").read_text(encoding="utf-8")
    lines = (line.partition("|") for line in text.splitlines() if not line.startswith("#"))
    return [(codes, names) for codes, _, names in lines]
