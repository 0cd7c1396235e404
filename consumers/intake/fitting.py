"""Fits an event's data into our shape. What is optional and cannot be used is cut or dropped, with a flag, so that a
bad answer is never lost for a detail (docs/surveys.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from alerts.flags import cut, dropped
from consumers.intake.lengths import MAX_COMMENT, MAX_TEXT
from consumers.intake.moments import Moment, read_moment
from consumers.intake.reason import DeadLetterReason, InvalidRecord

ABSENT: Any = msgspec.UNSET
"""Stands where a member was not sent. As false as None, which was sent; so what is written anew has the members that came."""

_Text = Annotated[str, Meta(max_length=MAX_TEXT)]


class SurveyData(Struct, gc=False):
    id: _Text | None = ABSENT
    question: _Text | None = ABSENT


class AgentData(Struct, gc=False):
    id: _Text | None = ABSENT
    team: _Text | None = ABSENT


class CustomerData(Struct, gc=False):
    id: str | None = ABSENT
    name: _Text | None = ABSENT
    phone: Any = ABSENT
    email: str | None = ABSENT
    time_zone: Any = ABSENT
    country: str | None = ABSENT
    language: _Text | None = ABSENT
    segment: _Text | None = ABSENT
    since: date | None = ABSENT
    value: float | None = ABSENT


class InteractionData(Struct, gc=False):
    id: str | None = ABSENT
    channel: _Text | None = ABSENT
    queue: _Text | None = ABSENT
    reason: _Text | None = ABSENT
    agent: AgentData | None = ABSENT
    started_at: Moment | None = ABSENT
    ended_at: Moment | None = ABSENT


class Data(Struct, gc=False):
    """`rating`, `scale`, `phone` and `time_zone` may be anything: whoever reads them judges them."""

    response_id: str | None = ABSENT
    survey: SurveyData | None = ABSENT
    rating: Any = ABSENT
    scale: Any = ABSENT
    comment: Annotated[str, Meta(max_length=MAX_COMMENT)] | None = ABSENT
    answered_at: Moment | None = ABSENT
    customer: CustomerData | None = ABSENT
    interaction: InteractionData | None = ABSENT
    attributes: dict[str, Any] | None = ABSENT


_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_MOMENTS = frozenset({"answered_at", "interaction.started_at", "interaction.ended_at"})
_NUMBERED = frozenset({"customer.id", "customer.country", "interaction.id"})  # a number there is read as its text
_LONGEST = {"comment": MAX_COMMENT} | dict.fromkeys(
    (
        *("survey.id", "survey.question"),
        *("customer.name", "customer.language", "customer.segment"),
        *("interaction.channel", "interaction.queue", "interaction.reason"),
        *("interaction.agent.id", "interaction.agent.team"),
    ),
    MAX_TEXT,
)
_EXACT = 2**53  # from here on a float stands for more than one whole number
_YEAR = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")


def fit(data: Mapping[str, Any] | Data, flags: list[str]) -> Data:
    """`data` in our shape, with a flag for all that was changed. Raises InvalidRecord for what decides.

    msgspec names one member that does not fit; that one is mended, and so on. A good event takes one turn.
    """
    if isinstance(data, Data):
        return data
    while True:
        try:
            return msgspec.convert(data, Data)
        except msgspec.ValidationError as error:
            found = _PATH.search(str(error))
            path = found.group(1) if found else "data"
        data = _mended(data, path, flags)


def _mended(data: Mapping[str, Any], path: str, flags: list[str]) -> dict[str, Any]:
    if path == "answered_at" and _moment(data.get(path)) is None:
        raise InvalidRecord(DeadLetterReason.INVALID_TIME, path, "send RFC 3339 with a zone, like 2026-11-22T10:00:00Z")
    parents, _, name = path.rpartition(".")
    if path in ("response_id", "data"):
        raise InvalidRecord(DeadLetterReason.INVALID_FIELD, path, "send it as text, or leave it out")
    copy: dict[str, Any] = dict(data)
    inner = copy
    for parent in filter(None, parents.split(".")):
        inner[parent] = inner = dict(inner[parent])
    inner[name] = _usable(inner[name], path, flags)
    return copy


def _usable(value: Any, path: str, flags: list[str]) -> Any:
    """What stands in the place of a value that does not fit: always something that does."""
    if value == "":
        return None
    if path in _MOMENTS and (moment := _moment(value)) is not None:
        return moment
    if path == "customer.since":
        since = _day(value)
        if since is not None:
            return since
    elif path in _NUMBERED and (number := whole_text(value)) is not None:
        return number
    elif isinstance(value, str) and path in _LONGEST:
        flags.append(cut(path))
        return value[: _LONGEST[path]]
    flags.append(dropped(path))
    return None


def _moment(value: Any) -> datetime | None:
    return read_moment(value) if isinstance(value, str) else None


def whole_text(value: Any) -> str | None:
    if type(value) is int:
        return str(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else None


def _day(value: Any) -> date | None:
    """A year or a month counts from its first day, a moment by its day."""
    if isinstance(value, datetime):
        return value.date()
    text = str(value) if type(value) is int else value
    if not isinstance(text, str):
        return None
    try:
        if year := _YEAR.fullmatch(text.strip()):
            return date(int(year[1]), int(year[2] or 1), 1)
        return datetime.fromisoformat(text.strip()).date()
    except ValueError:
        return None
