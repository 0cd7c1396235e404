"""How much of a customer's data is shown: the one rule, for first answers and for answers given again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol, TypeVar

from alerts.callback import Callback
from alerts.calling_hours.window import may_call
from alerts.customer import Customer
from alerts.phones.phone import mask
from alerts.policy import Policy
from alerts.wording.plain_text import visible
from app.api.schemas.callback import CallbackDetail, CallbackResource

C = TypeVar("C", bound=CallbackResource)

MASK = "*"  # no number holds one


def may_dial(callback: Callback, customer: Customer, now: datetime, policy: Policy) -> bool:
    """Whether the number may be shown to somebody who may see all else: only while the customer may be phoned."""
    return not is_gone(customer) and may_call(now, callback.place(policy), policy) is not None


def is_gone(customer: Customer) -> bool:
    """Whether the customer wants nothing to do with us any more, or was forgotten."""
    return customer.opted_out_at is not None or customer.erased_at is not None


def cover(callback: C, *, full: bool, number: bool) -> C:
    """A callback with everything in it, as somebody sees it who may see all of it (`full`), or the number too."""
    customer = callback.customer
    changes: dict[str, Any] = {
        "customer": customer.model_copy(update=hidden_of_customer(customer, full=full, number=number))
    }
    if not full:
        changes["alerts"] = [each.model_copy(update=HIDDEN_OF_ANSWER) for each in callback.alerts]
    if not full and isinstance(callback, CallbackDetail):
        changes["attempts"] = [each.model_copy(update=HIDDEN_OF_ATTEMPT) for each in callback.attempts]
        changes["history"] = [each.model_copy(update=HIDDEN_OF_ENTRY) for each in callback.history]
        changes["earlier_answers"] = [each.model_copy(update=HIDDEN_OF_ANSWER) for each in callback.earlier_answers]
    return callback.model_copy(update=changes)


HIDDEN_OF_ANSWER: dict[str, Any] = {"comment": None, "attributes": None}
HIDDEN_OF_ATTEMPT: dict[str, Any] = {"note": None}
HIDDEN_OF_ENTRY: dict[str, Any] = {"text": None}
"""What people wrote, as whoever may not see all sees it."""


class NamedPerson(Protocol):
    """A customer, as the ledger or an earlier answer has one."""

    @property
    def name(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...


def hidden_of_customer(customer: NamedPerson, *, full: bool, number: bool) -> dict[str, Any]:
    """What is shown of a customer in another way than it is."""
    changes: dict[str, Any] = {}
    if not (full and number):
        changes |= {"phone": customer.phone and masked_number(customer.phone), "extension": None}
    if not full:
        email = customer.email and f"{customer.email[0]}***"
        changes |= {"masked": True, "name": initials(customer.name), "email": email}
    return changes


def masked_number(phone: str) -> str:
    """What is masked already stays as it is: who was answered at night has no number to show by day."""
    return phone if MASK in phone else mask(phone)


def initials(name: str | None) -> str | None:
    """`A. L.`: of at most three words, so that it stays short whatever was put there; no mark that turns what follows it."""
    if name is None:
        return None
    return " ".join(f"{word[0]}." for word in visible(name).split()[:3]) or None
