"""A customer as the ledger knows one: how and where to reach them, whether they may be called, what a person put right."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any, Literal

from msgspec import Struct, structs

from alerts import survey
from alerts.calling_hours.window import Place, place_of
from alerts.calling_hours.zones import read_zone
from alerts.errors import Invalid
from alerts.flags import BAD_NUMBER
from alerts.identity import clean_email
from alerts.phones.phone import Number, judge, normalise
from alerts.wording.language import read_language

NumberStatus = Literal["ok", "none", "bad"]
FACTS = ("name", "phone", "email", "time_zone", "country", "language", "segment", "since", "value")
"""What answers say of a customer."""

_facts = attrgetter(*FACTS)

NEVER = datetime(1, 1, 2, tzinfo=UTC)
"""Before all answers; a day after the first moment of all, so that it can be told on every clock."""


class Customer(Struct, frozen=True, kw_only=True, gc=False):
    """One row of `customers`. Personal data: shown in full only where docs/rest.md says so.

    `key`: the handle that decides, see `alerts.identity`. `facts_as_of`: the newest answer that these facts come from.
    `number_failed`: what we have, or were given, as a number does not reach the customer: somebody tried it, or nobody
    could read it. `corrected`: the facts that a person put right; answers leave them alone. Times are aware, in UTC.
    """

    id: int
    ref: str
    key: str
    facts_as_of: datetime = NEVER
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    time_zone: str | None = None
    country: str | None = None
    language: str | None = None
    segment: str | None = None
    since: date | None = None
    value: float | None = None
    number_failed: bool = False
    corrected: tuple[str, ...] = ()
    opted_out_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def number(self) -> Number:
        return judge(self.phone, self.country)

    @property
    def number_status(self) -> NumberStatus:
        """`ok`; `none`: nobody gave us one; `bad`: what we have may not be dialled, or did not reach them."""
        return "bad" if self.number_failed else self.number.status

    def place(self, queue_zone: str) -> Place:
        """Where the customer may be; on the clock of the queue when nothing says where."""
        facts = survey.Respondent(time_zone=self.time_zone, country=self.country)
        return place_of(facts, self.number, queue_zone)

    @property
    def version(self) -> str:
        """Changes with every fact of the customer that is shown; 16 hex digits."""
        return hashlib.sha256(repr(_shown(self)).encode()).hexdigest()[:16]

    def evolve(self, **changes: Any) -> Customer:
        return structs.replace(self, **changes)


_HIDDEN = ("key", "facts_as_of", "corrected")
_shown = attrgetter(*(name for name in Customer.__struct_fields__ if name not in _HIDDEN))


def learn(customer: Customer, answer: survey.SurveyResponse) -> Customer:
    """With what one answer says. What it does not say stays; older news fills gaps only (I8); a person's word stands.

    Another number than the one that failed is worth a try; one that nobody could read counts as failed while there is
    no other.
    """
    if customer.erased_at is not None:
        return customer
    is_newer = answer.revised_at >= customer.facts_as_of
    facts: dict[str, Any] = {}
    for name, fact, known in zip(FACTS, _facts(answer.customer), _facts(customer), strict=True):
        if fact is None or fact == known:
            continue
        said = _as_compared(name, fact)
        if said is not None and said != known and (is_newer or known is None) and name not in customer.corrected:
            facts[name] = said
    if "phone" in facts:
        facts["number_failed"] = False
    elif customer.phone is None and BAD_NUMBER in answer.flags and "phone" not in customer.corrected:
        facts["number_failed"] = True
    if answer.revised_at > customer.facts_as_of:
        facts["facts_as_of"] = answer.revised_at
    return customer.evolve(**facts) if facts else customer


def _as_compared(name: str, fact: Any) -> Any:
    """A fact as an answer says it; None where that says nothing."""
    if name == "email":
        return clean_email(fact)
    return read_language(fact) if name == "language" else fact


def correct(customer: Customer, changes: Mapping[str, str | None]) -> Customer:
    """With what a person knows better of phone, time_zone and language; None empties a fact.

    Raises Invalid; no message has a value.
    """
    facts: dict[str, Any] = dict(changes)
    if changes.get("phone") is not None:
        facts["phone"] = dialable(changes["phone"] or "", customer.country, "/phone")
    if changes.get("time_zone") is not None:
        facts["time_zone"] = _named_zone(changes["time_zone"] or "")
    if changes.get("language") is not None:
        facts["language"] = _named_language(changes["language"] or "")
    if "phone" in changes:
        facts["number_failed"] = False
    corrected = tuple(sorted({*customer.corrected, *changes}))
    return customer.evolve(**facts, corrected=corrected)


def with_number(customer: Customer, number: str, pointer: str) -> Customer:
    """The customer was reached, or tried, under another number than the one we had. Raises Invalid."""
    phone = dialable(number, customer.country, pointer)
    corrected = tuple(sorted({*customer.corrected, "phone"}))
    return customer.evolve(phone=phone, number_failed=False, corrected=corrected)


def dialable(number: str, country: str | None, pointer: str) -> str:
    """`number` in E.164. Raises Invalid for what cannot be read, or may not be dialled."""
    phone = normalise(number, country)
    if phone is None or judge(phone, country).status != "ok":
        raise Invalid("this must be a number that can be dialled, in E.164 like +442079460067", pointer)
    return phone


def _named_language(text: str) -> str:
    language = read_language(text)
    if language is None:
        raise Invalid("this must be a language, like en or pt-BR", "/language")
    return language


def _named_zone(text: str) -> str:
    """A zone that says nothing of where somebody is would be taken for the queue's."""
    zone = read_zone(text)
    if zone is None or place_of(survey.Respondent(time_zone=zone), judge(None, None), "UTC").guessed:
        raise Invalid("this must be an IANA time zone, like Europe/London", "/time_zone")
    return zone
