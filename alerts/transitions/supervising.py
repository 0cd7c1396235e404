"""What a lead may do with a callback: give it to somebody, to another queue, or up the ladder."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.callback import Callback, Flag, State, Transition, check_transition, happened, with_flags
from alerts.customer import Customer
from alerts.errors import NotClaimable
from alerts.event import EventKind
from alerts.policy import EscalationStep, Policy
from alerts.transitions.claiming import withdraw
from alerts.transitions.following import as_known
from alerts.transitions.next_wake import with_next_wake
from alerts.transitions.promise import owned_until


def assign(callback: Callback, *, advisor: str, actor: str, now: datetime, policy: Policy) -> Transition:
    """Its advisor's alone for the policy's hours; while a promise is open, for as long as that is its owner's."""
    check_transition(callback, "assign")
    assigned = callback.evolve(owner=advisor, owner_until=_reserved_until(callback, now, policy))
    told = happened(assigned, EventKind.ASSIGNED, now, actor=actor, data={"advisor": advisor})
    return with_next_wake(told, now, policy)


def _reserved_until(callback: Callback, now: datetime, policy: Policy) -> datetime:
    closes = callback.promise_until
    if callback.promise_state == "open" and callback.promise_at is not None and closes is not None and now < closes:
        return owned_until(max(now, callback.promise_at), closes, policy)
    return now + timedelta(hours=policy.promises.assigned_hours)


def move(
    callback: Callback, *, queue: str, customer: Customer, actor: str, now: datetime, policy: Policy
) -> Transition:
    """To another queue, with the waiting time it has earned. A guessed zone is that of the new queue."""
    check_transition(callback, "move")
    moved = as_known(callback.evolve(queue=queue), customer, policy)
    told = happened(moved, EventKind.MOVED, now, actor=actor, data={"from": callback.queue, "to": queue})
    return with_next_wake(told, now, policy)


def permit(callback: Callback, *, actor: str, now: datetime, policy: Policy, reason: str | None = None) -> Transition:
    """The customer asked not to be phoned, and a lead says that this call is to be made all the same.

    The wish stays on the callback as a flag; an answer that repeats it asks the lead again.
    """
    check_transition(callback, "permit")
    if not callback.awaits_lead:
        raise NotClaimable("this callback does not wait for a lead")
    told = happened(callback.evolve(awaits_lead=False), EventKind.PERMITTED, now, actor=actor, text=reason)
    return with_next_wake(told, now, policy)


def take_back(callback: Callback, *, actor: str, reason: str, now: datetime, policy: Policy) -> Transition:
    """What a lead's release means: the end of a wait for a lead, or the lease back from its holder."""
    if callback.state is not State.LEASED and callback.awaits_lead:
        return permit(callback, actor=actor, now=now, policy=policy, reason=reason)
    return withdraw(callback, actor=actor, reason=reason, now=now, policy=policy)


def escalate(callback: Callback, *, actor: str, now: datetime, policy: Policy, reason: str | None = None) -> Transition:
    """The next step of the ladder now; above the last one the last one again."""
    check_transition(callback, "escalate")
    steps = policy.escalation.steps
    if not steps:
        return with_next_wake(Transition(callback=callback), now, policy)
    step = steps[min(callback.escalated_steps, len(steps) - 1)]
    return take_step(callback, step, actor=actor, now=now, policy=policy, reason=reason)


def take_step(
    callback: Callback, step: EscalationStep, *, actor: str, now: datetime, policy: Policy, reason: str | None = None
) -> Transition:
    raised = callback.evolve(
        escalated_steps=min(callback.escalated_steps + 1, len(policy.escalation.steps)),
        flags=with_flags(callback, Flag.ESCALATED),
    )
    data = {"step": step.to, "percent": step.percent, "owner": callback.owner}
    first = with_next_wake(happened(raised, EventKind.ESCALATED, now, actor=actor, data=data, text=reason), now, policy)
    if step.withdraw_lease and raised.state is State.LEASED:
        return first.then(withdraw(first.callback, actor=actor, reason="escalated", now=now, policy=policy))
    return first
