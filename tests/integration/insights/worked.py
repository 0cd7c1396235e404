"""Sixty days of a call centre with known rates: answers that come in, callbacks that are worked on, and what came of each.

Everything is written down twice: by the product's own transitions in the ledger, and here, by whoever threw the dice.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Callback, ClosedReason, Target, Transition
from alerts.ledger.callbacks.queues import ensure_queues
from alerts.ledger.callbacks.store import store_transitions
from alerts.ledger.database import transaction
from alerts.policy import Policy, read_policy
from alerts.resolution import Cause, CauseKind, Outcome
from alerts.result import Result
from alerts.survey import Interaction, Respondent, SurveyResponse
from alerts.transitions.attempting import NewAttempt, attempt, schedule
from alerts.transitions.claiming import claim, skip
from alerts.transitions.ending import resolve, supersede
from alerts.transitions.waking import wake
from tests.integration.insights.ledgers import take_in
from tests.parts.clock import Clock

Ledger = asyncpg.Connection
SEED = 20_261_126
BEGIN = datetime(2026, 9, 21, tzinfo=UTC)  # a Monday
DAYS = 60
NOW = BEGIN + timedelta(days=DAYS + 8, hours=12)  # so that all that was done is over
FRESH_A_DAY = 25
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

POLICY = """
routing:
  default: general
  routes:
    - {when: {queues: [billing]}, queue: billing, priority: 1}
team_insights: on
"""
CAUSES = [
    Cause(CauseKind.OPERATIONS, "billing"),
    Cause(CauseKind.OPERATIONS, "delivery"),
    Cause(CauseKind.SKILL, "courtesy"),
    Cause(CauseKind.SKILL, "other"),
    Cause(CauseKind.OPERATIONS, "other"),
]
CAUSE_WEIGHTS = [50, 20, 15, 5, 2]
OUTCOMES = list(Outcome)
CHANNELS = {"voice": 0.30, "chat": 0.45, "email": 0.30}
"""The true share of bad answers of each; chat is the one that differs."""

ADVISORS = ["ann", "bob", "cat", "dan"]


@dataclass
class Spoken:
    """One answer, as it was made."""

    at: datetime
    rating: int
    customer: str
    interaction: str
    channel: str
    team: str
    queue: str
    reason: str | None
    segment: str
    callback: str | None = None

    @property
    def is_bad(self) -> bool:
        return self.rating <= 2


@dataclass
class Call:
    """One callback, as it went. `could`: callable seconds until each target was reached, as they were measured."""

    id: str
    spoken: Spoken
    opened_at: datetime
    queue: str
    priority: int
    severity: int
    due_first_attempt: datetime
    claims: list[tuple[datetime, str]] = field(default_factory=list)
    skips: list[tuple[datetime, str]] = field(default_factory=list)
    attempts: list[tuple[datetime, str, Result]] = field(default_factory=list)
    contacted_at: datetime | None = None
    ended_at: datetime | None = None
    cause: Cause | None = None
    outcome: Outcome | None = None
    advisor: str | None = None
    could: dict[Target, float] = field(default_factory=dict)
    given_up: bool = False

    @property
    def due(self) -> dict[Target, datetime]:
        return {
            Target.FIRST_ATTEMPT: self.due_first_attempt,
            Target.CONTACT: self.opened_at + 24 * HOUR,
            Target.RESOLUTION: self.opened_at + 96 * HOUR,
        }

    @property
    def reached(self) -> dict[Target, datetime]:
        moments = {
            Target.FIRST_ATTEMPT: self.attempts[0][0] if self.attempts else None,
            Target.CONTACT: self.contacted_at,
            Target.RESOLUTION: self.ended_at if self.outcome else None,
        }
        return {target: at for target, at in moments.items() if at is not None}


class Centre:
    """Throws the dice, works, and remembers."""

    def __init__(self) -> None:
        self.dice = random.Random(SEED)
        self.policy = policy()
        self.spoken: list[Spoken] = []
        self.calls: list[Call] = []
        self.promises: list[tuple[datetime, str, str, str]] = []  # decided, by whom it was made, how, of which callback
        self._later: list[tuple[int, str, float]] = []  # day, customer, chance that the next answer is bad too
        self._steps: list[list[Transition]] = []

    async def fill(self, engine: AsyncEngine) -> None:
        """Day by day, on the ledger's clock."""
        async with engine.connect() as held:
            connection = (await held.get_raw_connection()).driver_connection
            assert isinstance(connection, asyncpg.Connection)
            await self._live(engine, connection, Clock(connection))

    async def _live(self, engine: AsyncEngine, connection: Ledger, clock: Clock) -> None:
        async with transaction(engine) as ledger:
            await ensure_queues(ledger, self.policy.queue_names)
        for day in range(DAYS):
            await clock.set(BEGIN + day * DAY + 20 * HOUR)
            for call, callback in await self._listen(engine, connection, day):
                self._work(call, callback, day)
            async with transaction(engine) as ledger:
                for step in zip_longest(*self._steps):
                    await store_transitions(ledger, [each for each in step if each is not None])
            self._steps.clear()
        await clock.set(NOW)

    async def _listen(self, engine: AsyncEngine, connection: Ledger, day: int) -> list[tuple[Call, Callback]]:
        """What is said on that day, and the callbacks that it opens."""
        again = [(customer, chance) for when, customer, chance in self._later if when == day]
        fresh: list[tuple[str, float | None]] = [(f"c-{day}-{n}", None) for n in range(FRESH_A_DAY)]
        said = sorted((self._say(day, *each) for each in (*fresh, *again)), key=lambda each: each.at)
        first = len(self.spoken)
        self.spoken += said
        responses = [respond(first + number, each) for number, each in enumerate(said)]
        moved = {each.callback.id: each.callback for each in await take_in(engine, responses, self.policy, first=first)}
        rows = await connection.fetch(
            "SELECT r.interaction_id, a.callback_id::text FROM alerts AS a JOIN responses AS r ON r.id = a.response_id"
        )
        raised = {row["interaction_id"]: row["callback_id"] for row in rows}
        known = {call.id: call for call in self.calls}
        for id_, callback in moved.items():
            if id_ in known:  # another bad answer joined it
                known[id_].priority, known[id_].severity = callback.priority, callback.severity
        opened = []
        for each in said:
            each.callback = raised.get(each.interaction)
            if each.callback is not None and each.callback not in known:
                opened.append((self._called(moved[each.callback], each), moved[each.callback]))
        return opened

    def _say(self, day: int, customer: str, chance: float | None) -> Spoken:
        dice = self.dice
        channel = dice.choice(list(CHANNELS))
        bad = dice.random() < (CHANNELS[channel] if chance is None else chance)
        return Spoken(
            at=BEGIN + day * DAY + (8 + 10 * dice.random()) * HOUR,
            rating=dice.choice([1, 2]) if bad else dice.choice([3, 4, 5]),
            customer=customer,
            interaction=f"{customer}/{day}",
            channel=channel,
            team=dice.choice(["north", "south"]),
            queue=dice.choice(["billing", "sales", "service"]),
            reason=dice.choice(["invoice", "invoice", "parcel", None]),
            segment="gold" if hash_of(customer) % 2 else "silver",
        )

    def _called(self, callback: Callback, spoken: Spoken) -> Call:
        assert callback.due_first_attempt is not None
        call = Call(
            id=callback.id,
            spoken=spoken,
            opened_at=callback.opened_at,
            queue="billing" if spoken.queue == "billing" else "general",
            priority=callback.priority,
            severity=callback.severity,
            due_first_attempt=callback.due_first_attempt,
        )
        self.calls.append(call)
        return call

    def _work(self, call: Call, callback: Callback, day: int) -> None:
        """One of five fates. Nobody is phoned before the next morning."""
        worker = Worker(self, call, callback, BEGIN + (day + 1) * DAY)
        fate = self.dice.choices(
            ["helped", "promised", "refused", "unreachable", "called in", "open"], [50, 8, 5, 20, 5, 12]
        )
        getattr(worker, fate[0].replace(" ", "_"))()
        self._steps.append(worker.steps)
        if self.dice.random() < 0.6:
            chance = 0.15 if call.contacted_at else 0.5
            self._later.append((day + self.dice.randint(8, 28), call.spoken.customer, chance))


class Worker:
    """Does to one callback what advisors do, by the product's own transitions, and writes down what was done."""

    def __init__(self, centre: Centre, call: Call, callback: Callback, morning: datetime) -> None:
        self.centre, self.dice, self.policy = centre, centre.dice, centre.policy
        self.call, self.callback, self.morning = call, callback, morning
        self.steps: list[Transition] = []

    def helped(self) -> None:
        at = self.morning + self.dice.choice([0, 0, 0, 1, 2, 4]) * DAY + (10 + self.dice.random()) * HOUR
        if self.dice.random() < 0.2:
            self._skip(at - 20 * MINUTE)
        if self.dice.random() < 0.3:
            self._try(at, Result.NO_ANSWER)
            at += 5 * HOUR
        self._talk(at, self._advisor())

    def promised(self) -> None:
        at = self.morning + 10 * HOUR
        who = self._claim(at, self._advisor())
        promised = at + DAY
        self._do(
            schedule(
                self.callback,
                at=promised,
                keep_owner=True,
                actor=who,
                token=self.callback.lease_token,
                now=at + MINUTE,
                policy=self.policy,
            )
        )
        late = self.dice.random() < 0.3
        self._do(wake(self.callback, now=promised, policy=self.policy))
        self._talk(promised + (90 if late else 6) * MINUTE, who)
        self.centre.promises.append((self.call.attempts[-1][0] + MINUTE, who, "late" if late else "kept", self.call.id))

    def refused(self) -> None:
        at = self.morning + 11 * HOUR
        self._try(at, Result.REFUSED, opt_out=True)
        self.call.ended_at = at + 3 * MINUTE

    def unreachable(self) -> None:
        for days, hour in ((0, 9.5), (1, 13.0), (2, 16.5)):
            self._try(self.morning + days * DAY + hour * HOUR, Result.NO_ANSWER)
        self.call.ended_at = self.call.attempts[-1][0] + MINUTE
        self.call.given_up = True

    def called_in(self) -> None:
        at = self.morning + 8 * HOUR
        self._do(supersede(self.callback, ClosedReason.CUSTOMER_CALLED_IN, now=at, policy=self.policy))
        self.call.ended_at = at

    def open(self) -> None:
        """Nothing is done."""

    def _advisor(self) -> str:
        """Dan leaves four of five hard ones to others."""
        who = self.dice.choice(ADVISORS)
        if who == "dan" and self.call.severity >= 80 and self.dice.random() < 0.8:
            return self.dice.choice(ADVISORS[:3])
        return who

    def _claim(self, at: datetime, who: str) -> str:
        self._do(wake(self.callback, now=at, policy=self.policy))
        self._do(claim(self.callback, advisor=who, token="t", seconds=900, now=at, policy=self.policy))
        self.call.claims.append((at, who))
        return who

    def _skip(self, at: datetime) -> None:
        who = self._claim(at, self._advisor())
        token = self.callback.lease_token or ""
        self._do(skip(self.callback, token=token, reason="language", now=at + MINUTE, policy=self.policy))
        self.call.skips.append((at + MINUTE, who))

    def _try(self, at: datetime, result: Result, *, who: str | None = None, opt_out: bool = False) -> None:
        """Claimed at `at`, dialled two minutes later, written down after another."""
        who = self._claim(at, who or self._advisor())
        started = at + 2 * MINUTE
        token = self.callback.lease_token or ""
        new = NewAttempt(result=result, started_at=started, opt_out=opt_out)
        self._do(attempt(self.callback, new, token=token, now=started + MINUTE, policy=self.policy))
        self.call.attempts.append((started, who, result))
        if result in (Result.CONNECTED, Result.REFUSED):
            self.call.contacted_at = started

    def _talk(self, at: datetime, who: str) -> None:
        self._try(at, Result.CONNECTED, who=who)
        (cause,) = self.dice.choices(CAUSES, CAUSE_WEIGHTS)
        (outcome,) = self.dice.choices(OUTCOMES, [60, 20, 15, 5])
        ended = at + 10 * MINUTE
        self._do(
            resolve(
                self.callback,
                token=self.callback.lease_token or "",
                cause=cause,
                outcome=outcome,
                note=None,
                checklist={},
                version=None,
                now=ended,
                policy=self.policy,
            )
        )
        self.call.ended_at, self.call.cause, self.call.outcome, self.call.advisor = ended, cause, outcome, who

    def _do(self, moved: Transition) -> None:
        self.callback = moved.callback
        for event in moved.events:
            for name, clocks in event.measured.items():
                if name != "time_to_claim":
                    self.call.could[Target(name.removeprefix("time_to_"))] = clocks["callable"]
        # These days are over for the ledger's clock, or yet to come: it is no judge of the lease.
        self.steps.append(msgspec.structs.replace(moved, fence=None))


def hash_of(text: str) -> int:
    """The same in every run."""
    return zlib.crc32(text.encode())


def policy() -> Policy:
    return read_policy(POLICY, file="worked.yaml")


def respond(number: int, spoken: Spoken) -> SurveyResponse:
    return SurveyResponse(
        event_source="/made",
        event_id=str(number),
        source="cloudevents",
        response_id=str(number),
        survey_id="post-contact",
        rating=spoken.rating,
        answered_at=spoken.at,
        revised_at=spoken.at,
        customer=Respondent(
            id=spoken.customer, time_zone="Europe/London", country="GB", language="en", segment=spoken.segment
        ),
        interaction=Interaction(
            id=spoken.interaction,
            channel=spoken.channel,
            queue=spoken.queue,
            reason=spoken.reason,
            agent_team=spoken.team,
        ),
    )
