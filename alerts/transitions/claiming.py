"""Taking a callback for a limited time, and every way in which it comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from alerts.callback import (
    SYSTEM,
    Callback,
    ClosedReason,
    Flag,
    State,
    Transition,
    check_transition,
    happened,
)
from alerts.errors import AlreadyResolved, LeaseLost, NotClaimable, OutsideCallingWindow
from alerts.event import EventKind
from alerts.policy import Policy
from alerts.targets import overtaken
from alerts.transitions.next_wake import ended_lease, measure, with_next_wake
from alerts.transitions.promise import lapse_promise


def claim(callback: Callback, *, advisor: str, token: str, seconds: int, now: datetime, policy: Policy) -> Transition:
    """`token` is a fresh secret; with the growing `lease_number` it fences off every earlier holder."""
    _check_claimable(callback, advisor, now)
    first = callback.claimed_at is None
    number = callback.lease_number + 1
    leased = callback.evolve(
        state=State.LEASED,
        lease_number=number,
        lease_token=f"{number}.{token}",
        lease_holder=advisor,
        lease_claimed_at=now,
        lease_expires_at=now + timedelta(seconds=min(seconds, policy.leases.ceiling_seconds)),
        claimed_at=now if first else callback.claimed_at,
    )
    told = happened(
        leased,
        EventKind.CLAIMED,
        now,
        actor=advisor,
        data={"first": first, "lease_number": number},
        measured=measure(callback, "time_to_claim", now, policy) if first else {},
    )
    return with_next_wake(told, now, policy)


def _check_claimable(callback: Callback, advisor: str, now: datetime) -> None:
    if callback.state is not State.WAITING:
        raise NotClaimable(f"this callback is {callback.state}; only a waiting one can be claimed")
    if _reserved_for_another(callback, advisor, now):
        raise NotClaimable("this callback is reserved for its owner for now; claim another")
    if callback.callable_from is None or callback.callable_until is None:
        raise NotClaimable(callback.callable_reason)
    if not callback.callable_from <= now < callback.callable_until:
        raise OutsideCallingWindow(callback.callable_reason, callback.callable_from)


def _reserved_for_another(callback: Callback, advisor: str, now: datetime) -> bool:
    reserved = callback.owner is not None and callback.owner_until is not None and now < callback.owner_until
    return reserved and callback.owner != advisor


def check_lease(callback: Callback, token: str, now: datetime) -> None:
    """Raises AlreadyResolved when it has ended, LeaseLost when the token is not the living one."""
    if not callback.is_open:
        raise AlreadyResolved("this callback has ended; a lead may reopen it")
    if callback.state is not State.LEASED or callback.lease_token != token:
        raise LeaseLost("this lease is not the present one; claim the callback again")
    if callback.lease_expires_at is None or callback.lease_expires_at <= now:
        raise LeaseLost("this lease has run out; claim the callback again")


def fenced(callback: Callback, token: str, now: datetime) -> Transition:
    """The beginning of every transition that needs the lease: checks the token, and sends it along to the ledger.

    This check tells the caller what is wrong; the ledger's own statement asks again, at the moment of the write.
    """
    check_lease(callback, token, now)
    return Transition(callback=callback, fence=token)


def extend(callback: Callback, *, token: str, seconds: int, now: datetime, policy: Policy) -> Transition:
    """Counts from now, up to the ceiling after the claim; an extension never shortens a lease."""
    held = fenced(callback, token, now)
    assert callback.lease_claimed_at is not None
    assert callback.lease_expires_at is not None
    ceiling = callback.lease_claimed_at + timedelta(seconds=policy.leases.ceiling_seconds)
    until = max(callback.lease_expires_at, min(now + timedelta(seconds=seconds), ceiling))
    return with_next_wake(held.then(Transition(callback=callback.evolve(lease_expires_at=until))), now, policy)


def release(callback: Callback, *, token: str, reason: str, now: datetime, policy: Policy) -> Transition:
    held = fenced(callback, token, now)
    return held.then(back_to_waiting(callback, "released", callback.lease_holder, now, policy, text=reason))


def skip(callback: Callback, *, token: str, reason: str, now: datetime, policy: Policy) -> Transition:
    """Handing back an offer one does not want: counted, and not offered to the same advisor again at once.

    An owner who does so gives the reservation up, so that somebody else calls.
    """
    held = fenced(callback, token, now)
    assert callback.lease_holder is not None
    until = now + timedelta(minutes=policy.leases.skip_minutes)
    still = {advisor: moment for advisor, moment in callback.skips.items() if moment > now}
    skipped = callback.evolve(skips={**still, callback.lease_holder: until})
    counted: dict[str, Any] = {"skip_reason": _countable(reason, policy)}
    if callback.owner == callback.lease_holder:
        skipped = skipped.evolve(owner=None, owner_until=None)
        counted["owner_kept"] = False
    return held.then(back_to_waiting(skipped, "skipped", callback.lease_holder, now, policy, text=reason, more=counted))


def _countable(reason: str, policy: Policy) -> str:
    """A reason as metrics count it: one of the policy's words, or `other`; what was written stays in the history."""
    word = reason.strip().lower().replace(" ", "_")
    return word if word in policy.leases.skip_reasons else "other"


def withdraw(callback: Callback, *, actor: str, reason: str, now: datetime, policy: Policy) -> Transition:
    """A lead, or an escalation, takes it back from its holder."""
    check_transition(callback, "withdraw")
    return back_to_waiting(callback, "withdrawn", actor, now, policy, text=reason)


def expire_lease(callback: Callback, *, now: datetime, policy: Policy) -> Transition:
    """The holder did not come back in time. The callback keeps the waiting time it has earned."""
    check_transition(callback, "expire_lease")
    return back_to_waiting(callback, "lease_expired", None, now, policy)


def back_to_waiting(
    callback: Callback,
    why: str,
    actor: str | None,
    now: datetime,
    policy: Policy,
    *,
    text: str | None = None,
    more: dict[str, Any] | None = None,
) -> Transition:
    """Ends the lease. One whose customer opted out meanwhile is closed instead: it may not be offered again."""
    data = {"reason": why, "holder": callback.lease_holder, **(more or {})}
    free = callback.evolve(state=State.WAITING, **ended_lease(callback))
    freed = happened(free, EventKind.RELEASED, now, actor=actor or SYSTEM, data=data, text=text)
    if Flag.OPTED_OUT in callback.flags:
        return freed.then(close(freed.callback, ClosedReason.OPTED_OUT, now, policy))
    return with_next_wake(freed, now, policy)


def close(
    callback: Callback, reason: ClosedReason, now: datetime, policy: Policy, *, actor: str = SYSTEM
) -> Transition:
    """Ends it without a conversation; the state before is the caller's business.

    What was missed by now stays missed. A promise whose time had not run out is void, neither kept nor broken.
    """
    judged = overtaken(callback.evolve(**ended_lease(callback)), now)
    judged = judged.then(lapse_promise(judged.callback, now))
    before = judged.callback
    closed = before.evolve(
        state=State.CLOSED,
        closed_reason=reason,
        ended_at=now,
        owner=None,
        owner_until=None,
        promise_state="void" if before.promise_state == "open" else before.promise_state,
    )
    told = happened(closed, EventKind.CLOSED, now, actor=actor, data={"reason": reason})
    return with_next_wake(judged.then(told), now, policy)
