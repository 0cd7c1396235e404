"""Makes our canonical event of a platform's own, field by field, as the source file says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct
from pydantic import Field as PydanticField

from alerts.document import Section
from consumers.cloudevents import MAX_ID
from consumers.reason import CannotRead, Reason
from consumers.sources.rule import FieldRule, Rule, Unfit

_TIMES = frozenset({"time", "answered_at", "interaction.started_at", "interaction.ended_at"})


class SurveyMap(Section):
    id: FieldRule | None = None
    question: FieldRule | None = None


class CustomerMap(Section):
    id: FieldRule | None = None
    name: FieldRule | None = None
    phone: FieldRule | None = None
    email: FieldRule | None = None
    time_zone: FieldRule | None = None
    country: FieldRule | None = None
    language: FieldRule | None = None
    segment: FieldRule | None = None
    since: FieldRule | None = None
    value: FieldRule | None = None


class AgentMap(Section):
    id: FieldRule | None = None
    team: FieldRule | None = None


class InteractionMap(Section):
    id: FieldRule | None = None
    channel: FieldRule | None = None
    queue: FieldRule | None = None
    reason: FieldRule | None = None
    agent: AgentMap | None = None
    started_at: FieldRule | None = None
    ended_at: FieldRule | None = None


class Mapping(Section):
    """The `map:` of a source file: the shape of our event's data, with a rule in each place.

    `event_id` identifies the event within its source; `time` orders the revisions of one answer.
    """

    event_id: FieldRule
    time: FieldRule | None = None
    response_id: FieldRule | None = None
    survey: SurveyMap | None = None
    rating: FieldRule
    comment: FieldRule | None = None
    answered_at: FieldRule
    customer: CustomerMap | None = None
    interaction: InteractionMap | None = None
    attributes: dict[str, FieldRule] = PydanticField(default_factory=dict)

    def fields(self, event: Any) -> Iterator[Field]:
        """What each rule makes of `event`; mistakes are told, not raised."""
        return _fields(self, event, "")

    def data(self, event: Any) -> dict[str, Any]:
        """Our data; `event_id` and `time` are still in it. Raises CannotRead for the first mistake."""
        data: dict[str, Any] = {}
        for field in self.fields(event):
            if field.problem is not None:
                raise CannotRead(_reason(field), field.path, field.problem)
            if field.value is not None:
                _put(data, field.path, field.value)
        return data


class Field(Struct, frozen=True):
    """One line of what a mapping made of an event. `value` may be personal data; `problem` never is."""

    path: str
    value: Any
    problem: str | None = None
    unfit: bool = False  # the value was found, and is not of the declared type


def take_event_id(data: dict[str, Any]) -> str:
    """Removes the event's id from mapped data. Raises CannotRead when there is none that can be kept."""
    found = data.pop("event_id", None)
    if not isinstance(found, str) or not found.strip() or len(found) > MAX_ID:
        raise CannotRead(Reason.MAPPING_FAILED, "event_id", f"there must be 1 to {MAX_ID} characters of text")
    return found


def take_time(data: dict[str, Any]) -> datetime | None:
    """Removes the time that orders revisions from mapped data."""
    found = data.pop("time", None)
    if found is not None and not isinstance(found, datetime):
        raise CannotRead(Reason.INVALID_TIME, "time", 'give the rule "type: datetime"')
    return found


def _fields(section: Section, event: Any, prefix: str) -> Iterator[Field]:
    for name in type(section).model_fields:
        rule = getattr(section, name)
        if isinstance(rule, Rule):
            yield _field(rule, event, prefix + name)
        elif isinstance(rule, Section):
            yield from _fields(rule, event, f"{prefix}{name}.")
        elif isinstance(rule, dict):
            for key, each in rule.items():
                yield _field(each, event, f"{prefix}{name}.{key}")


def _field(rule: Rule, event: Any, path: str) -> Field:
    try:
        value = rule.value_of(event)
    except Unfit as why:
        return Field(path, None, str(why), why.found)
    if not _is_plain(value):
        return Field(path, None, "the expression makes a number that JSON cannot hold", True)
    return Field(path, value)


def _is_plain(value: Any) -> bool:
    """JMESPath's to_number makes infinity and NaN of texts."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_is_plain(each) for each in value.values())
    return not isinstance(value, list) or all(_is_plain(each) for each in value)


def _reason(field: Field) -> Reason:
    if field.unfit and field.path == "rating":
        return Reason.INVALID_RATING
    if field.unfit and field.path in _TIMES:
        return Reason.INVALID_TIME
    return Reason.MAPPING_FAILED


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    """Attributes keep a dot in their names; everything else nests at each dot."""
    *parents, last = path.split(".", 1) if path.startswith("attributes.") else path.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
    data[last] = value
