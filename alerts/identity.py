"""Says by which handle a customer is known, so that all of one customer's answers meet on one callback."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Literal, TypeGuard

from msgspec import Struct

from alerts.survey import SurveyResponse

Kind = Literal["id", "phone", "email", "interaction"]


class Handle(Struct, frozen=True):
    """One way to find a customer again. `scope` is the source that gave `value`, "" if all sources share it.

    Personal data: a handle stands in no log, URL, argument or metric. What leaves the house is `record_key`.
    """

    kind: Kind
    scope: str
    value: str

    @property
    def key(self) -> str:
        """Text that no other handle has: neither a kind nor a source's name can hold a colon."""
        return f"{self.kind}:{self.scope}:{self.value}"


def handles_of(response: SurveyResponse, *, shared_sources: frozenset[str] = frozenset()) -> tuple[Handle, ...]:
    """Every handle of the answer, the one that decides first: id, phone, e-mail, interaction.

    `shared_sources`: names of the sources whose files say `customer_ids: shared`; their ids mean the same
    customer everywhere. Phone and e-mail always do; an interaction's id never does.
    """
    return tuple(_handles(response, shared_sources))


def handle_of(response: SurveyResponse, *, shared_sources: frozenset[str] = frozenset()) -> Handle | None:
    """The first of `handles_of`, or None when nobody could find this customer again."""
    return next(_handles(response, shared_sources), None)


def record_key(handle: Handle, secret: bytes) -> bytes:
    """The Kafka record key: HMAC-SHA256 of the handle in hex, so that a topic's keys give no one away."""
    return hmac.new(secret, handle.key.encode(), hashlib.sha256).hexdigest().encode()


def _handles(response: SurveyResponse, shared_sources: frozenset[str]) -> Iterator[Handle]:
    customer, source = response.customer, response.source
    if _is_given(customer.id):
        yield Handle("id", "" if source in shared_sources else source, customer.id)
    if _is_given(customer.phone):
        yield Handle("phone", "", customer.phone)
    email = (customer.email or "").strip().lower()
    if "@" in email.strip("@"):  # "n/a" in the field must not make one customer of many strangers
        yield Handle("email", "", email)
    if _is_given(response.interaction.id):
        yield Handle("interaction", source, response.interaction.id)


def _is_given(value: str | None) -> TypeGuard[str]:
    return value is not None and not (value == "" or value.isspace())
