"""A bad answer begins a callback, or joins the one that the customer already has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from alerts.callback import Callback, Flag, Moved, State, check_move, happened, without_flags
from alerts.event import EventKind
from alerts.moves.settling import settled
from alerts.policy import Policy
from alerts.scoring import Verdict
from alerts.targets import due_times
from alerts.window import Place

ABOUT_NUMBER = {"none": Flag.NO_NUMBER, "bad": Flag.BAD_NUMBER}
"""What the state of the customer's number says on the callback."""


class Subject(Struct, frozen=True, kw_only=True):
    """Who is to be called and what for: everything about one bad answer that its callback needs."""

    customer_id: int
    customer_ref: str
    source: str
    language: str | None
    answered_at: datetime
    queue: str
    priority: int
    verdict: Verdict
    place: Place
    number_status: str  # ok, none, bad


def open_callback(subject: Subject, *, id: str, previous_id: str | None, now: datetime, policy: Policy) -> Moved:
    verdict = subject.verdict
    due = due_times(policy, queue=subject.queue, priority=subject.priority, points=verdict.points, since=now)
    callback = Callback(
        id=id,
        customer_id=subject.customer_id,
        previous_id=previous_id,
        queue=subject.queue,
        source=subject.source,
        language=subject.language,
        points=verdict.points,
        severity=verdict.severity,
        priority=subject.priority,
        reasons=verdict.reasons,
        flags=tuple(sorted(place_flags(subject.place, subject.number_status))),
        opened_at=now,
        clock_from=subject.answered_at,
        rank_at=rank_at(now, subject.priority, verdict.reasons, policy),
        due_from=now,
        expires_at=now + timedelta(days=policy.expire_after_days),
        zones=subject.place.zones,
        country=subject.place.country,
        due_first_attempt=due.first_attempt,
        due_contact=due.contact,
        due_resolution=due.resolution,
    )
    return settled(happened(callback, EventKind.OPENED, now, data=_about(callback, subject)), now, policy)


def join(callback: Callback, subject: Subject, *, now: datetime, policy: Policy) -> Moved:
    """Another bad answer of the same customer: the worse of both, and the earlier of both due times."""
    check_move(callback, "join")
    verdict = subject.verdict
    due = due_times(policy, queue=callback.queue, priority=subject.priority, points=verdict.points, since=now)
    priority = min(callback.priority, subject.priority)
    reasons = tuple(dict.fromkeys((*callback.reasons, *verdict.reasons)))
    joined = callback.evolve(
        points=min(callback.points, verdict.points),
        severity=max(callback.severity, verdict.severity),
        priority=priority,
        reasons=reasons,
        rank_at=min(callback.rank_at, rank_at(callback.opened_at, priority, reasons, policy)),
        due_first_attempt=_earlier(callback.due_first_attempt, due.first_attempt),
        due_contact=_earlier(callback.due_contact, due.contact),
        due_resolution=_earlier(callback.due_resolution, due.resolution),
        flags=_joined_flags(callback),
    )
    joined = _where_now(joined, subject)
    return settled(happened(joined, EventKind.JOINED, now, data=_about(joined, subject)), now, policy)


def _joined_flags(callback: Callback) -> tuple[Flag, ...]:
    """Only one whose customer has withdrawn the opt-out is joined at all, so the old opt-out no longer counts."""
    flags = set(without_flags(callback, Flag.OPTED_OUT))
    return tuple(sorted(flags | ({Flag.NEW_ALERT} if callback.state is State.LEASED else set())))


def _where_now(callback: Callback, subject: Subject) -> Callback:
    """With the number and the place as they are known now; a guess does not replace what was known."""
    known = (
        callback
        if subject.place.guessed
        else callback.evolve(
            zones=subject.place.zones,
            country=subject.place.country,
            flags=without_flags(callback, Flag.ZONE_GUESSED, Flag.ZONE_NEEDED),
        )
    )
    flags = {*without_flags(known, *ABOUT_NUMBER.values()), *number_flags(subject.number_status)}
    return known.evolve(flags=tuple(sorted(flags)))


def rank_at(opened_at: datetime, priority: int, reasons: Iterable[str], policy: Policy) -> datetime:
    """The stored moment of the order of work: `opened_at` + every term's seconds."""
    return opened_at + timedelta(seconds=sum(seconds for _, seconds in rank_terms(priority, reasons, policy)))


def rank_terms(priority: int, reasons: Iterable[str], policy: Policy) -> list[tuple[str, int]]:
    """What moves a callback from its place in time: (name, seconds); a negative number means sooner."""
    allowance = int(policy.order.allowance(priority).total_seconds())
    lifts = policy.order.lift_minutes
    lifted = [(f"reason_{reason}", -60 * lifts[reason]) for reason in reasons if lifts.get(reason)]
    return [(f"priority_{priority}", allowance), *lifted]


def place_flags(place: Place, number_status: str) -> set[Flag]:
    return ({Flag.ZONE_GUESSED} if place.guessed else set()) | number_flags(number_status)


def number_flags(number_status: str) -> set[Flag]:
    flag = ABOUT_NUMBER.get(number_status)
    return set() if flag is None else {flag}


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def _about(callback: Callback, subject: Subject) -> dict[str, object]:
    return {
        "priority": callback.priority,
        "severity": callback.severity,
        "points": subject.verdict.points,
        "reasons": list(subject.verdict.reasons),
        "customer": subject.customer_ref,
        "source": subject.source,
    }
