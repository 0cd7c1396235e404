"""What a lead may do with a callback: give it to somebody, to another queue, or up the ladder."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.callback import Callback, Event, Flag, Moved, State, check_move, with_flags
from alerts.customer import Customer
from alerts.moves.following import as_known
from alerts.moves.leasing import withdraw
from alerts.moves.settling import settled
from alerts.policy import EscalationStep, Policy


def assign(callback: Callback, *, advisor: str, actor: str, now: datetime, policy: Policy) -> Moved:
    """Its advisor's alone for the policy's hours, or for as long after the promised time as a promise is."""
    check_move(callback, "assign")
    until = now + timedelta(hours=policy.promises.assigned_hours)
    if callback.state is State.SCHEDULED and callback.promise_at is not None:
        until = callback.promise_at + timedelta(minutes=policy.promises.owner_minutes)
    assigned = callback.evolve(owner=advisor, owner_until=until, version=callback.version + 1)
    event = Event(kind="assigned", at=now, actor=actor, data={"advisor": advisor, "queue": callback.queue})
    return settled(assigned, now, policy, event)


def move(callback: Callback, *, queue: str, customer: Customer, actor: str, now: datetime, policy: Policy) -> Moved:
    """To another queue, with the waiting time it has earned. A guessed zone is that of the new queue."""
    check_move(callback, "move")
    moved = as_known(callback.evolve(queue=queue, version=callback.version + 1), customer, policy)
    event = Event(kind="moved", at=now, actor=actor, data={"from": callback.queue, "to": queue, "queue": queue})
    return settled(moved, now, policy, event)


def escalate(callback: Callback, *, actor: str, now: datetime, policy: Policy, reason: str | None = None) -> Moved:
    """The next step of the ladder now; above the last one the last one again."""
    check_move(callback, "escalate")
    steps = policy.escalation.steps
    if not steps:
        return settled(callback, now, policy)
    step = steps[min(callback.escalated_steps, len(steps) - 1)]
    return take_step(callback, step, actor=actor, now=now, policy=policy, reason=reason)


def take_step(
    callback: Callback, step: EscalationStep, *, actor: str, now: datetime, policy: Policy, reason: str | None = None
) -> Moved:
    data = {"step": step.to, "percent": step.percent, "queue": callback.queue, "owner": callback.owner}
    event = Event(kind="escalated", at=now, actor=actor, data=data, text=reason)
    raised = callback.evolve(
        escalated_steps=min(callback.escalated_steps + 1, len(policy.escalation.steps)),
        flags=with_flags(callback, Flag.ESCALATED),
        version=callback.version + 1,
    )
    first = settled(raised, now, policy, event)
    if step.withdraw_lease and raised.state is State.LEASED:
        return first.then(withdraw(first.callback, actor=actor, reason="escalated", now=now, policy=policy))
    return first
