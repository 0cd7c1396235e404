"""What is told: the shape of every answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from alerts.callback import ClosedReason, Flag, State, Target
from app.api.schemas.base import ResponseModel


class LeaseResource(ResponseModel):
    token: str
    holder: str
    expires_at: datetime


class CustomerResource(ResponseModel):
    """`phone` is E.164, with `;ext=45` (RFC 3966) where an extension belongs to it, which stands in `extension` alone too.

    `masked`: phone `+44******67`, name as initials, e-mail `j***`. The number is masked outside the calling
    window, whoever looks. `version` is what If-Match of the customer's PATCH expects, in quotes."""

    ref: str
    masked: bool
    name: str | None
    phone: str | None
    extension: str | None
    email: str | None
    number_status: Literal["ok", "none", "bad"]
    time_zone: str | None
    country: str | None
    language: str | None
    segment: str | None
    since: date | None
    value: float | None
    opted_out_at: datetime | None
    version: str


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


class DueResource(ResponseModel):
    first_attempt: datetime | None
    contact: datetime | None
    resolution: datetime | None


class PromiseResource(ResponseModel):
    at: datetime
    state: Literal["open", "kept", "late", "broken", "void"]


class CauseResource(ResponseModel):
    kind: Literal["skill", "operations"]
    driver: str


class RankTerm(ResponseModel):
    name: str
    seconds: float


class RankExplanation(ResponseModel):
    """`opened_at` + the sum of the seconds = `rank_at`; the smaller goes first."""

    rank_at: datetime
    terms: list[RankTerm]


class CallbackLinks(ResponseModel):
    self: str
    customer: str
    previous: str | None


class CallbackResource(ResponseModel):
    id: str
    state: State
    closed_reason: ClosedReason | None
    queue: str
    source: str
    priority: Annotated[int, Field(description="1 (highest) to 5")]
    severity: Annotated[int, Field(description="0 to 100")]
    points: int
    reasons: list[str]
    flags: list[Flag]
    customer: CustomerResource
    language: str | None
    opened_at: datetime
    callable_from: datetime | None
    callable_until: datetime | None
    callable_reason: str
    due: DueResource
    overdue: list[Target]
    attempts_count: int
    lease: LeaseResource | None
    advisor: str | None
    owner: str | None
    promise: PromiseResource | None
    alerts: list[AlertResource]
    cause: CauseResource | None
    outcome: str | None
    checklist: dict[str, bool]
    claimed_at: datetime | None
    first_attempt_at: datetime | None
    contacted_at: datetime | None
    ended_at: datetime | None
    version: int
    links: CallbackLinks
    explain: RankExplanation | None = None


class AttemptResource(ResponseModel):
    number: int
    result: str
    advisor: str
    started_at: datetime
    ended_at: datetime | None
    recorded_at: datetime
    note: str | None
    outside_window: bool


class HistoryEntryResource(ResponseModel):
    """One entry of the history. Masked, `text` is null."""

    at: datetime
    kind: str
    actor: str
    data: dict[str, Any]
    text: str | None


class EarlierCallback(ResponseModel):
    id: str
    state: State
    closed_reason: ClosedReason | None
    queue: str
    opened_at: datetime
    ended_at: datetime | None
    cause: CauseResource | None
    outcome: str | None


class LocalTime(ResponseModel):
    time_zone: str
    time: str


class WindowResource(ResponseModel):
    """When the customer may next be phoned. `from` is past when it is open."""

    open_now: bool
    opens_at: datetime | None
    closes_at: datetime | None
    reason: str


class TargetState(ResponseModel):
    target: Target
    due_at: datetime
    result: Literal["met", "missed"] | None


class CallbackDetail(CallbackResource):
    attempts: list[AttemptResource]
    history: list[HistoryEntryResource]
    earlier_answers: list[AnswerResource]
    earlier_callbacks: list[EarlierCallback]
    local_time: list[LocalTime]
    window: WindowResource
    targets: list[TargetState]


class ListResource(ResponseModel):
    next: str | None


class CallbackList(ListResource):
    items: list[CallbackResource]


class ResponseList(ListResource):
    items: list[SurveyResponseResource]


class MoveResult(ResponseModel):
    """What became of one of several. `code` and `detail` say why it was refused."""

    id: str
    status: Literal["moved", "refused"]
    code: str | None = None
    detail: str | None = None


class MoveResultList(ListResource):
    items: list[MoveResult]


class Paused(ResponseModel):
    at: datetime
    by: str
    reason: str


class QueueResource(ResponseModel):
    """`ready` may be claimed now. `oldest`: when the one that waits longest was opened."""

    name: str
    paused: Paused | None
    waiting: int
    ready: int
    leased: int
    scheduled: int
    overdue: int
    oldest: datetime | None
    next_callable_at: datetime | None


class QueueList(ListResource):
    items: list[QueueResource]


class ContactEffect(ResponseModel):
    """`superseded`: the callback is closed. `flagged`: somebody holds it and now knows. `none`: nothing to do."""

    effect: Literal["superseded", "flagged", "none"]
    callback: str | None


class RefResource(ResponseModel):
    ref: str


class PartitionResource(ResponseModel):
    """One partition. `difference` = next_offset - first_offset - the sum of outcomes - skipped, and is 0."""

    topic: str
    partition: int
    epoch: int
    first_offset: int
    next_offset: int
    outcomes: dict[str, int]
    skipped: int
    seen_again: int
    difference: int


class PartitionList(ListResource):
    items: list[PartitionResource]


class OriginResource(ResponseModel):
    topic: str
    partition: int
    offset: int
    timestamp: datetime


class AddressResource(ResponseModel):
    topic: str
    partition: int
    offset: int


class DeadLetterResource(ResponseModel):
    id: str
    origin: OriginResource
    address: AddressResource | None
    reason: str
    field: str | None
    detail: str
    source: str | None
    failed_at: datetime
    redriven_at: datetime | None
    redriven_by: str | None


class DeadLetterList(ListResource):
    items: list[DeadLetterResource]


class RedriveResult(ResponseModel):
    """How many were sent again: 0 when Kafka has not kept it."""

    redriven: int


class PolicyInForce(ResponseModel):
    version: str
    name: str
    policy: dict[str, Any]


class EventError(ResponseModel):
    pointer: str
    detail: str
    code: str


class EventItem(ResponseModel):
    id: str | None
    status: Literal["accepted", "rejected"]
    errors: list[EventError]


class EventItems(ResponseModel):
    items: list[EventItem]


class Health(ResponseModel):
    status: Literal["alive", "ready"]


class ProblemError(ResponseModel):
    """`pointer` is a JSON Pointer into the body, or names a member of the query (`in`)."""

    pointer: str
    detail: str
    code: str | None = None


class ProblemDocument(ResponseModel):
    """RFC 9457. `instance` names this very request; the log has the same id."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[ProblemError] | None = None
