"""What may be asked: bodies and queries of every route."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from alerts.callback import Flag, State
from alerts.result import Result
from app.api.schemas.base import (
    AdvisorName,
    Language,
    Note,
    QueryModel,
    QueueName,
    ReasonText,
    RequestModel,
    Seconds,
    Token,
    UtcMoment,
)

Limit = Annotated[int, Field(ge=1, le=200, description="how many at most, 1 to 200")]
Cursor = Annotated[str, Field(max_length=2_000, description="`next` of the page before, with the same filters")]
RefText = Annotated[str, Field(max_length=100)]
PlainText = Annotated[str, Field(min_length=1, max_length=512)]


def example(members: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [members]})


class PageQuery(QueryModel):
    limit: Limit = 50
    cursor: Cursor | None = None


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


class ResponseQuery(PageQuery):
    """Filters of the list of answers, newest first."""

    customer: RefText | None = None
    source: PlainText | None = None
    box: Literal["bottom", "middle", "top"] | None = None
    outcome: Literal["bottom_box", "not_bottom_box", "stale", "suppressed"] | None = None
    answered_after: UtcMoment | None = None
    answered_before: UtcMoment | None = None


class DeadLetterQuery(PageQuery):
    """Filters of the list of dead letters, newest first."""

    reason: PlainText | None = None
    topic: PlainText | None = None


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


class CustomerHandles(RequestModel):
    id: PlainText | None = None
    phone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    email: PlainText | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> CustomerHandles:
        if self.id is None and self.phone is None and self.email is None:
            raise ValueError("give id, phone or email")
        return self


class InteractionHandle(RequestModel):
    id: PlainText


class LookupRequest(RequestModel):
    model_config = example({"customer": {"id": "c-17"}, "source": "cloudevents"})

    customer: CustomerHandles | None = None
    interaction: InteractionHandle | None = None
    source: PlainText = Field("cloudevents", description="the source that gave the id")

    @model_validator(mode="after")
    def _one_of_them(self) -> LookupRequest:
        if (self.customer is None) == (self.interaction is None):
            raise ValueError("give either customer or interaction")
        return self


class ContactRequest(LookupRequest):
    model_config = example({"customer": {"id": "c-17"}, "kind": "called_in", "at": "2026-11-22T10:00:00Z"})

    kind: Literal["called_in", "chatted", "visited"]
    at: UtcMoment


class CustomerPatch(RequestModel):
    """What is given is set; null empties it; what is left out stays."""

    model_config = example({"phone": "+442079460067", "time_zone": "Europe/London", "language": "en"})

    phone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    time_zone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _says_something(self) -> CustomerPatch:
        if not self.model_fields_set:
            raise ValueError("give phone, time_zone or language")
        return self
