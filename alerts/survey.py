"""One customer's answer to one rating question, as the house knows it once the outside format is left behind."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from msgspec import Struct

from alerts.scale import FIVE_POINTS, Scale

EVENT_TYPE = "survey.response.submitted.v1"


class Respondent(Struct, frozen=True, kw_only=True, gc=False):
    """Who answered, as far as the answer says. `phone` is E.164 when it could be read, else None."""

    id: str | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    time_zone: str | None = None  # IANA name
    country: str | None = None  # ISO 3166 alpha-2, upper case
    language: str | None = None  # BCP 47, lower case
    segment: str | None = None
    since: date | None = None
    value: float | None = None


class Interaction(Struct, frozen=True, kw_only=True, gc=False):
    """The contact that was rated."""

    id: str | None = None
    channel: str | None = None
    queue: str | None = None
    reason: str | None = None
    agent_id: str | None = None
    agent_team: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class SurveyResponse(Struct, frozen=True, kw_only=True, gc=False):
    """A valid answer. Times are aware and in UTC.

    `(event_source, event_id)` identifies the event, `(event_source, response_id)` the answer over its revisions;
    `revised_at` (CloudEvents `time`, else `answered_at`) orders the revisions; of equal ones the later in Kafka wins.
    `flags` name what had to be mended on the way in, see `alerts.flags`.
    """

    event_source: str
    event_id: str
    source: str  # the source file's name, or "cloudevents"
    response_id: str
    survey_id: str | None = None
    question: str | None = None
    rating: int
    scale: Scale = FIVE_POINTS
    comment: str | None = None
    answered_at: datetime
    revised_at: datetime
    customer: Respondent = Respondent()
    interaction: Interaction = Interaction()
    attributes: dict[str, Any] = {}
    flags: tuple[str, ...] = ()
