"""How much of a customer's data is shown: the one rule, for first answers and for answers given again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from alerts.callback import Callback
from alerts.calling_hours.window import may_call
from alerts.customer import Customer
from alerts.phones.phone import mask
from alerts.policy import Policy
from alerts.wording.plain_text import visible
from app.api.schemas.callback import CallbackDetail, CallbackResource
from app.api.schemas.customer import CustomerResource
from app.api.schemas.response import AnswerResource

C = TypeVar("C", bound=CallbackResource)
A = TypeVar("A", bound=AnswerResource)

MASK = "*"  # no number holds one


def may_dial(callback: Callback, customer: Customer, now: datetime, policy: Policy) -> bool:
    """Whether the number may be shown to somebody who may see all else: only while the customer may be phoned."""
    return not is_gone(customer) and may_call(now, callback.place(policy), policy) is not None


def is_gone(customer: Customer) -> bool:
    """Whether the customer wants nothing to do with us any more, or was forgotten."""
    return customer.opted_out_at is not None or customer.erased_at is not None


def cover(callback: C, *, full: bool, number: bool) -> C:
    """A callback with everything in it, as somebody sees it who may see all of it (`full`), or the number too."""
    changes: dict[str, Any] = {"customer": cover_customer(callback.customer, full=full, number=number)}
    if not full:
        changes["alerts"] = [cover_answer(each) for each in callback.alerts]
    if not full and isinstance(callback, CallbackDetail):
        changes["attempts"] = [each.model_copy(update={"note": None}) for each in callback.attempts]
        changes["history"] = [each.model_copy(update={"text": None}) for each in callback.history]
        changes["earlier_answers"] = [cover_answer(each) for each in callback.earlier_answers]
    return callback.model_copy(update=changes)


def cover_customer(customer: CustomerResource, *, full: bool, number: bool) -> CustomerResource:
    changes: dict[str, Any] = {}
    if not (full and number):
        changes |= {"phone": customer.phone and masked_number(customer.phone), "extension": None}
    if not full:
        email = customer.email and f"{customer.email[0]}***"
        changes |= {"masked": True, "name": initials(customer.name), "email": email}
    return customer.model_copy(update=changes)


def cover_answer(answer: A) -> A:
    return answer.model_copy(update={"comment": None, "attributes": None})


def masked_number(phone: str) -> str:
    """What is masked already stays as it is: who was answered at night has no number to show by day."""
    return phone if MASK in phone else mask(phone)


def initials(name: str | None) -> str | None:
    """`A. L.`: of at most three words, so that it stays short whatever was put there; no mark that turns what follows it."""
    if name is None:
        return None
    return " ".join(f"{word[0]}." for word in visible(name).split()[:3]) or None
