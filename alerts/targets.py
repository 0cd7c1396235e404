"""By when a customer is to be tried, reached and helped, and who hears of it when that does not happen."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from alerts.callback import Callback, Target, Transition, happened
from alerts.calling_hours.hours import hours_of
from alerts.event import EventKind
from alerts.policy import EscalationStep, Policy


class Due(Struct, frozen=True):
    first_attempt: datetime
    contact: datetime
    resolution: datetime


def due_times(policy: Policy, *, queue: str, priority: int, points: int, since: datetime) -> Due:
    """The first attempt counts in business minutes of the queue, contact and resolution in wall time (docs/lifecycle.md).

    The first override that fits queue and priority and names a value decides it.
    """
    rules = policy.targets
    minutes = rules.first_attempt_minutes_of_1 if points == 1 else rules.first_attempt_minutes_of_2
    contact, resolution = rules.contact_hours, rules.resolution_hours
    for own in reversed(rules.overrides):
        if own.queue in (None, queue) and own.priority in (None, priority):
            minutes = minutes if own.first_attempt_minutes is None else own.first_attempt_minutes
            contact = own.contact_hours or contact
            resolution = own.resolution_hours or resolution
    return Due(
        first_attempt=hours_of(policy, queue).add_open(since, timedelta(minutes=minutes)),
        contact=since + timedelta(hours=contact),
        resolution=since + timedelta(hours=resolution),
    )


def reached(callback: Callback, target: Target, at: datetime, now: datetime) -> Transition:
    """`target` was reached at `at`, which decides it unless it was decided before: each only once."""
    due = dict(_all_due(callback)).get(target)
    if due is None or target in callback.targets:
        return Transition(callback=callback)
    return _decided(callback, target, "met" if at <= due else "missed", now)


def given_up(callback: Callback, now: datetime) -> Transition:
    """Every undecided target is missed: nobody will try again."""
    return _missed(callback, [target for target, _ in _all_due(callback)], now)


def overtaken(callback: Callback, now: datetime) -> Transition:
    """The targets whose time has passed are missed, save those that a call in progress may still meet."""
    return _missed(callback, [target for target, due in _undecided(callback) if due <= now], now)


def may_be_in_time(callback: Callback, due: datetime) -> bool:
    """A call that began before `due` may be recorded for as long as its lease lasts."""
    return callback.lease_claimed_at is not None and callback.lease_claimed_at <= due


def _undecided(callback: Callback) -> list[tuple[Target, datetime]]:
    """What time alone may decide; a lease defers the targets of a call, not that of the resolution."""
    return [
        (target, due)
        for target, due in callback.pending_targets()
        if target not in callback.targets and (target is Target.RESOLUTION or not may_be_in_time(callback, due))
    ]


def _missed(callback: Callback, targets: list[Target], now: datetime) -> Transition:
    moved = Transition(callback=callback)
    for target in targets:
        if target not in callback.targets:
            moved = moved.then(_decided(moved.callback, target, "missed", now))
    return moved


def _decided(callback: Callback, target: Target, result: str, now: datetime) -> Transition:
    kind = EventKind.TARGET_MET if result == "met" else EventKind.TARGET_MISSED
    data = {"target": target, "result": result, "priority": callback.priority}
    return happened(callback.evolve(targets={**callback.targets, target: result}), kind, now, data=data)


def next_step(callback: Callback, policy: Policy) -> tuple[EscalationStep, datetime] | None:
    """The next escalation step and its moment, on the clock of the first target that is still owed.

    Each step is taken once in a callback's life (until it is reopened).
    """
    pending = callback.pending_targets()
    if not callback.is_open or not pending or callback.escalated_steps >= len(policy.escalation.steps):
        return None
    step = policy.escalation.steps[callback.escalated_steps]
    target, due = pending[0]
    since, share = callback.targets_since, step.percent / 100
    hours = hours_of(policy, callback.queue)
    promised = hours.open_seconds(since, due) if target is Target.FIRST_ATTEMPT else 0.0
    if not promised:  # wall time; also for one that was moved to a queue that does not open until it is due
        return step, since + (due - since) * share
    return step, hours.add_open(since, timedelta(seconds=promised * share))


def next_alarm(callback: Callback, policy: Policy) -> datetime | None:
    """When a target or an escalation step next falls due."""
    moments = [due for _, due in _undecided(callback)]
    step = next_step(callback, policy)
    if step is not None:
        moments.append(step[1])
    return min(moments, default=None)


def _all_due(callback: Callback) -> list[tuple[Target, datetime]]:
    dues = (
        (Target.FIRST_ATTEMPT, callback.due_first_attempt),
        (Target.CONTACT, callback.due_contact),
        (Target.RESOLUTION, callback.due_resolution),
    )
    return [(target, due) for target, due in dues if due is not None]
