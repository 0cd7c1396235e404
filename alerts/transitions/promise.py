"""The promise to call at a stated time: kept, late, broken, or void. Each is decided exactly once."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.callback import Callback, Transition, happened
from alerts.event import EventKind
from alerts.policy import Policy
from alerts.targets import may_be_in_time


def owned_until(since: datetime, closes: datetime, policy: Policy) -> datetime:
    """How long a promise is its owner's alone: never so long that nobody else could keep it before its window closes."""
    return since + min(timedelta(minutes=policy.promises.owner_minutes), (closes - since) / 2)


def judge_promise(callback: Callback, at: datetime, now: datetime, policy: Policy) -> Transition:
    """By an attempt at `at`: kept within the grace, late in the same calling window, else broken."""
    if callback.promise_state != "open" or callback.promise_at is None:
        return Transition(callback=callback)
    if at <= callback.promise_at + timedelta(minutes=policy.promises.grace_minutes):
        return _decided(callback, "kept", now)
    in_window = callback.promise_until is None or at < callback.promise_until
    return _decided(callback, "late" if in_window else "broken", now)


def break_promise(callback: Callback, now: datetime) -> Transition:
    """Nobody tried, and another promise takes its place."""
    return _decided(callback, "broken", now) if callback.promise_state == "open" else Transition(callback=callback)


def lapse_promise(callback: Callback, now: datetime) -> Transition:
    """Breaks a promise whose calling window has closed. A call in progress may still turn out to have kept it."""
    closes = promise_lapses_at(callback)
    return Transition(callback=callback) if closes is None or closes > now else break_promise(callback, now)


def promise_lapses_at(callback: Callback) -> datetime | None:
    """When an open promise is broken if nobody tries; None while a lease leaves that open."""
    closes = callback.promise_until
    if callback.promise_state != "open" or closes is None or may_be_in_time(callback, closes):
        return None
    return closes


def _decided(callback: Callback, result: str, now: datetime) -> Transition:
    return happened(callback.evolve(promise_state=result), EventKind.PROMISE_DECIDED, now, data={"result": result})
