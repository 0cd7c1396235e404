"""Takes one value out of a platform's event and turns it into what we expect there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from alerts.document import Section
from alerts.errors import BottomboxError
from alerts.phones.phone import normalise
from alerts.policy import Zone
from consumers.intake.reason import InvalidRecord
from consumers.sources.expression import Compiled, Expression, ExpressionError, compiled, read_json
from consumers.sources.numbers import Mark, Rounding, float_of, seconds_of, whole_of
from consumers.sources.times import check_format, day_of, moment_of
from consumers.sources.windows_zones import zone_named
from consumers.sources.words import folded, folded_values, leading_of, stars_of

Type: TypeAlias = Literal[
    "int", "float", "text", "words", "stars", "leading", "e164", "date", "datetime", "duration", "zone", "json"
]

_TIMES = ("date", "datetime")
_BELONGS = {
    "values": ("words",),
    "format": _TIMES,
    "zone": ("datetime",),
    "zones": ("datetime",),
    "country": ("e164",),
    "rounding": ("int",),
    "decimal": ("int", "float"),
}


class RuleError(BottomboxError):
    """What the event holds there is not what the source file declares. `found`: a value, of another type."""

    def __init__(self, message: str, *, found: bool) -> None:
        super().__init__(message)
        self.found = found


class Rule(Section):
    """`from` a JMESPath expression or a `constant`; then `type` says how to read what was found.

    int, float, text: also from text and numbers. words: looked up in `values` by `words.folded`. stars and
    leading: the number in `★★☆☆☆` and in `2 - Poor`. e164: a phone number as dialled in `country`. date,
    datetime: `times.py`; `zone` belongs to times that name none. duration: seconds. zone: an IANA name, also from
    one of Windows. json: what a text holds as JSON. Without a type the value passes as it is. `default`
    stands in for null and "".
    """

    from_: Expression | None = Field(None, alias="from")
    constant: Any = None
    type: Type | None = None
    values: dict[str, Any] | None = None
    format: str | None = None
    zone: Zone | None = None
    zones: dict[str, Zone] | None = None
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$")
    rounding: Rounding | None = None
    decimal: Mark | None = None
    default: Any = None

    @field_validator("values")
    @classmethod
    def _are_different_words(cls, values: dict[str, Any] | None) -> dict[str, Any] | None:
        if values is not None:
            folded_values(values)
        return values

    @field_validator("format")
    @classmethod
    def _can_be_read(cls, form: str | None) -> str | None:
        if form is not None:
            check_format(form)
        return form

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.from_ is None) == (self.constant is None):
            raise ValueError('a rule has either "from" or "constant"; write one of them')
        for name, types in _BELONGS.items():
            if getattr(self, name) is not None and self.type not in types:
                raise ValueError(f"{name!r} belongs to type {' or '.join(types)}; remove it or give the type")
        if self.type == "words" and not self.values:
            raise ValueError('type words needs "values"; list the words and what they stand for')
        if self.zones and not (self.format or "").endswith("%Z"):
            raise ValueError("'zones' belongs to a format that ends with %Z; remove it, or read the zone's name")
        return self

    def value_of(self, event: Any) -> Any:
        """What `event` holds there; None when it holds nothing. Raises Unfit."""
        found = self._found(event)
        if found is None or found == "":
            return self.default
        try:
            return found if self.type is None else _READERS[self.type](self, found)
        except (ValueError, TypeError, OverflowError, InvalidRecord):
            raise RuleError(f"what was found there is not of type {self.type}", found=True) from None

    @property
    def columns(self) -> frozenset[str]:
        """The event's own members that the rule looks into."""
        return frozenset() if self.expression is None else self.expression.members

    @cached_property
    def expression(self) -> Compiled | None:
        return None if self.from_ is None else compiled(self.from_)

    def _found(self, event: Any) -> Any:
        if self.expression is None:
            return self.constant
        try:
            return self.expression.search(event)
        except ExpressionError as why:
            raise RuleError(str(why), found=False) from None

    @cached_property
    def _zone(self) -> ZoneInfo | None:
        return None if self.zone is None else ZoneInfo(self.zone)

    @cached_property
    def _words(self) -> dict[str, Any]:
        return folded_values(self.values or {})


def _read_text(rule: Rule, found: Any) -> str:
    if isinstance(found, str):
        return found
    if type(found) is int:
        return str(found)
    raise ValueError


def _read_words(rule: Rule, found: Any) -> Any:
    word = folded(found)
    if isinstance(found, (dict, list)) or word not in rule._words:
        raise ValueError
    return rule._words[word]


def _read_leading(rule: Rule, found: Any) -> int:
    return found if type(found) is int else leading_of(_read_text(rule, found))


def _read_e164(rule: Rule, found: Any) -> Any:
    """The number as found where it cannot be read: the answer is kept and flagged, see docs/surveys.md."""
    raw = str(found)
    return normalise(raw, rule.country) or raw


def _read_datetime(rule: Rule, found: Any) -> datetime:
    return moment_of(found, rule.format, rule._zone, rule.zones or {})


def _read_date(rule: Rule, found: Any) -> date:
    return day_of(found, rule.format)


def _read_json(rule: Rule, found: Any) -> Any:
    return read_json(found) if isinstance(found, str) else found


_READERS: dict[str, Callable[[Rule, Any], Any]] = {
    "int": lambda rule, found: whole_of(found, rule.rounding, rule.decimal),
    "float": lambda rule, found: float_of(found, rule.decimal),
    "text": _read_text,
    "words": _read_words,
    "stars": lambda rule, found: stars_of(_read_text(rule, found)),
    "leading": _read_leading,
    "e164": _read_e164,
    "date": _read_date,
    "datetime": _read_datetime,
    "duration": lambda rule, found: seconds_of(found),
    "zone": lambda rule, found: zone_named(_read_text(rule, found)),
    "json": _read_json,
}


def _short(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


FieldRule = Annotated[Rule, BeforeValidator(_short)]
"""A rule; a plain text is short for `from`."""
