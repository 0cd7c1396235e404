"""Takes one value out of a platform's event and turns it into what we expect there."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult
from pydantic import BeforeValidator, Field, model_validator

from alerts.document import Section
from alerts.errors import BottomboxError
from alerts.phone import normalise
from alerts.policy import Zone
from consumers.sources.expression import Expression, compiled

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(\.0+)?")
_BELONGS = {"values": ("words",), "format": ("date", "datetime"), "zone": ("datetime",), "country": ("e164",)}
_EPOCHS = {"epoch_s": 1, "epoch_ms": 1000}


class Unfit(BottomboxError):
    """What the event holds there is not what the source file declares. `found`: a value, of another type."""

    def __init__(self, message: str, *, found: bool) -> None:
        super().__init__(message)
        self.found = found


class Rule(Section):
    """`from` a JMESPath expression or a `constant`; then `type` says how to read what was found.

    int, float, text: also from text and numbers. words: looked up in `values`, compared as text. e164: a
    phone number as dialled in `country`. date, datetime: ISO 8601, or `format` as in Python's strptime, or
    epoch_s, epoch_ms; `zone` belongs to times that name none. Without a type the value passes as it is.
    `default` stands in for null and "".
    """

    from_: Expression | None = Field(None, alias="from")
    constant: Any = None
    type: Literal["int", "float", "text", "words", "e164", "date", "datetime"] | None = None
    values: dict[str, Any] | None = None
    format: str | None = None
    zone: Zone | None = None
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$")
    default: Any = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.from_ is None) == (self.constant is None):
            raise ValueError('a rule has either "from" or "constant"; write one of them')
        for name, types in _BELONGS.items():
            if getattr(self, name) is not None and self.type not in types:
                raise ValueError(f"{name!r} belongs to type {' or '.join(types)}; remove it or give the type")
        if self.type == "words" and not self.values:
            raise ValueError('type words needs "values"; list the words and what they stand for')
        return self

    def value_of(self, event: Any) -> Any:
        """What `event` holds there; None when it holds nothing. Raises Unfit."""
        found = self.constant if self._expression is None else self._search(self._expression, event)
        if found is None or found == "":
            return self.default
        try:
            return found if self.type is None else _READERS[self.type](self, found)
        except (ValueError, OverflowError):
            raise Unfit(f"what was found there is not of type {self.type}", found=True) from None

    @cached_property
    def _expression(self) -> ParsedResult | None:
        return None if self.from_ is None else compiled(self.from_)

    def _search(self, expression: ParsedResult, event: Any) -> Any:
        try:
            return expression.search(event)
        except (JMESPathError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
            raise Unfit("the expression does not fit this event", found=False) from None

    @cached_property
    def _zone(self) -> ZoneInfo | None:
        return None if self.zone is None else ZoneInfo(self.zone)


def _read_int(rule: Rule, found: Any) -> int:
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if type(found) is int:
        return found
    if isinstance(found, str) and _WHOLE.fullmatch(found.strip()):
        return int(found.strip().partition(".")[0])
    raise ValueError


def _read_float(rule: Rule, found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, (int, float, str)):
        raise ValueError
    number = float(found)
    if not math.isfinite(number):
        raise ValueError
    return number


def _read_text(rule: Rule, found: Any) -> str:
    if isinstance(found, str):
        return found
    if type(found) is int:
        return str(found)
    raise ValueError


def _read_words(rule: Rule, found: Any) -> Any:
    word = str(found).lower() if isinstance(found, bool) else str(found)
    if rule.values is None or word not in rule.values:
        raise ValueError
    return rule.values[word]


def _read_e164(rule: Rule, found: Any) -> Any:
    """The number as found where it cannot be read: the answer is kept and flagged, see docs/surveys.md."""
    raw = str(found)
    return normalise(raw, rule.country) or raw


def _read_datetime(rule: Rule, found: Any) -> datetime:
    if rule.format in _EPOCHS:
        return datetime.fromtimestamp(_read_float(rule, found) / _EPOCHS[rule.format], UTC)
    text = _read_text(rule, found).strip()
    moment = _parsed(text, rule.format) if rule.format else datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if rule._zone is None:
            raise ValueError
        moment = moment.replace(tzinfo=rule._zone)
    return moment.astimezone(UTC)


def _read_date(rule: Rule, found: Any) -> date:
    if rule.format in _EPOCHS:
        return _read_datetime(rule, found).date()
    text = _read_text(rule, found).strip()
    return _parsed(text, rule.format).date() if rule.format else date.fromisoformat(text)


def _parsed(text: str, form: str) -> datetime:
    return datetime.strptime(text, form)  # noqa: DTZ007 - the zone stands beside it in the source file


_READERS: dict[str, Callable[[Rule, Any], Any]] = {
    "int": _read_int,
    "float": _read_float,
    "text": _read_text,
    "words": _read_words,
    "e164": _read_e164,
    "date": _read_date,
    "datetime": _read_datetime,
}


def _short(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


FieldRule = Annotated[Rule, BeforeValidator(_short)]
"""A rule; a plain text is short for `from`."""
