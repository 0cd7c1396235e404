"""Trying to reach the customer: what each result leads to, and the promise to call again at a stated time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from alerts.callback import (
    SYSTEM,
    Attempt,
    Callback,
    ClosedReason,
    Flag,
    State,
    Target,
    Transition,
    check_transition,
    happened,
    with_flags,
)
from alerts.calling_hours.window import SHORTEST, CallWindow, may_call
from alerts.clocks import told_within
from alerts.errors import DoNotCall, Invalid, NotClaimable, OutsideCallingWindow
from alerts.event import EventKind
from alerts.policy import Policy
from alerts.result import Result
from alerts.targets import given_up, reached
from alerts.transitions.claiming import back_to_waiting, close, fenced
from alerts.transitions.next_wake import ended_lease, measure, with_next_wake
from alerts.transitions.promise import break_promise, judge_promise, owned_until


class NewAttempt(Struct, frozen=True, kw_only=True):
    """What an advisor reports. `started_at` defaults to now; both times are by the advisor's own clock.

    `opt_out` goes with `refused` only. `override_reason` is a lead's, for a call that did happen outside the window.
    """

    result: Result
    note: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    opt_out: bool = False
    override_reason: str | None = None


def attempt(callback: Callback, new: NewAttempt, *, token: str, now: datetime, policy: Policy) -> Transition:
    """The window judges the call, not the form: an attempt counts at `started_at`."""
    held = fenced(callback, token, now)
    _check_report(new)
    started, ended = _moments(callback, new, now)
    outside = may_call(started, callback.place(policy), policy) is None
    if outside and new.override_reason is None:
        raise OutsideCallingWindow("the call lies outside the hours in which this customer may be phoned")
    recorded = _recorded(callback, new, started, ended, outside, now, policy)
    followed = _follow(recorded.callback, new, started, now, policy)
    return held.then(recorded).then(followed)


def _check_report(new: NewAttempt) -> None:
    if new.opt_out and new.result is not Result.REFUSED:
        raise Invalid("an opt-out goes with the result refused", "/opt_out")
    if new.started_at is not None and new.ended_at is not None and new.ended_at < new.started_at:
        raise Invalid("an attempt ends after it began", "/ended_at")


def _moments(callback: Callback, new: NewAttempt, now: datetime) -> tuple[datetime, datetime | None]:
    """When it began and ended, on the ledger's clock: within the lease, whatever a softphone's clock makes of it."""
    assert callback.lease_claimed_at is not None
    started = told_within(new.started_at or now, callback.lease_claimed_at, now)
    if started is None:
        raise Invalid("an attempt lies within the lease and not in the future; give the moment it began", "/started_at")
    ended = None if new.ended_at is None else told_within(new.ended_at, started, now)
    if new.ended_at is not None and ended is None:
        raise Invalid("an attempt ends after it began and not in the future", "/ended_at")
    return started, ended


def _recorded(
    callback: Callback,
    new: NewAttempt,
    started: datetime,
    ended: datetime | None,
    outside: bool,
    now: datetime,
    policy: Policy,
) -> Transition:
    """The attempt itself: counted, targets decided, durations measured."""
    advisor = callback.lease_holder or SYSTEM
    is_contact = new.result.is_contact and callback.contacted_at is None
    measured: dict[str, dict[str, float]] = {}
    changes: dict[str, datetime] = {}
    if callback.first_attempt_at is None:
        changes["first_attempt_at"] = started
        measured |= measure(callback, "time_to_first_attempt", started, policy)
    if is_contact:
        changes["contacted_at"] = started
        measured |= measure(callback, "time_to_contact", started, policy)
    counted = callback.evolve(
        attempts_count=callback.attempts_count + 1,
        priority_class=1,  # whatever was promised, somebody has tried
        **changes,
    )
    data: dict[str, object] = {"result": new.result, "number": counted.attempts_count}
    if outside:
        data["outside_window"] = True
    moved = happened(
        counted, EventKind.ATTEMPTED, now, actor=advisor, data=data, text=new.override_reason, measured=measured
    )
    moved = moved.then(reached(moved.callback, Target.FIRST_ATTEMPT, started, now))
    if is_contact:
        moved = moved.then(reached(moved.callback, Target.CONTACT, started, now))
    moved = moved.then(judge_promise(moved.callback, started, now, policy))
    row = Attempt(
        result=new.result,
        advisor=advisor,
        started_at=started,
        ended_at=ended,
        note=new.note,
        outside_window=outside,
    )
    return moved.then(Transition(callback=moved.callback, attempt=row))


def _follow(callback: Callback, new: NewAttempt, started: datetime, now: datetime, policy: Policy) -> Transition:
    """What the result leads to."""
    if new.result is Result.CONNECTED:
        return with_next_wake(Transition(callback=callback), now, policy)
    if new.result is Result.REFUSED:
        if new.opt_out:
            return close(callback, ClosedReason.OPTED_OUT, now, policy, actor=callback.lease_holder or SYSTEM)
        later = callback.evolve(not_before=_next_day(callback, started, policy))
        return back_to_waiting(later, new.result, callback.lease_holder, now, policy)
    failed = _failed(callback, new.result, started, policy)
    if failed.failed_count >= policy.attempts.maximum:
        missed = given_up(failed, now)
        return missed.then(close(missed.callback, ClosedReason.UNREACHABLE, now, policy))
    return back_to_waiting(failed, new.result, callback.lease_holder, now, policy)


def _failed(callback: Callback, result: Result, started: datetime, policy: Policy) -> Callback:
    rules, count = policy.attempts, callback.failed_count + 1
    later = started + timedelta(minutes=rules.no_answer_minutes)
    match result:
        case Result.BUSY:
            return callback.evolve(failed_count=count, not_before=started + timedelta(minutes=rules.busy_minutes))
        case Result.VOICEMAIL:
            next_day = _next_day(callback, started, policy)
            return callback.evolve(failed_count=count, not_before=next_day, avoid=(*callback.avoid, started))
        case Result.NO_ANSWER:
            return callback.evolve(failed_count=count, not_before=later, avoid=(*callback.avoid, started))
        case Result.INVALID_NUMBER | Result.WRONG_PERSON:
            flags = with_flags(callback, Flag.BAD_NUMBER)
            return callback.evolve(failed_count=count, not_before=later, flags=flags)
    raise AssertionError(f"nobody has said what {result} leads to")


def _next_day(callback: Callback, at: datetime, policy: Policy) -> datetime:
    """The customer's next midnight; the last one, when there are several zones the customer may be in."""
    midnights = []
    for zone in map(ZoneInfo, callback.place(policy).zones):
        tomorrow = at.astimezone(zone).date() + timedelta(days=1)
        midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)
        midnights.append(midnight.astimezone(UTC))
    return max(midnights)


def schedule(
    callback: Callback,
    *,
    at: datetime,
    keep_owner: bool,
    actor: str,
    token: str | None,
    now: datetime,
    policy: Policy,
    new_owner: str | None = None,
) -> Transition:
    """A promise to the customer. Without a token it is a lead's, and the callback must be waiting.

    Its owner, if it is to keep one, is the advisor who holds the lease; without a lease whoever owned it before, else
    `new_owner`: a lead who means to make the call.

    A promise that was due and that nobody tried to keep is broken by the next one. What was learned about times of
    day from failed attempts is dropped: the customer has said when.
    """
    begun = Transition(callback=callback) if token is None else fenced(callback, token, now)
    if token is None and callback.state is not State.WAITING:
        raise NotClaimable(f"this callback is {callback.state}; without its lease, only a waiting one can be promised")
    if Flag.OPTED_OUT in callback.flags:
        raise DoNotCall("the customer has asked not to be phoned; nothing can be promised")
    window = _promised_window(callback, at, now, policy)
    owner = (callback.lease_holder or callback.owner or new_owner) if keep_owner else None
    broken = begun.then(break_promise(callback, now))
    promised = broken.callback.evolve(
        state=State.SCHEDULED,
        priority_class=1,
        promise_at=at,
        promise_until=window.closes,
        promise_state="open",
        awaits_lead=False if token is None else callback.awaits_lead,  # a lead's own promise says that it may be made
        owner=owner,
        owner_until=None if owner is None else owned_until(at, window.closes, policy),
        not_before=at,
        avoid=(),
        callable_from=at,
        callable_until=window.closes,
        callable_reason=window.reason,
        **ended_lease(callback),
    )
    data = {"at": at, "owner_kept": owner is not None}
    told = happened(promised, EventKind.SCHEDULED, now, actor=actor, data=data)
    return with_next_wake(broken.then(told), now, policy)


def _promised_window(callback: Callback, at: datetime, now: datetime, policy: Policy) -> CallWindow:
    """The calling window that a promise for `at` lies in; refuses one that could not be kept."""
    if not now < at <= now + timedelta(days=policy.promises.ahead_days):
        raise Invalid(f"a promise lies ahead, at most {policy.promises.ahead_days} days", "/at")
    if at >= callback.expires_at:
        raise Invalid("this callback expires before the promised time; promise an earlier one", "/at")
    window = may_call(at, callback.place(policy), policy)
    if window is None or window.closes - at < SHORTEST:
        raise OutsideCallingWindow("the promised time lies outside the hours in which this customer may be phoned")
    return window


def fall_due(callback: Callback, *, now: datetime, policy: Policy) -> Transition:
    """The promised time has come: before all others, its owner first, then anyone."""
    check_transition(callback, "fall_due")
    waiting = callback.evolve(state=State.WAITING, priority_class=0)
    return with_next_wake(happened(waiting, EventKind.DUE, now), now, policy)
