"""What a policy would have made of stored answers: the decision of intake, answer by answer, in memory.

Nobody works the callbacks; each waits until the policy's own expiry. The facts of customers are those of today, but nobody
had opted out, or was erased, before they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import count

from msgspec import Struct, structs

from alerts.arrival import Answer, RecordOutcome
from alerts.callback import Callback
from alerts.case import Case, Decision, Fresh, Revision, ScopedId, answer_identity, event_identity, revision_of
from alerts.customer import Customer
from alerts.intake import decide
from alerts.policy import Policy
from alerts.scoring import rate


class StoredAnswer(Struct, frozen=True):
    """An answer, whose it is, and when we had it, on the ledger's clock."""

    answer: Answer
    customer: Customer
    received_at: datetime


class Simulation:
    """One policy. `callbacks` by the event that opened each, as its last answer left it; `joins` counts further alerts."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.callbacks: dict[ScopedId, Callback] = {}
        self.joins: Counter[ScopedId] = Counter()
        self._cases: dict[int, Case] = {}
        self._in_force: dict[ScopedId, Revision] = {}
        self._opened_by: dict[str, ScopedId] = {}
        self._new_id = _numbered()

    def take(self, stored: StoredAnswer) -> Decision:
        """In the order in which the answers came."""
        now, answer = stored.received_at, stored.answer
        case, identity = self._case(stored), answer_identity(answer.response)
        decision = decide(
            Fresh(answer, rate(answer.response, self.policy)),
            case,
            self._in_force.get(identity),
            now=now,
            policy=self.policy,
            new_id=self._new_id,
        )
        self._cases[stored.customer.id] = decision.case
        if decision.is_kept and decision.outcome is not RecordOutcome.STALE:
            self._in_force[identity] = revision_of(answer, decision.verdict.box)
        if decision.moved is not None:
            self._note(decision, decision.moved.callback)
        return decision

    def _case(self, stored: StoredAnswer) -> Case:
        """The customer as they were known then, and their callback unless it has expired since."""
        case = self._cases.get(stored.customer.id) or Case(customer=stored.customer)
        case = case.evolve(customer=_as_of(stored.customer, stored.received_at))
        if case.callback is not None and case.callback.expires_at <= stored.received_at:
            return case.evolve(callback=None, behind=frozenset())
        return case

    def _note(self, decision: Decision, callback: Callback) -> None:
        event = event_identity(decision.answer.response)
        if decision.alert is not None and callback.id not in self._opened_by:
            self._opened_by[callback.id] = event
        elif decision.alert is not None:
            self.joins[self._opened_by[callback.id]] += 1
        self.callbacks[self._opened_by[callback.id]] = callback


def _numbered() -> Callable[[datetime], str]:
    numbers = count(1)
    return lambda moment: str(next(numbers))


def _as_of(customer: Customer, moment: datetime) -> Customer:
    def before(at: datetime | None) -> datetime | None:
        return at if at is not None and at <= moment else None

    opted_out_at, erased_at = before(customer.opted_out_at), before(customer.erased_at)
    if (opted_out_at, erased_at) == (customer.opted_out_at, customer.erased_at):
        return customer
    return structs.replace(customer, opted_out_at=opted_out_at, erased_at=erased_at)
