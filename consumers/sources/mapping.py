"""Makes our canonical event of a platform's own, field by field, as the source file says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any

from msgspec import Struct
from pydantic import Field, field_validator

from alerts.document import Section
from consumers.intake.cloudevents import MAX_ID
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.sources.rule import FieldRule, Rule, RuleError

UNUSABLE: dict[str, Any] = {"unusable": True}
"""Stands where an optional member was found and could not be read, so that the one room that drops and flags members
hears of it, also when a row was mapped here and is read elsewhere. An attribute is null then."""

_DECISIVE = frozenset({"event_id", "response_id", "rating", "answered_at"})


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


class SourceMapping(Section):
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
    attributes: dict[str, FieldRule] = Field(default_factory=dict)

    @field_validator("event_id")
    @classmethod
    def _differs_by_event(cls, rule: Rule) -> Rule:
        if rule.expression is None:
            raise ValueError(
                "all events would have one id, and all but the first be duplicates; read it from the event"
            )
        return rule

    @field_validator("time")
    @classmethod
    def _is_a_time(cls, rule: Rule | None) -> Rule | None:
        if rule is not None and rule.type != "datetime":
            raise ValueError("revisions are ordered by it; give the rule type datetime")
        return rule

    @property
    def columns(self) -> frozenset[str]:
        """Everything in an event, or in a row, that the rules look into."""
        return frozenset().union(*(rule.columns for _, rule in self.rules))

    @cached_property
    def rules(self) -> tuple[tuple[str, Rule], ...]:
        """Each rule with its place."""
        return tuple(_rules(self, ""))

    def required_columns(self) -> Iterator[tuple[str, frozenset[str]]]:
        """For each place that must be filled and has no default: its name, and what its rule looks into."""
        for name in ("event_id", "rating", "answered_at"):
            rule: Rule = getattr(self, name)
            if rule.default is None:
                yield f"map.{name}", rule.columns

    def fields(self, event: Any) -> Iterator[MappedField]:
        """What each rule makes of `event`; mistakes are told, not raised."""
        return (_field(rule, event, path) for path, rule in self.rules)

    def seems_an_answer(self, event: Any) -> bool:
        """Whether `event` has a rating or a time where the rules look for one; all else may still be wrong."""
        found = (_field(rule, event, "").value for rule in (self.rating, self.answered_at) if _finds(rule))
        return any(type(value) in (int, datetime) for value in found)

    def event_id_of(self, event: Any) -> str:
        """The id alone, of an event that is not whole yet. Raises InvalidRecord (`mapping_failed`)."""
        field = _field(self.event_id, event, "event_id")
        if field.problem is not None:
            raise InvalidRecord(DeadLetterReason.MAPPING_FAILED, field.path, field.problem)
        return take_event_id({"event_id": field.value})

    def is_unrated(self, event: Any) -> bool:
        """Whether there is no rating, which is another thing than one that cannot be read."""
        rating = _field(self.rating, event, "rating")
        return rating.value is None and rating.problem is None

    def data(self, event: Any) -> dict[str, Any]:
        """Our data; `event_id` and `time` are still in it. Raises InvalidRecord for a mistake that decides.

        A bad answer is never lost for a detail: what else cannot be mapped is UNUSABLE, or left out.
        """
        data: dict[str, Any] = {}
        for field in self.fields(event):
            if field.problem is not None and field.path in _DECISIVE:
                raise InvalidRecord(_reason(field), field.path, field.problem)
            value = UNUSABLE if field.problem is not None and _is_flagged(field.path) else field.value
            if value is not None:
                _put(data, field.path, value)
        return data


class MappedField(Struct, frozen=True):
    """One line of what a mapping made of an event. `value` may be personal data; `problem` never is."""

    path: str
    value: Any
    problem: str | None = None
    unfit: bool = False  # the value was found, and is not of the declared type


def take_event_id(data: dict[str, Any]) -> str:
    """Removes the event's id from mapped data. Raises InvalidRecord when there is none that can be kept."""
    found = data.pop("event_id", None)
    if not isinstance(found, str) or not found.strip() or len(found) > MAX_ID:
        raise InvalidRecord(
            DeadLetterReason.MAPPING_FAILED, "event_id", f"there must be 1 to {MAX_ID} characters of text"
        )
    return found


def take_time(data: dict[str, Any]) -> datetime | None:
    """Removes the time that orders revisions from mapped data."""
    found = data.pop("time", None)
    return found if isinstance(found, datetime) else None


def _rules(section: Section, prefix: str) -> Iterator[tuple[str, Rule]]:
    """Each rule with its place."""
    for name in type(section).model_fields:
        part = getattr(section, name)
        if isinstance(part, Rule):
            yield prefix + name, part
        elif isinstance(part, Section):
            yield from _rules(part, f"{prefix}{name}.")
        elif isinstance(part, dict):
            yield from ((f"{prefix}{name}.{key}", each) for key, each in part.items())


def _finds(rule: Rule) -> bool:
    """Whether a value of this rule shows that something was there."""
    return rule.expression is not None and rule.default is None


def _field(rule: Rule, event: Any, path: str) -> MappedField:
    try:
        value = rule.value_of(event)
    except RuleError as why:
        return MappedField(path, None, str(why), why.found)
    if not _is_plain(value):
        return MappedField(path, None, "the expression makes a number that JSON cannot hold", True)
    return MappedField(path, value)


def _is_plain(value: Any) -> bool:
    """JMESPath's to_number makes infinity and NaN of texts."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_is_plain(each) for each in value.values())
    return not isinstance(value, list) or all(_is_plain(each) for each in value)


def _is_flagged(path: str) -> bool:
    return path != "time" and not path.startswith("attributes.")


def _reason(field: MappedField) -> DeadLetterReason:
    if field.unfit and field.path == "rating":
        return DeadLetterReason.INVALID_RATING
    if field.unfit and field.path == "answered_at":
        return DeadLetterReason.INVALID_TIME
    return DeadLetterReason.MAPPING_FAILED


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    """Attributes keep a dot in their names; everything else nests at each dot."""
    *parents, last = path.split(".", 1) if path.startswith("attributes.") else path.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
    data[last] = value
