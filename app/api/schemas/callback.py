"""Callbacks, as they are asked for, worked on and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from alerts.callback import ClosedReason, Flag, State, Target
from alerts.learning.problem import ProblemState
from alerts.policy import QueueName
from alerts.result import Result
from app.api.schemas.base import (
    AdvisorName,
    Language,
    Note,
    QueryModel,
    ReasonText,
    RequestModel,
    ResponseModel,
    Seconds,
    Token,
    UtcMoment,
)
from app.api.schemas.customer import CustomerResource
from app.api.schemas.paging import ListResource, PageQuery, PlainText, RefText, example
from app.api.schemas.response import AlertResource, AnswerResource


class CallbackQuery(PageQuery):
    """Filters of the list of callbacks; those that may be given several times match any of their values."""

    state: list[State] | None = None
    queue: list[QueueName] | None = None
    priority: list[Annotated[int, Field(ge=1, le=5)]] | None = None
    advisor: AdvisorName | None = Field(None, description="who holds or owns it; `me` is the caller")
    customer: RefText | None = Field(None, description="the customer's ref")
    cause: PlainText | None = Field(None, description="a kind (`skill`, `operations`) or a driver")
    flag: Flag | None = None
    overdue: bool | None = Field(None, description="whether a target of an open callback has passed")
    q: PlainText | None = Field(None, description="an id: of a callback, a customer (ref) or an answer (response_id)")
    opened_after: UtcMoment | None = None
    opened_before: UtcMoment | None = None
    sort: Literal["work_order", "opened_at", "due_at"] = "work_order"


class ClaimQuery(QueryModel):
    explain: bool = Field(False, description="also say how the place in the order came about")


class ClaimOneRequest(RequestModel):
    model_config = example({"lease_seconds": 900})

    lease_seconds: Seconds | None = None
    advisor: AdvisorName | None = None


class ClaimRequest(ClaimOneRequest):
    model_config = example({"queues": ["billing"], "languages": ["en"], "lease_seconds": 900, "wait_seconds": 20})

    queues: Annotated[list[QueueName], Field(max_length=100)] | None = None
    languages: Annotated[list[Language], Field(max_length=100)] | None = None
    wait_seconds: Annotated[int, Field(ge=0, le=30, description="how long to wait for one, in seconds")] = 0
    count: Annotated[int, Field(ge=1, le=50, description="how many; the answer is a list")] | None = None


class ExtendRequest(RequestModel):
    model_config = example({"lease_token": "7.rT3…", "lease_seconds": 900})

    lease_token: Token
    lease_seconds: Seconds | None = None


class ReleaseRequest(RequestModel):
    model_config = example({"lease_token": "7.rT3…", "reason": "called away"})

    lease_token: Token | None = Field(None, description="a lead may leave it out and so withdraw the lease")
    reason: ReasonText | None = None


class SkipRequest(RequestModel):
    model_config = example({"lease_token": "7.rT3…", "reason": "I know this customer"})

    lease_token: Token
    reason: ReasonText


class AttemptRequest(RequestModel):
    model_config = example({"lease_token": "7.rT3…", "result": "no_answer", "note": "rang out"})

    lease_token: Token
    result: Annotated[Result, Field(strict=False)]  # JSON has no enums: the word itself is meant
    note: Note | None = None
    started_at: UtcMoment | None = None
    ended_at: UtcMoment | None = None
    number: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="the number that was dialled, where it is not the one we had; kept as the customer's"
    )
    opt_out: bool = Field(False, description="with `refused`: the customer wants no more calls")
    override_reason: ReasonText | None = Field(
        None, description="a lead's: why a call that did happen outside the window is recorded"
    )

    @model_validator(mode="after")
    def _opt_out_is_a_refusal(self) -> AttemptRequest:
        if self.opt_out and self.result is not Result.REFUSED:
            raise ValueError("opt_out goes with the result refused")
        return self


class ScheduleRequest(RequestModel):
    model_config = example({"lease_token": "7.rT3…", "at": "2026-11-23T10:30:00Z", "keep_owner": True})

    lease_token: Token | None = Field(None, description="a lead may leave it out for a waiting callback")
    at: UtcMoment
    keep_owner: bool = True


class CauseRequest(RequestModel):
    kind: Literal["skill", "operations"]
    driver: Annotated[str, Field(max_length=63)]


class ResolveRequest(RequestModel):
    model_config = example(
        {
            "lease_token": "7.rT3…",
            "cause": {"kind": "operations", "driver": "billing"},
            "outcome": "recovered",
            "note": "the invoice is corrected, the customer is content",
            "checklist": {"apologised": True},
        }
    )

    lease_token: Token
    cause: CauseRequest
    outcome: Literal["recovered", "partly_recovered", "not_recovered", "information_only"]
    note: Note | None = None
    checklist: Annotated[dict[str, bool], Field(max_length=100)] = {}
    version: int | None = Field(None, description="the version that was read, when an alert joined meanwhile")
    told: bool = Field(False, description="the customer has heard that the known problem is solved")


class NoteRequest(RequestModel):
    model_config = example({"note": "prefers mornings"})

    note: Note


class OptionalReason(RequestModel):
    """A reason that need not be given."""

    model_config = example({"reason": "the customer called again about the same invoice"})

    reason: ReasonText | None = None


class RequiredReason(RequestModel):
    """A reason that must be given."""

    model_config = example({"reason": "the billing system is down"})

    reason: ReasonText


class AssignRequest(RequestModel):
    model_config = example({"advisor": "ann"})

    advisor: AdvisorName


class MoveRequest(RequestModel):
    model_config = example({"queue": "billing"})

    queue: QueueName


class MoveManyRequest(RequestModel):
    model_config = example({"ids": ["0198c0de-0000-7000-8000-000000000001"], "queue": "billing"})

    ids: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=200)]
    queue: QueueName


class LeaseResource(ResponseModel):
    token: str
    holder: str
    expires_at: datetime


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


class ProblemNote(ResponseModel):
    """The known problem behind a callback: what to say while it goes on, and once it is solved."""

    id: str
    title: str
    note: str | None
    state: ProblemState
    message: str | None


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
    problem: ProblemNote | None
    told_at: Annotated[datetime | None, Field(description="when the customer heard that the problem is solved")]
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


class CallbackList(ListResource):
    items: list[CallbackResource]


class MoveResult(ResponseModel):
    """What became of one of several. `code` and `detail` say why it was refused."""

    id: str
    status: Literal["moved", "refused"]
    code: str | None = None
    detail: str | None = None


class MoveResultList(ListResource):
    items: list[MoveResult]
