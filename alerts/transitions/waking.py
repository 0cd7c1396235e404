"""What the passing of time does to a callback: everything that has fallen due by now, in one move."""

from __future__ import annotations

from datetime import datetime

from alerts.callback import SYSTEM, Callback, State, Transition
from alerts.policy import Policy
from alerts.targets import next_step, overtaken
from alerts.transitions.attempting import fall_due
from alerts.transitions.claiming import expire_lease
from alerts.transitions.ending import expire
from alerts.transitions.next_wake import with_next_wake
from alerts.transitions.promise import lapse_promise
from alerts.transitions.supervising import take_step


def wake(callback: Callback, *, now: datetime, policy: Policy) -> Transition:
    """Safe to ask at any time and twice: when nothing is due, only the window is looked at again."""
    if not callback.is_open:
        return Transition(callback=callback)
    moved = _decided(_freed(callback, now, policy), now)
    if moved.callback.state in (State.WAITING, State.SCHEDULED) and callback.expires_at <= now:
        return moved.then(expire(moved.callback, now=now, policy=policy))
    moved = _decided(_escalated(moved, now, policy), now)  # again: a step may have ended a lease that put it off
    return with_next_wake(moved, now, policy)


def _decided(moved: Transition, now: datetime) -> Transition:
    """Targets and promises whose time has passed."""
    if not moved.callback.is_open:
        return moved
    moved = moved.then(overtaken(moved.callback, now))
    return moved.then(lapse_promise(moved.callback, now))


def _freed(callback: Callback, now: datetime, policy: Policy) -> Transition:
    """A lease that has run out, or a promise that has fallen due."""
    if callback.state is State.LEASED and _past(callback.lease_expires_at, now):
        return expire_lease(callback, now=now, policy=policy)
    if callback.state is State.SCHEDULED and _past(callback.promise_at, now):
        return fall_due(callback, now=now, policy=policy)
    return Transition(callback=callback)


def _past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _escalated(moved: Transition, now: datetime, policy: Policy) -> Transition:
    while (step := next_step(moved.callback, policy)) is not None and step[1] <= now:
        moved = moved.then(take_step(moved.callback, step[0], actor=SYSTEM, now=now, policy=policy))
    return moved
