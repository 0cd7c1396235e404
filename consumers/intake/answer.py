"""Makes a survey response of an event's data, or says which member cannot be right (docs/surveys.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec

from alerts.calling_hours.zones import read_zone
from alerts.clocks import CLOCK_TOLERANCE
from alerts.flags import BAD_NUMBER, FUTURE_ANSWER, FUTURE_TIME, dropped
from alerts.identity import clean_email, clean_identity, handle_of
from alerts.phones.phone import normalise
from alerts.scale import FIVE_POINTS, Scale
from alerts.survey import Interaction, Respondent, SurveyResponse
from alerts.wording.country import country_code
from alerts.wording.language import read_language
from alerts.wording.nobody import is_left_open
from consumers.intake.cloudevents import CloudEvent
from consumers.intake.fitting import ABSENT, AgentData, CustomerData, InteractionData, SurveyData, fit, whole_text
from consumers.intake.lengths import MAX_ID, MAX_TEXT, is_short
from consumers.intake.moments import EARLIEST, FIRST_CUSTOMER, LATEST, UNSET_DATES, is_believable, utc
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.sources.windows_zones import zone_named

_MAX_BOUND = 2**31 - 1
_BEYOND_E164 = 10**16
_NO_SURVEY, _NO_AGENT, _NO_CUSTOMER, _NO_INTERACTION = SurveyData(), AgentData(), CustomerData(), InteractionData()


def read_response(event: CloudEvent, *, source: str, flags: tuple[str, ...] = ()) -> SurveyResponse:
    """The answer as it was sent: no clock has been asked yet, see `clamp_future`. Raises InvalidRecord."""
    _check_identity(event)
    found = [*flags, *event.flags]
    data = fit(event.data, found)
    scale = _scale(None if data.scale is ABSENT else data.scale)
    rating = _rating(data.rating, scale)
    survey = data.survey or _NO_SURVEY
    time = _since_2000(event.time, "time", found)
    answered_at = _answered_at(data.answered_at or time)
    response = SurveyResponse(
        event_source=event.source,
        event_id=event.id,
        source=source,
        response_id=_response_id(data.response_id, found) or event.id,
        survey_id=survey.id or None,
        question=survey.question or None,
        rating=rating,
        scale=scale,
        comment=data.comment or None,
        answered_at=answered_at,
        revised_at=time or answered_at,
        customer=_customer(data.customer or _NO_CUSTOMER, found),
        interaction=_interaction(data.interaction or _NO_INTERACTION, found),
        attributes=data.attributes or {},
        flags=tuple(found),
    )
    if response.customer.id is None and response.interaction.id is None and handle_of(response) is None:
        raise InvalidRecord(
            DeadLetterReason.NO_HANDLE,
            "customer",
            "send customer.id, an e-mail or a phone number that can be read, or interaction.id",
        )
    return response


def clamp_future(response: SurveyResponse, recorded_at: datetime) -> SurveyResponse:
    """A time ahead of the record gets the record's, and a flag: some sender's clock is broken.

    `recorded_at` is when the record was written, the first time if it was sent again. It stands in for `answered_at`,
    and for the time that orders revisions, each for itself.
    """
    latest, flags = recorded_at + CLOCK_TOLERANCE, list(response.flags)
    answered_at, revised_at = response.answered_at, response.revised_at
    if answered_at > latest:
        flags.append(FUTURE_ANSWER)
    if revised_at > latest and revised_at != answered_at:
        flags.append(FUTURE_TIME)
    if len(flags) == len(response.flags):
        return response
    return msgspec.structs.replace(
        response,
        answered_at=recorded_at if answered_at > latest else answered_at,
        revised_at=recorded_at if revised_at > latest else revised_at,
        flags=tuple(flags),
    )


def _check_identity(event: CloudEvent) -> None:
    for name, value in (("source", event.source), ("id", event.id)):
        if not is_short(value):
            raise InvalidRecord(DeadLetterReason.INVALID_ENVELOPE, name, f"this attribute has more than {MAX_ID} bytes")
    if is_left_open(event.id):  # the second of them would be taken for the first, and its alert be lost
        raise InvalidRecord(
            DeadLetterReason.INVALID_ENVELOPE, "id", "it names no event; send an id of each event's own"
        )


def _response_id(given: str | None, flags: list[str]) -> str | None:
    """One that names no answer is none: the next stranger's answer would be a revision of this one."""
    if not given or given.isspace():
        return None
    if not is_short(given):
        raise InvalidRecord(
            DeadLetterReason.INVALID_FIELD, "response_id", f"it has more than {MAX_ID} bytes; send a shorter one"
        )
    kept = clean_identity(given)
    if kept is None:
        flags.append(dropped("response_id"))
    return kept


def _answered_at(given: datetime | None) -> datetime:
    if given is None:
        raise InvalidRecord(DeadLetterReason.INVALID_TIME, "answered_at", "it is missing; send RFC 3339 with a zone")
    moment = utc(given)
    if moment < EARLIEST:
        raise InvalidRecord(
            DeadLetterReason.INVALID_TIME, "answered_at", "it is before the year 2000, so some clock was not set"
        )
    return moment


def _since_2000(given: datetime | None, path: str, flags: list[str]) -> datetime | None:
    moment = None if given is None else utc(given)
    if moment is None or moment >= EARLIEST:
        return moment
    flags.append(dropped(path))
    return None


def _believable(given: datetime | None, path: str, flags: list[str]) -> datetime | None:
    moment = _since_2000(given, path, flags)
    if moment is None or is_believable(moment):
        return moment
    flags.append(dropped(path))
    return None


def _scale(value: Any) -> Scale:
    if value is None:
        return FIVE_POINTS
    worst, best = (value.get("worst"), value.get("best")) if isinstance(value, dict) else (None, None)
    if type(worst) is not int or type(best) is not int or not _is_scale(worst, best):
        raise InvalidRecord(DeadLetterReason.UNKNOWN_SCALE, "scale", "send two different whole numbers, worst and best")
    return Scale(worst, best)


def _is_scale(worst: int, best: int) -> bool:
    return worst != best and max(abs(worst), abs(best)) <= _MAX_BOUND


def _rating(value: Any, scale: Scale) -> int:
    if type(value) is not int:  # `true` is an int to isinstance
        raise InvalidRecord(
            DeadLetterReason.INVALID_RATING, "rating", "send a JSON number without fraction or exponent"
        )
    if not scale.holds(value):
        raise InvalidRecord(DeadLetterReason.INVALID_RATING, "rating", "it is outside the scale; send the right one")
    return value


def _customer(given: CustomerData, flags: list[str]) -> Respondent:
    country = _country(given.country, flags) if given.country else None
    return Respondent(
        id=_handle(given.id, "customer.id", flags, clean_identity),
        name=given.name or None,
        phone=_phone(given.phone, country, flags) if given.phone else None,
        email=_handle(given.email, "customer.email", flags, clean_email),
        time_zone=_zone(given.time_zone, flags) if given.time_zone else None,
        country=country,
        language=_language(given.language, flags) if given.language else None,
        segment=given.segment or None,
        since=_since(given.since or None, flags),
        value=None if given.value is ABSENT else given.value,
    )


def _since(given: date | None, flags: list[str]) -> date | None:
    """An unset date makes no old customer: year 1, the beginnings of calendars in programs, and what is yet to come."""
    if given is None or (FIRST_CUSTOMER <= given < LATEST.date() and given not in UNSET_DATES):
        return given
    flags.append(dropped("customer.since"))
    return None


def _handle(given: str | None, path: str, flags: list[str], clean: Callable[[str], str | None]) -> str | None:
    """What a customer is known by is kept whole or not at all: the beginning of it may be somebody else's."""
    if not given or given.isspace():
        return None
    kept = clean(given) if is_short(given) else None
    if kept is None:
        flags.append(dropped(path))
    return kept


def _language(given: str, flags: list[str]) -> str | None:
    """A language that nobody can name is none, and the customer is offered to everybody."""
    language = read_language(given)
    if language is None:
        flags.append(dropped("customer.language"))
    return language


def _phone(raw: Any, country: str | None, flags: list[str]) -> str | None:
    text = whole_text(raw) if isinstance(raw, int | float) and abs(raw) < _BEYOND_E164 else raw
    number = normalise(text, country) if isinstance(text, str) and len(text) <= MAX_TEXT else None
    if number is None and not (isinstance(text, str) and text.isspace()):
        flags.append(BAD_NUMBER)
    return number


def _zone(raw: Any, flags: list[str]) -> str | None:
    zone = read_zone(zone_named(raw)) if isinstance(raw, str) and len(raw) <= MAX_TEXT else None
    if zone is None and not (isinstance(raw, str) and raw.isspace()):
        flags.append(dropped("customer.time_zone"))
    return zone


def _country(raw: str, flags: list[str]) -> str | None:
    code = country_code(raw)
    if code is None and raw.strip():
        flags.append(dropped("customer.country"))
    return code


def _interaction(given: InteractionData, flags: list[str]) -> Interaction:
    agent = given.agent or _NO_AGENT
    return Interaction(
        id=_handle(given.id, "interaction.id", flags, clean_identity),
        channel=given.channel or None,
        queue=given.queue or None,
        reason=given.reason or None,
        agent_id=agent.id or None,
        agent_team=agent.team or None,
        started_at=_believable(given.started_at or None, "interaction.started_at", flags),
        ended_at=_believable(given.ended_at or None, "interaction.ended_at", flags),
    )
