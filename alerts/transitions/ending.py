"""How a callback ends, with a conversation or without; and how a lead begins it again."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.callback import (
    SYSTEM,
    Callback,
    ClosedReason,
    Flag,
    State,
    Target,
    Transition,
    check_transition,
    happened,
    with_flags,
    without_flags,
)
from alerts.customer import Customer
from alerts.errors import CallbackChanged, DoNotCall, Invalid, NotClaimable
from alerts.event import EventKind
from alerts.policy import Policy
from alerts.resolution import Cause, Outcome, check_cause, check_checklist
from alerts.targets import due_times, given_up, reached
from alerts.transitions.claiming import close, fenced
from alerts.transitions.following import as_known
from alerts.transitions.next_wake import ended_lease, measure, with_next_wake
from alerts.transitions.promise import judge_promise

FLAG_OF_REASON = {
    ClosedReason.CUSTOMER_CALLED_IN: Flag.CUSTOMER_CALLED_IN,
    ClosedReason.RERATED: Flag.RERATED,
    ClosedReason.OPTED_OUT: Flag.OPTED_OUT,
}
"""What whoever is on the phone with the customer may decide. All else ends the work: an erased customer is nobody that one
could call, and of a duplicate another open callback goes on, beside which the customer can have none."""


def resolve(
    callback: Callback,
    *,
    token: str,
    cause: Cause,
    outcome: Outcome,
    note: str | None,
    checklist: dict[str, bool],
    version: int | None,
    told: bool = False,
    now: datetime,
    policy: Policy,
) -> Transition:
    """After a real conversation. If an alert joined since the claim, `version` must show that it was read.

    `told`: the customer has heard that the known problem behind it is solved.
    """
    held = fenced(callback, token, now)
    if told and callback.problem_id is None:
        raise Invalid("no known problem is behind this callback; leave told out", "/told")
    if Flag.NEW_ALERT in callback.flags and version != callback.version:
        raise CallbackChanged("another bad answer joined since the claim; read it, then resolve with its version")
    check_cause(cause, policy)
    check_checklist(checklist, policy)
    moved, measured = _reached_all(held.then(judge_promise(callback, now, now, policy)), now, policy)
    resolved = moved.callback.evolve(
        state=State.RESOLVED,
        first_attempt_at=callback.first_attempt_at or now,
        contacted_at=callback.contacted_at or now,
        ended_at=now,
        cause_kind=cause.kind,
        cause_driver=cause.driver,
        outcome=outcome,
        checklist=checklist,
        told_at=now if told else callback.told_at,
        owner=None,
        owner_until=None,
        **ended_lease(callback),
    )
    ended = happened(
        resolved,
        EventKind.RESOLVED,
        now,
        actor=callback.lease_holder or SYSTEM,
        data={"cause": cause.kind, "driver": cause.driver, "outcome": outcome},
        text=note,
        measured=measured,
    )
    return with_next_wake(moved.then(ended), now, policy)


def _reached_all(moved: Transition, now: datetime, policy: Policy) -> tuple[Transition, dict[str, dict[str, float]]]:
    """With every target reached, and how long each took that is reached only now.

    The first attempt and the contact are among them when the conversation was not recorded as an attempt.
    """
    callback = moved.callback
    measured = measure(callback, "time_to_resolution", now, policy)
    for target, since in ((Target.FIRST_ATTEMPT, callback.first_attempt_at), (Target.CONTACT, callback.contacted_at)):
        if since is None:
            measured |= measure(callback, f"time_to_{target}", now, policy)
            moved = moved.then(reached(moved.callback, target, now, now))
    return moved.then(reached(moved.callback, Target.RESOLUTION, now, now)), measured


def supersede(callback: Callback, reason: ClosedReason, *, now: datetime, policy: Policy) -> Transition:
    """News that makes the call needless: closes it, or flags it when somebody is on the phone and may decide.

    What nobody may decide takes the lease away: the holder's next request is told that the callback has ended.
    """
    check_transition(callback, "supersede")
    if callback.state is State.LEASED and reason in FLAG_OF_REASON:
        return _flagged(callback, FLAG_OF_REASON[reason], now, policy)
    return close(callback, reason, now, policy)


def _flagged(callback: Callback, flag: Flag, now: datetime, policy: Policy) -> Transition:
    """News about a callback that somebody is working on: shown to them once, and theirs to decide."""
    if flag in callback.flags:
        return Transition(callback=callback)
    flagged = callback.evolve(flags=with_flags(callback, flag))
    return with_next_wake(happened(flagged, EventKind.FLAGGED, now, data={"flag": flag}), now, policy)


def expire(callback: Callback, *, now: datetime, policy: Policy) -> Transition:
    """Too old: whatever happened, a call after so long helps nobody."""
    check_transition(callback, "expire")
    missed = given_up(callback, now)
    return missed.then(close(missed.callback, ClosedReason.EXPIRED, now, policy))


def reopen(
    callback: Callback, customer: Customer, *, actor: str, now: datetime, policy: Policy, reason: str | None = None
) -> Transition:
    """Begins anew on the same record: fresh targets and attempts; the earlier ones stay in the history.

    Its place in the order stays the one it had: a customer we failed once does not wait again.
    """
    if callback.is_open:
        raise NotClaimable(f"this callback is {callback.state}; only one that has ended can be reopened")
    if customer.erased_at is not None or callback.closed_reason is ClosedReason.ERASED:
        raise NotClaimable("this customer was erased; there is nobody to call")
    if customer.opted_out_at is not None or callback.closed_reason is ClosedReason.OPTED_OUT:
        raise DoNotCall("the customer asked not to be phoned; a withdrawal affects later answers only")
    due = due_times(policy, queue=callback.queue, priority=callback.priority, points=callback.points, since=now)
    again = callback.evolve(
        state=State.WAITING,
        closed_reason=None,
        flags=tuple(sorted({*without_flags(callback, Flag.ESCALATED, *FLAG_OF_REASON.values()), Flag.REOPENED})),
        waiting_since=now,
        targets_since=now,
        expires_at=now + timedelta(days=policy.expire_after_days),
        not_before=None,
        avoid=(),
        failed_count=0,
        promise_at=None,
        promise_until=None,
        promise_state=None,
        priority_class=1,
        due_first_attempt=due.first_attempt,
        due_contact=due.contact,
        due_resolution=due.resolution,
        targets={},
        escalated_steps=0,
        claimed_at=None,
        first_attempt_at=None,
        contacted_at=None,
        ended_at=None,
        cause_kind=None,
        cause_driver=None,
        outcome=None,
        checklist={},
    )
    again = as_known(again, customer, policy)
    return with_next_wake(happened(again, EventKind.REOPENED, now, actor=actor, text=reason), now, policy)
