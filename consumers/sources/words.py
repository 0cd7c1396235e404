"""Compares the words of answers as people do: case, blanks and the ways to write one sign make no difference."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_VARIATIONS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # the same sign, with or without colour
_WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")
_FULL, _EMPTY = "★⭐🌟", "☆✩"
_LEADING = re.compile(r"([+-]?[0-9]{1,9})(?:\s*[-–—:.)=|]\s*|\s+)(?=[^\W\d_]|\()", re.UNICODE)


def folded(found: Any) -> str:
    """The word to look for. `True` is `true`, and `2.0` is `2`."""
    text = unicodedata.normalize("NFKC", _VARIATIONS.sub("", str(found)))
    text = " ".join(text.casefold().split())
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def folded_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` by folded word. Raises ValueError when two of them are the same word."""
    found: dict[str, Any] = {}
    for word, value in values.items():
        if folded(word) in found:
            raise ValueError(f"{word[:60]!r} is the same word as another of the values; keep one of them")
        found[folded(word)] = value
    return found


def stars_of(text: str) -> int:
    """How many stars are full in `★★☆☆☆`. Raises ValueError when anything else is there."""
    signs = [sign for sign in _VARIATIONS.sub("", text) if not sign.isspace()]
    full = sum(sign in _FULL for sign in signs)
    if not signs or full + sum(sign in _EMPTY for sign in signs) != len(signs):
        raise ValueError
    return full


def leading_of(text: str) -> int:
    """The number that stands before its words in `2 - Poor`. Raises ValueError when there is none."""
    text = unicodedata.normalize("NFKC", text).strip()
    found = _LEADING.match(text)
    return int(found[1] if found else re.fullmatch(r"[+-]?[0-9]{1,9}", text, re.ASCII)[0])  # type: ignore[index]
