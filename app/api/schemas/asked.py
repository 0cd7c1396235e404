"""What may be asked: bodies and queries of every route."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from alerts.callback import Flag, State
from alerts.result import Result
from app.api.schemas.base import (
    Advisor,
    Asked,
    AskedInUrl,
    Language,
    Moment,
    Note,
    QueueName,
    Reason,
    Seconds,
    Token,
)

Limit = Annotated[int, Field(ge=1, le=200, description="how many at most, 1 to 200")]
Cursor = Annotated[str, Field(max_length=2_000, description="`next` of the page before, with the same filters")]
Ref = Annotated[str, Field(max_length=100)]
Plain = Annotated[str, Field(min_length=1, max_length=512)]


def example(members: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [members]})


class Page(AskedInUrl):
    limit: Limit = 50
    cursor: Cursor | None = None


class CallbackQuery(Page):
    """Filters of the list of callbacks; those that may be given several times match any of their values."""

    state: list[State] | None = None
    queue: list[QueueName] | None = None
    priority: list[Annotated[int, Field(ge=1, le=5)]] | None = None
    advisor: Advisor | None = Field(None, description="who holds or owns it; `me` is the caller")
    customer: Ref | None = Field(None, description="the customer's ref")
    cause: Plain | None = Field(None, description="a kind (`skill`, `operations`) or a driver")
    flag: Flag | None = None
    overdue: bool | None = Field(None, description="whether a target of an open callback has passed")
    q: Plain | None = Field(None, description="an id: of a callback, a customer (ref) or an answer (response_id)")
    opened_after: Moment | None = None
    opened_before: Moment | None = None
    sort: Literal["work_order", "opened_at", "due_at"] = "work_order"


class ResponseQuery(Page):
    """Filters of the list of answers, newest first."""

    customer: Ref | None = None
    source: Plain | None = None
    box: Literal["bottom", "middle", "top"] | None = None
    outcome: Literal["bottom_box", "not_bottom_box", "stale", "suppressed"] | None = None
    answered_after: Moment | None = None
    answered_before: Moment | None = None


class DeadLetterQuery(Page):
    """Filters of the list of dead letters, newest first."""

    reason: Plain | None = None
    topic: Plain | None = None


class ClaimQuery(AskedInUrl):
    explain: bool = Field(False, description="also say how the place in the order came about")


class ClaimOne(Asked):
    model_config = example({"lease_seconds": 900})

    lease_seconds: Seconds | None = None
    advisor: Advisor | None = None


class Claim(ClaimOne):
    model_config = example({"queues": ["billing"], "languages": ["en"], "lease_seconds": 900, "wait_seconds": 20})

    queues: Annotated[list[QueueName], Field(max_length=100)] | None = None
    languages: Annotated[list[Language], Field(max_length=100)] | None = None
    wait_seconds: Annotated[int, Field(ge=0, le=30, description="how long to wait for one, in seconds")] = 0
    count: Annotated[int, Field(ge=1, le=50, description="how many; the answer is a list")] | None = None


class Extend(Asked):
    model_config = example({"lease_token": "7.rT3…", "lease_seconds": 900})

    lease_token: Token
    lease_seconds: Seconds | None = None


class Release(Asked):
    model_config = example({"lease_token": "7.rT3…", "reason": "called away"})

    lease_token: Token | None = Field(None, description="a lead may leave it out and so withdraw the lease")
    reason: Reason | None = None


class Skip(Asked):
    model_config = example({"lease_token": "7.rT3…", "reason": "I know this customer"})

    lease_token: Token
    reason: Reason


class NewAttempt(Asked):
    model_config = example({"lease_token": "7.rT3…", "result": "no_answer", "note": "rang out"})

    lease_token: Token
    result: Annotated[Result, Field(strict=False)]  # JSON has no enums: the word itself is meant
    note: Note | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    number: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="the number that was dialled, where it is not the one we had; kept as the customer's"
    )
    opt_out: bool = Field(False, description="with `refused`: the customer wants no more calls")
    override_reason: Reason | None = Field(
        None, description="a lead's: why a call that did happen outside the window is recorded"
    )

    @model_validator(mode="after")
    def _opt_out_is_a_refusal(self) -> NewAttempt:
        if self.opt_out and self.result is not Result.REFUSED:
            raise ValueError("opt_out goes with the result refused")
        return self


class Schedule(Asked):
    model_config = example({"lease_token": "7.rT3…", "at": "2026-11-23T10:30:00Z", "keep_owner": True})

    lease_token: Token | None = Field(None, description="a lead may leave it out for a waiting callback")
    at: Moment
    keep_owner: bool = True


class NewCause(Asked):
    kind: Literal["skill", "operations"]
    driver: Annotated[str, Field(max_length=63)]


class Resolve(Asked):
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
    cause: NewCause
    outcome: Literal["recovered", "partly_recovered", "not_recovered", "information_only"]
    note: Note | None = None
    checklist: Annotated[dict[str, bool], Field(max_length=100)] = {}
    version: int | None = Field(None, description="the version that was read, when an alert joined meanwhile")


class WriteNote(Asked):
    model_config = example({"note": "prefers mornings"})

    note: Note


class Because(Asked):
    """A reason that need not be given."""

    model_config = example({"reason": "the customer called again about the same invoice"})

    reason: Reason | None = None


class BecauseOf(Asked):
    """A reason that must be given."""

    model_config = example({"reason": "the billing system is down"})

    reason: Reason


class Assign(Asked):
    model_config = example({"advisor": "ann"})

    advisor: Advisor


class MoveTo(Asked):
    model_config = example({"queue": "billing"})

    queue: QueueName


class MoveMany(Asked):
    model_config = example({"ids": ["0198c0de-0000-7000-8000-000000000001"], "queue": "billing"})

    ids: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=200)]
    queue: QueueName


class CustomerHandles(Asked):
    id: Plain | None = None
    phone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    email: Plain | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> CustomerHandles:
        if self.id is None and self.phone is None and self.email is None:
            raise ValueError("give id, phone or email")
        return self


class InteractionHandle(Asked):
    id: Plain


class Lookup(Asked):
    model_config = example({"customer": {"id": "c-17"}, "source": "cloudevents"})

    customer: CustomerHandles | None = None
    interaction: InteractionHandle | None = None
    source: Plain = Field("cloudevents", description="the source that gave the id")

    @model_validator(mode="after")
    def _one_of_them(self) -> Lookup:
        if (self.customer is None) == (self.interaction is None):
            raise ValueError("give either customer or interaction")
        return self


class Contact(Lookup):
    model_config = example({"customer": {"id": "c-17"}, "kind": "called_in", "at": "2026-11-22T10:00:00Z"})

    kind: Literal["called_in", "chatted", "visited"]
    at: Moment


class MendCustomer(Asked):
    """What is given is set; null empties it; what is left out stays."""

    model_config = example({"phone": "+442079460067", "time_zone": "Europe/London", "language": "en"})

    phone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    time_zone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _says_something(self) -> MendCustomer:
        if not self.model_fields_set:
            raise ValueError("give phone, time_zone or language")
        return self
