"""Customers, as they are found, put right and shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.api.schemas.base import (
    Language,
    RequestModel,
    ResponseModel,
    UtcMoment,
)
from app.api.schemas.paging import PlainText, example


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


class ContactEffect(ResponseModel):
    """`superseded`: the callback is closed. `flagged`: somebody holds it and now knows. `none`: nothing to do."""

    effect: Literal["superseded", "flagged", "none"]
    callback: str | None


class RefResource(ResponseModel):
    ref: str
