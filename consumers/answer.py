"""Makes a survey response of an event's data, or says which member cannot be right (docs/surveys.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta, Struct

from alerts.identity import handle_of
from alerts.phone import normalise
from alerts.scale import FIVE_POINTS, Scale
from alerts.survey import Customer, Interaction, SurveyResponse
from consumers.cloudevents import MAX_ID, Event, Moment, utc
from consumers.reason import CannotRead, Reason

MAX_COMMENT = 20_000  # characters; what is longer is cut, and flagged
AHEAD = timedelta(minutes=5)  # an answer further in the future than this has a broken clock
_MAX_BOUND = 2**31 - 1

_Text = Annotated[str, Meta(max_length=MAX_ID)]
_Country = Annotated[str, Meta(pattern=r"^([A-Za-z]{2})?$")]


class _Survey(Struct, gc=False):
    id: _Text | None = None
    question: _Text | None = None


class _Agent(Struct, gc=False):
    id: _Text | None = None
    team: _Text | None = None


class _Customer(Struct, gc=False):
    id: _Text | None = None
    name: _Text | None = None
    phone: Any = None  # whatever it is, it never makes a dead letter
    email: _Text | None = None
    time_zone: Any = None  # likewise
    country: _Country | None = None
    language: _Text | None = None
    segment: _Text | None = None
    since: date | None = None
    value: float | None = None


class _Interaction(Struct, gc=False):
    id: _Text | None = None
    channel: _Text | None = None
    queue: _Text | None = None
    reason: _Text | None = None
    agent: _Agent | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None


class _Data(Struct, gc=False):
    response_id: _Text | None = None
    survey: _Survey | None = None
    rating: Any = None
    scale: Any = None
    comment: str | None = None
    answered_at: Moment | None = None
    customer: _Customer | None = None
    interaction: _Interaction | None = None
    attributes: dict[str, Any] | None = None


_NO_SURVEY, _NO_AGENT, _NO_CUSTOMER, _NO_INTERACTION = _Survey(), _Agent(), _Customer(), _Interaction()
_TIMES = frozenset({"answered_at", "interaction.started_at", "interaction.ended_at"})
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")


def read_answer(event: Event, *, source: str, flags: tuple[str, ...] = ()) -> SurveyResponse:
    """The answer as it was sent: no clock has been asked yet, see `mend_clock`. Raises CannotRead."""
    data = _convert(event.data)
    survey = data.survey or _NO_SURVEY
    found: list[str] = list(flags)
    scale = _scale(data.scale)
    comment = data.comment
    if comment is not None and len(comment) > MAX_COMMENT:
        comment = comment[:MAX_COMMENT]
        found.append("comment_cut")
    answered_at = data.answered_at or event.time
    if answered_at is None:
        raise CannotRead(Reason.INVALID_TIME, "answered_at", "it is missing; send RFC 3339 with a zone")
    answered_at = utc(answered_at, "answered_at")
    response = SurveyResponse(
        event_source=event.source,
        event_id=event.id,
        source=source,
        response_id=data.response_id or event.id,
        survey_id=survey.id or None,
        question=survey.question or None,
        rating=_rating(data.rating, scale),
        scale=scale,
        comment=comment or None,
        answered_at=answered_at,
        revised_at=event.time or answered_at,
        customer=_customer(data.customer or _NO_CUSTOMER, found),
        interaction=_interaction(data.interaction or _NO_INTERACTION),
        attributes=data.attributes or {},
        flags=tuple(found),
    )
    if handle_of(response) is None:
        raise CannotRead(
            Reason.NO_HANDLE,
            "customer",
            "send customer.id, an e-mail or a phone number that can be read, or interaction.id",
        )
    return response


def mend_clock(response: SurveyResponse, recorded_at: datetime | None, sent_at: datetime | None) -> SurveyResponse:
    """An answer from the future gets the record's time, and a flag: some sender's clock is broken.

    `recorded_at` is the record's own time, None when Kafka has none; `sent_at` is the CloudEvents `time`.
    """
    if recorded_at is None or response.answered_at - recorded_at <= AHEAD:
        return response
    return msgspec.structs.replace(
        response,
        answered_at=recorded_at,
        revised_at=sent_at or recorded_at,
        flags=(*response.flags, "future_answer"),
    )


def _convert(data: Mapping[str, Any]) -> _Data:
    try:
        return msgspec.convert(data, _Data)
    except msgspec.ValidationError as error:
        path = _PATH.search(str(error))
        field = path.group(1) if path else "data"
    if field in _TIMES:
        raise CannotRead(Reason.INVALID_TIME, field, "send RFC 3339 with a zone, like 2026-11-22T10:00:00Z")
    raise CannotRead(
        Reason.INVALID_FIELD,
        field,
        f"wrong type, not ISO, or over {MAX_ID} characters; mend it or leave it out",
    )


def _scale(value: Any) -> Scale:
    if value is None:
        return FIVE_POINTS
    worst, best = (value.get("worst"), value.get("best")) if isinstance(value, dict) else (None, None)
    if type(worst) is not int or type(best) is not int or not _is_scale(worst, best):
        raise CannotRead(Reason.UNKNOWN_SCALE, "scale", "send two different whole numbers, worst and best")
    return Scale(worst, best)


def _is_scale(worst: int, best: int) -> bool:
    return worst != best and max(abs(worst), abs(best)) <= _MAX_BOUND


def _rating(value: Any, scale: Scale) -> int:
    if type(value) is not int:  # `true` is an int to isinstance
        raise CannotRead(Reason.INVALID_RATING, "rating", "send a JSON number without fraction or exponent")
    if not scale.holds(value):
        raise CannotRead(Reason.INVALID_RATING, "rating", "it is outside the scale; send the right one")
    return value


def _customer(given: _Customer, flags: list[str]) -> Customer:
    country = given.country.upper() if given.country else None
    return Customer(
        id=given.id or None,
        name=given.name or None,
        phone=_phone(given.phone, country, flags) if given.phone else None,
        email=(given.email.strip() or None) if given.email else None,
        time_zone=_zone(given.time_zone, flags) if given.time_zone else None,
        country=country,
        language=given.language.lower() if given.language else None,
        segment=given.segment or None,
        since=given.since,
        value=given.value,
    )


def _phone(raw: Any, country: str | None, flags: list[str]) -> str | None:
    number = normalise(raw, country) if isinstance(raw, str) and len(raw) <= MAX_ID else None
    if number is None:
        flags.append("bad_number")
    return number


def _zone(raw: Any, flags: list[str]) -> str | None:
    if isinstance(raw, str) and raw in _zones():
        return raw
    flags.append("bad_zone")
    return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _interaction(given: _Interaction) -> Interaction:
    agent = given.agent or _NO_AGENT
    return Interaction(
        id=given.id or None,
        channel=given.channel or None,
        queue=given.queue or None,
        reason=given.reason or None,
        agent_id=agent.id or None,
        agent_team=agent.team or None,
        started_at=utc(given.started_at, "interaction.started_at") if given.started_at else None,
        ended_at=utc(given.ended_at, "interaction.ended_at") if given.ended_at else None,
    )
