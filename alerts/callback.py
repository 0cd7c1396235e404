"""The promise to phone a customer: what it is, which states it can be in, and what can happen to it.

Every change is a pure transition in `alerts.transitions`: `transition(callback, ..., now=, policy=) -> Transition`, which has
the new callback and what happened. `TRANSITIONS` below is the table of them; docs/lifecycle.md draws it, and a test keeps
table, drawing and code equal.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from alerts.calling_hours.window import Place
from alerts.calling_hours.zones import is_zone
from alerts.errors import AlreadyResolved, NotClaimable
from alerts.event import EventKind
from alerts.policy import Policy
from alerts.result import Result


class State(StrEnum):
    WAITING = "waiting"  # somebody may take it, now or when the calling window opens
    LEASED = "leased"  # one advisor is working on it, until the lease runs out
    SCHEDULED = "scheduled"  # the customer was promised a call at a stated time
    RESOLVED = "resolved"  # there was a conversation; cause and outcome are recorded
    CLOSED = "closed"  # it ended without one, for a written reason


SYSTEM = "system"  # the actor of what nobody did by hand

OPEN_STATES = (State.WAITING, State.LEASED, State.SCHEDULED)


class ClosedReason(StrEnum):
    UNREACHABLE = "unreachable"  # tried as often as the policy allows, and never reached
    CUSTOMER_CALLED_IN = "customer_called_in"  # the customer was in touch first
    RERATED = "rerated"  # every bad answer behind it was put right by the customer
    OPTED_OUT = "opted_out"  # the customer asked not to be phoned
    DUPLICATE = "duplicate"  # the same customer has another open one, which goes on
    ERASED = "erased"  # the customer was erased: there is nobody to call
    EXPIRED = "expired"  # too old; a call after so long helps nobody


class Flag(StrEnum):
    NO_NUMBER = "no_number"  # nobody gave us a number; the advisor finds one
    BAD_NUMBER = "bad_number"  # what we have cannot be called
    ZONE_GUESSED = "zone_guessed"  # the window is judged on the queue's clock
    ZONE_NEEDED = "zone_needed"  # the possible zones share too few hours; a lead must say which
    ASKED_NOT_TO_BE_CALLED = "asked_not_to_be_called"  # the comment says so; a lead decides whether it is an opt-out
    NEW_ALERT = "new_alert"  # another bad answer joined after the claim
    CUSTOMER_CALLED_IN = "customer_called_in"  # news that came while somebody was working on it
    RERATED = "rerated"
    OPTED_OUT = "opted_out"
    ESCALATED = "escalated"
    REOPENED = "reopened"


class Target(StrEnum):
    FIRST_ATTEMPT = "first_attempt"  # somebody has tried to reach the customer
    CONTACT = "contact"  # the customer was reached
    RESOLUTION = "resolution"  # the matter is settled


STAYS: dict[State, tuple[State, ...]] = {state: (state,) for state in OPEN_STATES}

TRANSITIONS: dict[str, dict[State, tuple[State, ...]]] = {
    # move: from which states, and to which each of them may lead. `open_callback` begins, so it comes from nowhere.
    "open_callback": {},
    "join": STAYS,
    "claim": {State.WAITING: (State.LEASED,)},
    "extend": {State.LEASED: (State.LEASED,)},
    "attempt": {State.LEASED: (State.LEASED, State.WAITING, State.CLOSED)},
    "schedule": {State.LEASED: (State.SCHEDULED,), State.WAITING: (State.SCHEDULED,)},
    "resolve": {State.LEASED: (State.RESOLVED,)},
    # What ends a lease closes the callback instead when the customer has opted out meanwhile.
    "release": {State.LEASED: (State.WAITING, State.CLOSED)},
    "skip": {State.LEASED: (State.WAITING, State.CLOSED)},
    "withdraw": {State.LEASED: (State.WAITING, State.CLOSED)},
    "expire_lease": {State.LEASED: (State.WAITING, State.CLOSED)},
    "fall_due": {State.SCHEDULED: (State.WAITING,)},
    "supersede": {
        State.WAITING: (State.CLOSED,),
        State.SCHEDULED: (State.CLOSED,),
        State.LEASED: (State.LEASED, State.CLOSED),  # flagged, the advisor decides; or there is nobody to call any more
    },
    "expire": {State.WAITING: (State.CLOSED,), State.SCHEDULED: (State.CLOSED,)},
    "reopen": {State.RESOLVED: (State.WAITING,), State.CLOSED: (State.WAITING,)},
    "assign": STAYS,
    "move": STAYS,
    "follow": STAYS,
    "explain": STAYS,
    "permit": {State.WAITING: (State.WAITING,), State.SCHEDULED: (State.SCHEDULED,)},
    "escalate": {**STAYS, State.LEASED: (State.LEASED, State.WAITING, State.CLOSED)},
    "note": {state: (state,) for state in State},
    # Whatever has fallen due: the lease, the promise, the age. One that has ended is left alone.
    "wake": {
        State.WAITING: (State.WAITING, State.CLOSED),
        State.LEASED: (State.LEASED, State.WAITING, State.CLOSED),
        State.SCHEDULED: (State.SCHEDULED, State.WAITING, State.CLOSED),
        State.RESOLVED: (State.RESOLVED,),
        State.CLOSED: (State.CLOSED,),
    },
}


class Callback(Struct, frozen=True, kw_only=True, gc=False):
    """One callback, as it is stored. Times are aware and in UTC; `None` means it has not happened or does not apply."""

    id: str
    customer_id: int
    previous_id: str | None = None  # the customer's resolved callback before this one
    state: State = State.WAITING
    closed_reason: ClosedReason | None = None
    version: int = 0  # the number of the last thing that happened to it; each event has one of its own

    # what it is about
    queue: str
    source: str
    event_id: str  # of the answer that opened it
    trace_id: str | None = None  # of that answer, if its sender or the request that brought it named one
    language: str | None = None
    points: int
    severity: int
    priority: int
    reasons: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()

    problem_id: str | None = None  # the known problem behind it
    told_at: datetime | None = None  # when the customer heard that it is solved

    # since when, and in which order
    opened_at: datetime  # on the ledger's clock; the waiting time it has earned counts from here
    waiting_since: datetime  # when the customer's first answer was given, or when it was reopened
    rank_at: datetime  # the smaller goes first
    priority_class: int = 1  # 0 = a promise that is due, before all others
    targets_since: datetime  # since when its targets count: when it was opened, or reopened
    expires_at: datetime

    # when the customer may be phoned
    zones: tuple[str, ...]
    country: str | None = None
    regions: tuple[str, ...] = ()  # of the country, where the number or the zone names them; for its holidays
    callable_from: datetime | None = None
    callable_until: datetime | None = None
    callable_reason: str = ""
    ready: bool = False  # waiting, and inside the window
    awaits_lead: bool = False  # the customer asked not to be phoned: a lead confirms that, or lets the call be made
    not_before: datetime | None = None
    avoid: tuple[datetime, ...] = ()  # moments of failed attempts, whose time of day is not tried again
    wake_at: datetime | None = None  # when it must next be looked at; None once it has ended

    # the lease
    lease_number: int = 0  # grows with each claim: the fencing number
    lease_token: str | None = None
    lease_holder: str | None = None
    lease_claimed_at: datetime | None = None
    lease_expires_at: datetime | None = None
    skips: dict[str, datetime] = {}  # advisor -> until when it is not offered to them again
    owner: str | None = None
    owner_until: datetime | None = None

    # the promise made to the customer
    promise_at: datetime | None = None
    promise_until: datetime | None = None  # the end of the calling window it lies in
    promise_state: str | None = None  # open, kept, late, broken; void when the callback ended before its time

    # what was promised to the company
    due_first_attempt: datetime | None = None
    due_contact: datetime | None = None
    due_resolution: datetime | None = None
    targets: dict[Target, str] = {}  # decided ones: met or missed
    escalated_steps: int = 0

    # what has happened
    attempts_count: int = 0
    failed_count: int = 0
    claimed_at: datetime | None = None  # the first claim
    first_attempt_at: datetime | None = None
    contacted_at: datetime | None = None
    ended_at: datetime | None = None
    cause_kind: str | None = None
    cause_driver: str | None = None
    outcome: str | None = None
    checklist: dict[str, bool] = {}

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    def place(self, policy: Policy) -> Place:
        """Where the customer may be. A zone that the zone data has dropped since is no place; if none is left, the queue's."""
        known = tuple(zone for zone in self.zones if is_zone(zone))
        if not known:
            return Place(
                zones=(policy.queue(self.queue).zone,), country=self.country, guessed=True, regions=self.regions
            )
        guessed = Flag.ZONE_GUESSED in self.flags
        return Place(zones=known, country=self.country, guessed=guessed, regions=self.regions)

    def overdue(self, now: datetime) -> tuple[Target, ...]:
        """The targets whose time has passed without being reached, in the order in which they fall due."""
        return tuple(target for target, due in self.pending_targets() if due <= now)

    def pending_targets(self) -> list[tuple[Target, datetime]]:
        """What is still owed, with its due time, in the order of the conversation."""
        owed = (
            (Target.FIRST_ATTEMPT, self.due_first_attempt, self.first_attempt_at),
            (Target.CONTACT, self.due_contact, self.contacted_at),
            (Target.RESOLUTION, self.due_resolution, self.ended_at),
        )
        return [(target, due) for target, due, reached in owed if due is not None and reached is None]

    def evolve(self, **changes: Any) -> Callback:
        return structs.replace(self, **changes)


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened to a callback. `version` and `state` are the callback's right after it.

    `data` holds ids, times, states and reasons, never what a person said or who they are: it leaves the house.
    `text` is what a person wrote about it; it stays in the history. `measured` are durations in seconds that ended
    with this event: name -> {"wall": s, "callable": s}.
    """

    kind: EventKind
    at: datetime
    version: int
    state: State
    actor: str = SYSTEM
    data: dict[str, Any] = {}
    text: str | None = None
    measured: dict[str, dict[str, float]] = {}


class Attempt(Struct, frozen=True, kw_only=True):
    """One try to reach the customer. `outside_window` marks a call that should not have been made and a lead recorded."""

    result: Result
    advisor: str
    started_at: datetime
    ended_at: datetime | None = None
    note: str | None = None
    outside_window: bool = False


class Transition(Struct, frozen=True, kw_only=True, gc=False):
    """What a transition made of a callback.

    `attempt` is set by the transition that records one. `fence` is the lease token that it rests on, where it needs one:
    it is stored only while that lease lives.
    """

    callback: Callback
    events: tuple[Event, ...] = ()
    attempt: Attempt | None = None
    fence: str | None = None

    def then(self, later: Transition) -> Transition:
        """This, and after it `later`, which began from this one's callback."""
        return Transition(
            callback=later.callback,
            events=self.events + later.events,
            attempt=self.attempt or later.attempt,
            fence=self.fence or later.fence,
        )


def happened(
    callback: Callback,
    kind: EventKind,
    now: datetime,
    *,
    actor: str = SYSTEM,
    data: dict[str, Any] | None = None,
    text: str | None = None,
    measured: dict[str, dict[str, float]] | None = None,
) -> Transition:
    """One step of a transition: `callback` as the step has left it, in its next version, and the event that tells of it.

    Versions rise here and events are made here, nowhere else: so the events of a callback are numbered without a gap.
    """
    changed = callback.evolve(version=callback.version + 1)
    event = Event(
        kind=kind,
        at=now,
        version=changed.version,
        state=changed.state,
        actor=actor,
        data={"queue": changed.queue, **(data or {})},
        text=text,
        measured=measured or {},
    )
    return Transition(callback=changed, events=(event,))


def check_transition(callback: Callback, move: str) -> None:
    """Raises AlreadyResolved or NotClaimable when `TRANSITIONS` does not let this callback do that in its present state."""
    if callback.state in TRANSITIONS[move]:
        return
    if not callback.is_open:
        raise AlreadyResolved("this callback has ended; a lead may reopen it")
    raise NotClaimable(f"this callback is {callback.state}; this needs one that is {' or '.join(TRANSITIONS[move])}")


def with_flags(callback: Callback, *flags: Flag) -> tuple[Flag, ...]:
    return tuple(sorted({*callback.flags, *flags}))


def without_flags(callback: Callback, *flags: Flag) -> tuple[Flag, ...]:
    return tuple(flag for flag in callback.flags if flag not in flags)
