"""The base of every model at the front door: strict about what comes in, closed about what goes out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from alerts.wording.language import read_language

_members: set[str] = set()
_AWARE = Annotated[datetime, msgspec.Meta(tz=True)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        _members.update(cls.model_fields)
        _members.update(field.alias for field in cls.model_fields.values() if field.alias)


class RequestModel(_Model):
    """A request's body: unknown members are mistakes, `true` is no number, `"2"` neither."""

    model_config = ConfigDict(strict=True)


class QueryModel(_Model):
    """A request's query: all of it is text, so numbers may be read from text."""


class ResponseModel(_Model):
    """An answer."""


def known_member(name: object) -> bool:
    """Whether some model has a member of this name; any other name is the sender's own text."""
    return name in _members


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("this must be a time in RFC 3339 with a zone, like 2026-11-22T10:00:00Z")
    try:
        return msgspec.convert(value, _AWARE).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise ValueError("this must be a time in RFC 3339 with a zone, like 2026-11-22T10:00:00Z") from None


FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


def _calendar_day(value: Any) -> Any:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-11-22") else None
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError("this must be a day like 2026-11-22, from 2000 to 2199")
    return day


def _language(value: str) -> str:
    if read_language(value) is None:
        raise ValueError("this must be a language, like en or pt-BR")
    return value


UtcMoment = Annotated[datetime, BeforeValidator(_moment)]
"""RFC 3339 with a zone; kept in UTC."""

CalendarDay = Annotated[date, BeforeValidator(_calendar_day)]
"""A day as ISO 8601 writes it, within two centuries, so that weeks can be counted from it."""

Seconds = Annotated[int, Field(ge=5, le=3600, description="seconds")]
Note = Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"\S")]
ReasonText = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")]
AdvisorName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Language = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_language)]
"""A language, however it is written: `en`, `pt-BR`, `pt_BR`, `Portuguese`."""

Token = Annotated[str, Field(min_length=1, max_length=200)]
