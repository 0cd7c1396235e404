"""Reads numbers that platforms send as text, and rounds them only where the source file says how."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any, Literal, TypeAlias

Rounding: TypeAlias = Literal["floor", "nearest", "refuse"]
Mark: TypeAlias = Literal[".", ","]

_ROUNDINGS = {"floor": ROUND_FLOOR, "nearest": ROUND_HALF_UP}
_PLAIN = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")
_SCIENTIFIC = re.compile(_PLAIN.pattern + r"(?:[eE][+-]?[0-9]{1,3})?")
_GROUPED = {
    ".": re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?"),
    ",": re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]*)?"),
}
_CLOCK = re.compile(r"(?:([0-9]{1,4})[. ])?([0-9]{1,4}):([0-5][0-9]):([0-5][0-9](?:\.[0-9]{1,9})?)")
_PERIOD = re.compile(
    r"P(?:([0-9]{1,4})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,10}(?:\.[0-9]{1,9})?)S)?)?"
)
_SECONDS = (86_400, 3_600, 60, 1)


def whole_of(found: Any, rounding: Rounding | None = None, mark: Mark | None = None) -> int:
    """A whole number; one with a fraction only by `rounding`, of which `nearest` takes a half up. Raises ValueError."""
    number = Decimal(found) if type(found) is int else _decimal(found, mark, _PLAIN)
    if number == number.to_integral_value():
        return int(number)
    if rounding not in _ROUNDINGS:
        raise ValueError
    return int(number.to_integral_value(_ROUNDINGS[rounding]))


def float_of(found: Any, mark: Mark | None = None) -> float:
    """Raises ValueError for what is no number, and for those beyond what JSON holds."""
    number = float(_decimal(found, mark, _SCIENTIFIC))
    if not math.isfinite(number):
        raise ValueError
    return number


def seconds_of(found: Any) -> int | float:
    """A length of time: seconds, `1:02:03`, or `PT1H2M3S`. Raises ValueError."""
    if not isinstance(found, str) or _SCIENTIFIC.fullmatch(found.strip()):
        return _plain(float_of(found))
    text = found.strip().upper()
    parts = _CLOCK.fullmatch(text) or _PERIOD.fullmatch(text)
    if parts is None or not any(parts.groups()):
        raise ValueError
    return _plain(sum(float(part) * each for part, each in zip(parts.groups("0"), _SECONDS, strict=True)))


def _plain(number: float) -> int | float:
    return int(number) if number.is_integer() else number


def _decimal(found: Any, mark: Mark | None, pattern: re.Pattern[str]) -> Decimal:
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        raise ValueError
    if not isinstance(found, str):
        if not math.isfinite(found):
            raise ValueError
        return Decimal(str(found))
    text = _ungrouped(unicodedata.normalize("NFKC", found).strip(), mark)
    if not pattern.fullmatch(text):
        raise ValueError
    return Decimal(text)


def _ungrouped(text: str, mark: Mark | None) -> str:
    """Thousands are grouped only where the file says which sign is the decimal mark: 1,234 may be either."""
    if mark is None:
        return text
    if _GROUPED[mark].fullmatch(text):
        text = text.replace("." if mark == "," else ",", "")
    elif mark == "," and "." in text:
        raise ValueError
    return text.replace(mark, ".")
