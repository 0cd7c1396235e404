"""The end of every transition: when the customer may be called next, and when the callback must be looked at again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from alerts.callback import Callback, Flag, State, Transition, with_flags, without_flags
from alerts.calling_hours.window import callable_seconds, needs_zone, next_window
from alerts.policy import Policy
from alerts.targets import next_alarm
from alerts.transitions.promise import promise_lapses_at

LOOK_AGAIN = timedelta(days=1)
"""One that cannot be called at all is looked at daily: clocks change, and nothing waits for ever in silence."""


def with_next_wake(moved: Transition, now: datetime, policy: Policy) -> Transition:
    """The transition's result, with window, readiness and wake-up moment put right."""
    callback = _placed(moved.callback, policy)
    if callback.state is State.WAITING:
        callback = _with_window(callback, now, policy)
    elif callback.ready:
        callback = callback.evolve(ready=False)
    return moved.then(Transition(callback=callback.evolve(wake_at=_wake_at(callback, now, policy))))


def _placed(callback: Callback, policy: Policy) -> Callback:
    """With zones that the zone data knows: it is renewed under callbacks that wait, and it has dropped names before."""
    place = callback.place(policy)
    if place.zones == callback.zones:
        return callback
    flags = with_flags(callback, Flag.ZONE_GUESSED) if place.guessed else callback.flags
    return callback.evolve(zones=place.zones, flags=flags)


def _with_window(callback: Callback, now: datetime, policy: Policy) -> Callback:
    if callback.awaits_lead:
        return _not_callable(callback, "the customer asked not to be phoned; a lead decides")
    if policy.calling.no_number == "hold" and {Flag.NO_NUMBER, Flag.BAD_NUMBER} & set(callback.flags):
        return _not_callable(callback, "there is no number to call; mend the customer's record first")
    window = next_window(now, callback.place(policy), policy, callback.not_before, callback.avoid)
    if window is None:
        needy = callback.evolve(flags=with_flags(callback, Flag.ZONE_NEEDED))
        return _not_callable(needy, "the possible time zones share no hour; a lead says which it is")
    return callback.evolve(
        ready=window.opens <= now < window.closes,
        callable_from=window.opens,
        callable_until=window.closes,
        callable_reason=window.reason,
        flags=_zone_flags(callback, now, policy),
    )


def _not_callable(callback: Callback, reason: str) -> Callback:
    return callback.evolve(ready=False, callable_from=None, callable_until=None, callable_reason=reason)


def _zone_flags(callback: Callback, now: datetime, policy: Policy) -> tuple[Flag, ...]:
    change = with_flags if needs_zone(callback.place(policy), policy, now) else without_flags
    return change(callback, Flag.ZONE_NEEDED)


def _wake_at(callback: Callback, now: datetime, policy: Policy) -> datetime | None:
    if not callback.is_open:
        return None
    moments = [next_alarm(callback, policy), promise_lapses_at(callback)]
    if callback.state is State.LEASED:
        moments.append(callback.lease_expires_at)
    elif callback.state is State.SCHEDULED:
        moments += [callback.promise_at, callback.expires_at]
    else:
        window = callback.callable_until if callback.ready else callback.callable_from
        moments += [window or now + LOOK_AGAIN, callback.expires_at]
    return min(moment for moment in moments if moment is not None)


def ended_lease(callback: Callback) -> dict[str, Any]:
    """The members of a callback that nobody holds any more; who takes it next reads it anew."""
    return {
        "lease_token": None,
        "lease_holder": None,
        "lease_claimed_at": None,
        "lease_expires_at": None,
        "flags": without_flags(callback, Flag.NEW_ALERT),
    }


MEASURED_AT_MOST = timedelta(days=100)
"""Further back the minutes in which we could have called are not counted: the longest bucket of the metrics is two weeks,
and no claim may take long because an answer is years old and its customer may be in any of eighteen zones."""


def measure(callback: Callback, name: str, now: datetime, policy: Policy) -> dict[str, dict[str, float]]:
    """How long the customer has waited, on both clocks; seconds, never negative. Callable: of the last 100 days."""
    seconds = max(0.0, (now - callback.waiting_since).total_seconds())
    since = max(min(callback.waiting_since, now), now - MEASURED_AT_MOST)
    could_have = callable_seconds(since, now, callback.place(policy), policy)
    return {name: {"wall": seconds, "callable": could_have}}
