"""Survey responses, as they are asked for and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from app.api.schemas.base import (
    ResponseModel,
    UtcMoment,
)
from app.api.schemas.paging import ListResource, PageQuery, PlainText, RefText


class ResponseQuery(PageQuery):
    """Filters of the list of answers, newest first."""

    customer: RefText | None = None
    source: PlainText | None = None
    box: Literal["bottom", "middle", "top"] | None = None
    outcome: Literal["bottom_box", "not_bottom_box", "stale", "suppressed"] | None = None
    answered_after: UtcMoment | None = None
    answered_before: UtcMoment | None = None


class ScaleResource(ResponseModel):
    worst: int
    best: int


class AgentResource(ResponseModel):
    id: str | None
    team: str | None


class InteractionResource(ResponseModel):
    id: str | None
    channel: str | None
    queue: str | None
    reason: str | None
    agent: AgentResource
    started_at: datetime | None
    ended_at: datetime | None


class SurveyResource(ResponseModel):
    id: str | None
    question: str | None


class AnswerResource(ResponseModel):
    """A survey answer. Masked, `comment` and `attributes` are null. `points`: 1 (worst) to 5 after mapping."""

    id: str
    event_source: str
    event_id: str
    response_id: str
    source: str
    survey: SurveyResource
    rating: int
    scale: ScaleResource
    points: int
    box: Literal["bottom", "middle", "top"]
    comment: str | None
    attributes: dict[str, Any] | None
    interaction: InteractionResource
    answered_at: datetime
    received_at: datetime
    flags: list[str]


class AlertResource(AnswerResource):
    """An answer that needs a call."""

    raised_at: datetime
    severity: int
    reasons: list[str]


class SurveyResponseResource(AnswerResource):
    customer: str
    outcome: Literal["bottom_box", "not_bottom_box", "stale", "suppressed"]
    suppressed: str | None
    callback: str | None


class ResponseList(ListResource):
    items: list[SurveyResponseResource]
