"""What every question to the insights may say: from when until when, on whose clock, and of which answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from alerts.calling_hours.zones import is_zone
from alerts.errors import Invalid
from alerts.insights.buckets import Grain
from alerts.insights.question import LONGEST_DAYS, Question
from app.api.schemas.base import QueryModel, UtcMoment
from app.api.schemas.paging import PlainText

DAY, MONTH = timedelta(days=1), timedelta(days=28)
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""No answer is older: one from before is an unset clock."""

FILTERS = ("queue", "source", "channel", "team", "segment", "survey", "country", "language", "driver")


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("this must be an IANA time zone, like Asia/Kathmandu")
    return name


ZoneName = Annotated[str, Field(max_length=64), AfterValidator(_zone)]
Values = Annotated[list[PlainText], Field(max_length=100)]


class InsightQuery(QueryModel):
    """`from` and `to` in RFC 3339, [from, to). Days and hours are cut in `zone`. A filter given several times lets each
    of its values through."""

    from_: UtcMoment | None = Field(None, alias="from")
    to: UtcMoment | None = None
    zone: ZoneName = "UTC"
    queue: Values = []
    source: Values = []
    channel: Values = []
    team: Values = []
    segment: Values = []
    survey: Values = []
    country: Values = []
    language: Values = []
    driver: Values = []

    def question(self, now: datetime, usual: timedelta = MONTH) -> Question:
        """Until now, and `usual` long, where nothing else is asked. Raises Invalid."""
        until = self.to or now
        _check_year("/to", until)
        since = self.from_ or max(EARLIEST, until - usual)
        _check_year("/from", since)
        if since > until:
            raise Invalid("`from` lies after `to` (which is now where it is not given); swap them", "/from")
        filters = {name: tuple(getattr(self, name)) for name in FILTERS if getattr(self, name)}
        return Question(since=since, until=until, zone=self.zone, filters=filters)


class HoursQuery(InsightQuery):
    step: Grain = Grain.HOUR


class CausesQuery(InsightQuery):
    by: Literal["reason"] | None = None


class SegmentsQuery(InsightQuery):
    by: Literal["queue", "source", "channel", "team", "segment", "survey", "country", "language"]


class RecoveryQuery(InsightQuery):
    by: Literal["driver", "delay", "advisor"] | None = None


class RepeatsQuery(InsightQuery):
    """`days`: another contact within so many is a repeat."""

    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 7
    by: Literal["driver", "queue", "team"] | None = None


class ForecastQuery(QueryModel):
    """From now until the calling day ends, so there is no range to ask for."""

    queue: Values = []


def _check_year(pointer: str, moment: datetime) -> None:
    if not EARLIEST <= moment < LATEST:
        raise Invalid("this lies outside the years 2000 to 2199; correct it", pointer)
