"""A bad answer begins a callback, or joins the one that the customer already has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from alerts.alert import Alert
from alerts.callback import Callback, Flag, State, Transition, check_transition, happened, with_flags, without_flags
from alerts.customer import Customer
from alerts.event import EventKind
from alerts.policy import Policy
from alerts.targets import due_times
from alerts.transitions.following import as_known
from alerts.transitions.next_wake import with_next_wake


def open_callback(
    alert: Alert, customer: Customer, *, previous_id: str | None = None, now: datetime, policy: Policy
) -> Transition:
    """The promise to phone this customer: from now on it waits until a person or a written rule closes it.

    `previous_id`: the customer's resolved callback before this one.
    """
    verdict = alert.verdict
    due = due_times(policy, queue=alert.queue, priority=alert.priority, points=verdict.points, since=now)
    callback = Callback(
        id=alert.callback_id,
        customer_id=customer.id,
        previous_id=previous_id,
        queue=alert.queue,
        source=alert.response.source,
        event_id=alert.response.event_id,
        trace_id=alert.answer.trace,
        points=verdict.points,
        severity=verdict.severity,
        priority=alert.priority,
        reasons=verdict.reasons,
        problem_id=alert.problem_id,
        opened_at=now,
        waiting_since=alert.response.answered_at,
        rank_at=rank_at(now, alert.priority, verdict.reasons, policy),
        targets_since=now,
        expires_at=now + timedelta(days=policy.expire_after_days),
        zones=(),
        due_first_attempt=due.first_attempt,
        due_contact=due.contact,
        due_resolution=due.resolution,
    )
    placed = as_known(_as_wished(callback, alert, policy), customer, policy)
    return with_next_wake(happened(placed, EventKind.OPENED, now, data=_about(placed, alert, customer)), now, policy)


def join(callback: Callback, alert: Alert, customer: Customer, *, now: datetime, policy: Policy) -> Transition:
    """Another bad answer of the same customer: the worse of both, and the earlier of both due times."""
    check_transition(callback, "join")
    verdict = alert.verdict
    due = due_times(policy, queue=callback.queue, priority=alert.priority, points=verdict.points, since=now)
    priority = min(callback.priority, alert.priority)
    reasons = tuple(dict.fromkeys((*callback.reasons, *verdict.reasons)))
    joined = callback.evolve(
        points=min(callback.points, verdict.points),
        severity=max(callback.severity, verdict.severity),
        priority=priority,
        reasons=reasons,
        problem_id=callback.problem_id or alert.problem_id,
        rank_at=min(callback.rank_at, rank_at(callback.opened_at, priority, reasons, policy)),
        due_first_attempt=_earlier(callback.due_first_attempt, due.first_attempt),
        due_contact=_earlier(callback.due_contact, due.contact),
        due_resolution=_earlier(callback.due_resolution, due.resolution),
        flags=_joined_flags(callback),
    )
    joined = as_known(_as_wished(joined, alert, policy), customer, policy)
    return with_next_wake(happened(joined, EventKind.JOINED, now, data=_about(joined, alert, customer)), now, policy)


def _as_wished(callback: Callback, alert: Alert, policy: Policy) -> Callback:
    """A wish not to be phoned is shown to whoever works on it; by the shipped policy a lead decides first."""
    if not alert.asked_not_to_be_called:
        return callback
    held = callback.awaits_lead or policy.asked_not_to_be_called == "hold_for_lead"
    return callback.evolve(flags=with_flags(callback, Flag.ASKED_NOT_TO_BE_CALLED), awaits_lead=held)


def _joined_flags(callback: Callback) -> tuple[Flag, ...]:
    """Only one whose customer has withdrawn the opt-out is joined at all, so the old opt-out no longer counts."""
    flags = set(without_flags(callback, Flag.OPTED_OUT))
    return tuple(sorted(flags | ({Flag.NEW_ALERT} if callback.state is State.LEASED else set())))


def rank_at(opened_at: datetime, priority: int, reasons: Iterable[str], policy: Policy) -> datetime:
    """The stored moment of the order of work: `opened_at` + every term's seconds."""
    return opened_at + timedelta(seconds=sum(seconds for _, seconds in rank_terms(priority, reasons, policy)))


def rank_terms(priority: int, reasons: Iterable[str], policy: Policy) -> list[tuple[str, int]]:
    """What moves a callback from its place in time: (name, seconds); a negative number means sooner."""
    allowance = int(policy.order.allowance(priority).total_seconds())
    lifts = policy.order.lift_minutes
    lifted = [(f"reason_{reason}", -60 * lifts[reason]) for reason in reasons if lifts.get(reason)]
    return [(f"priority_{priority}", allowance), *lifted]


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def _about(callback: Callback, alert: Alert, customer: Customer) -> dict[str, object]:
    return {
        "priority": callback.priority,
        "severity": callback.severity,
        "points": alert.verdict.points,
        "reasons": list(alert.verdict.reasons),
        "customer": customer.ref,
        "source": alert.response.source,
    }
