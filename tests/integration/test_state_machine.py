"""The pure moves and the real ledger, side by side over whatever may happen: both come to the same, and stay sound.

The model is a plain dict of callbacks changed by the pure functions alone. Its clock and the ledger's are one and stand
still between steps, so every moment must be equal too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.alert import Alert
from alerts.arrival import Answer
from alerts.callback import TRANSITIONS, Callback, ClosedReason, Event, State, Transition
from alerts.calling_hours.window import may_call
from alerts.customer import Customer
from alerts.errors import DoNotCall, NotClaimable, Refused, TooManyHeld
from alerts.identity import Handle
from alerts.ledger.actions.contacts import record_contact
from alerts.ledger.actions.opt_out import opt_out, withdraw_opt_out
from alerts.ledger.actions.reopening import reopen_callback
from alerts.ledger.callbacks.claims import Claimer, claim_next, claim_one
from alerts.ledger.callbacks.queues import ensure_queues, pause_queue, resume_queue
from alerts.ledger.callbacks.store import apply, read_callback
from alerts.ledger.callbacks.timers import wake_due
from alerts.ledger.database import open_engine, transaction
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.customers import customers
from alerts.ledger.tables.events import history, outbox
from alerts.policy import read_policy, shipped_policy
from alerts.resolution import Cause, CauseKind, Outcome
from alerts.result import Result
from alerts.routing import route
from alerts.scoring import rate, score
from alerts.transitions import (
    NewAttempt,
    assign,
    attempt,
    claim,
    escalate,
    expire,
    extend,
    follow,
    join,
    move,
    open_callback,
    release,
    reopen,
    resolve,
    schedule,
    skip,
    supersede,
    wake,
    withdraw,
)
from tests.invariants import AFTER_THE_TIMER, broken
from tests.parts.answers import SOURCE, answer
from tests.parts.effort import EFFORT

ABOUT_200_STEPS = settings(  # times EFFORT
    max_examples=4 * EFFORT, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
START = datetime(2026, 3, 2, 14, tzinfo=UTC)  # a Monday; it is day in London, New York and Kolkata, night in Perth
ZONES = ("Europe/London", "Australia/Perth", "America/New_York", "Asia/Kolkata", None)
ADVISORS = st.sampled_from(["ann", "ben", "cat"])
QUEUES = ("general", "billing")
PICK = st.integers(0, 99)
POLICY = read_policy("routing: {routes: [{when: {queues: [billing]}, queue: billing}]}", file="policy.yaml")
HELD_AT_MOST = 3

STILL_CLOCK = """
    ALTER TABLE test_clock ADD COLUMN stands timestamptz;
    CREATE OR REPLACE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        $$ SELECT stands FROM test_clock $$;
"""
EMPTY = "TRUNCATE customers, responses, raw_records, callbacks, alerts, attempts, history, outbox, audit, partitions, queues"

Got = TypeVar("Got")


class Person:
    """What the model knows of a customer."""

    def __init__(self, number: int) -> None:
        self.name = f"customer{number}"
        self.zone = ZONES[number % len(ZONES)]
        self.id = 0
        self.ref = ""
        self.bottom_boxes: dict[str, datetime] = {}  # by response
        self.opted_out = False


class ModelAndLedger(RuleBasedStateMachine):
    """Every rule does one thing to the model and to the ledger, and compares."""

    url: str
    runner: asyncio.Runner
    engine: AsyncEngine

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.model: dict[str, Callback] = {}
        self.happened: dict[str, list[Event]] = {}
        self.behind: dict[str, set[str]] = {}  # callback -> the answers that are its alerts
        self.people = [Person(number) for number in range(6)]
        self.answered: list[tuple[Person, str]] = []
        self.paused: set[str] = set()
        self.tokens: dict[str, list[str]] = {}
        self.offset = 0
        self.sql(EMPTY)
        self.set_clock()
        self.work(lambda connection: ensure_queues(connection, QUEUES))

    # The two sides

    def run(self, work: Awaitable[Got]) -> Got:
        async def waited() -> Got:
            return await work

        return self.runner.run(waited())

    def work(self, what: Callable[[AsyncConnection], Awaitable[Got]]) -> Got:
        """In a transaction of its own."""

        async def inside() -> Got:
            async with transaction(self.engine) as connection:
                return await what(connection)

        return self.runner.run(inside())

    def sql(self, statement: str) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self.url)
            await connection.execute(statement)
            await connection.close()

        self.runner.run(execute())

    def set_clock(self) -> None:
        self.sql(f"UPDATE test_clock SET stands = '{self.now.isoformat()}'")

    def expect(self, callback_id: str, moved: Transition, name: str) -> None:
        """The model takes the move, if it is one that `MOVES` allows (I14)."""
        before = self.model.get(callback_id)
        if before is not None:
            assert moved.callback.state in TRANSITIONS[name][before.state], (name, before.state, moved.callback.state)
        self.model[callback_id] = moved.callback
        self.happened.setdefault(callback_id, []).extend(moved.events)

    def both(
        self,
        callback_id: str,
        name: str,
        pure: Callable[[Callback, datetime], Transition],
        *,
        stored: Callable[[AsyncConnection], Awaitable[Transition]] | None = None,
    ) -> None:
        """The same move on either side: the same refusal, or (compared after the step) the same callback."""
        do = stored or (lambda connection: apply(connection, callback_id, pure))
        try:
            expected = pure(self.model[callback_id], self.now)
        except Refused as refusal:
            assert_refused(lambda: self.work(do), type(refusal))
            return
        self.work(do)
        self.expect(callback_id, expected, name)

    def pick(self, number: int) -> str:
        ids = list(self.model)
        return ids[number % len(ids)]

    def picked_open(self, number: int) -> str:
        ids = [id_ for id_, callback in self.model.items() if callback.is_open] or list(self.model)
        return ids[number % len(ids)]

    def picked_lease(self, number: int, stale: bool) -> tuple[str, str]:
        """A callback and a token of it: the living one, or one that it had."""
        leased = [id_ for id_, callback in self.model.items() if callback.state is State.LEASED]
        held = leased or [id_ for id_, tokens in self.tokens.items() if tokens] or list(self.model)
        callback_id = held[number % len(held)]
        tokens = self.tokens.get(callback_id) or ["0.none"]
        return callback_id, tokens[0 if stale else -1]

    def any_callback(self) -> bool:
        return bool(self.model)

    def any_lease(self) -> bool:
        """Somebody holds one, or has held one and may come back late."""
        return bool(self.tokens)

    # What customers do

    @initialize()
    def begins_with_work_to_do(self) -> None:
        for number, person in enumerate(self.people[:4]):
            self.hear(person, self.said(person, 1 + number % 2, queue=QUEUES[number % 2]))

    @rule(who=PICK, rating=st.integers(1, 3), queue=st.sampled_from(QUEUES))
    def answers(self, who: int, rating: int, queue: str) -> None:
        person = self.people[who % len(self.people)]
        said = self.said(person, rating, queue=queue)
        self.hear(person, said)

    @precondition(lambda self: self.answered)
    @rule(which=PICK, rating=st.integers(1, 5))
    def revises_an_answer(self, which: int, rating: int) -> None:
        person, response = self.answered[which % len(self.answered)]
        self.hear(person, self.said(person, rating, response=response))

    def said(self, person: Person, rating: int, *, response: str | None = None, queue: str | None = None) -> Answer:
        self.offset += 1
        self.now += timedelta(seconds=1)  # a revision is newer than what it revises
        self.set_clock()
        return answer(
            person.name, rating, self.now, offset=self.offset, zone=person.zone, response=response, queue=queue
        )

    def hear(self, person: Person, said: Answer) -> None:
        report = self.run(ingest_batch(self.engine, [said], POLICY))
        self.know(person)
        self.follow(person)
        response = said.response
        was_bad = (person, response.response_id) in self.answered
        if response.rating <= 2:
            if person.opted_out:
                assert report.raised == []
            else:
                self.raise_alert(person, said, report.moved)
            person.bottom_boxes[response.response_id] = response.answered_at
        elif was_bad:
            self.rerate(person, response.response_id)
        if response.rating <= 2 and not was_bad:
            self.answered.append((person, response.response_id))
        elif response.rating > 2 and was_bad:
            self.answered.remove((person, response.response_id))
            del person.bottom_boxes[response.response_id]

    def raise_alert(self, person: Person, said: Answer, moved: list[Transition]) -> None:
        [actual] = moved
        about = self.alert(person, said)
        open_id = self.open_of(person)
        if open_id is None:
            opened = open_callback(
                structs.replace(about, callback_id=actual.callback.id),
                self.customer(person),
                previous_id=self.resolved_lately(person),
                now=self.now,
                policy=POLICY,
            )
            self.expect(actual.callback.id, opened, "open_callback")
        else:
            self.expect(
                open_id, join(self.model[open_id], about, self.customer(person), now=self.now, policy=POLICY), "join"
            )
        self.behind.setdefault(open_id or actual.callback.id, set()).add(said.response.response_id)

    def follow(self, person: Person) -> None:
        """With every answer an open callback is as its customer is known: so a number that a try found wrong is one again."""
        open_id = self.open_of(person)
        if open_id is not None:
            followed = follow(self.model[open_id], self.customer(person), now=self.now, policy=POLICY)
            self.expect(open_id, followed, "follow")

    def rerate(self, person: Person, response: str) -> None:
        open_id = self.open_of(person)
        if open_id is None:
            return
        self.behind[open_id].discard(response)
        if not self.behind[open_id]:
            better = supersede(self.model[open_id], ClosedReason.RERATED, now=self.now, policy=POLICY)
            self.expect(open_id, better, "supersede")

    def alert(self, person: Person, said: Answer) -> Alert:
        others = [at for key, at in person.bottom_boxes.items() if key != said.response.response_id]
        last = max(others, default=None)
        verdict = score(said.response, rate(said.response, POLICY), POLICY, last)
        queue, priority = route(said.response, verdict, POLICY, last)
        return Alert(answer=said, verdict=verdict, queue=queue, priority=priority, callback_id="", raised_at=self.now)

    def customer(self, person: Person) -> Customer:
        out = self.now if person.opted_out else None
        key = f"id:{SOURCE}:{person.name}"
        return Customer(id=person.id, ref=person.ref, key=key, time_zone=person.zone, opted_out_at=out)

    def know(self, person: Person) -> None:
        if not person.ref:
            query = select(customers.c.id, customers.c.ref).where(customers.c.key.endswith(f":{person.name}"))
            person.id, person.ref = self.work(lambda connection: one_row(connection, query))

    def open_of(self, person: Person) -> str | None:
        return next((id_ for id_, each in self.model.items() if each.customer_id == person.id and each.is_open), None)

    def resolved_lately(self, person: Person) -> str | None:
        since = self.now - timedelta(days=POLICY.again.days)
        ended = [
            (each.ended_at, each.id)
            for each in self.model.values()
            if each.customer_id == person.id
            and each.state is State.RESOLVED
            and each.ended_at is not None
            and each.ended_at >= since
        ]
        return max(ended)[1] if ended else None

    @rule(who=PICK)
    def calls_in(self, who: int) -> None:
        person = self.people[who % len(self.people)]
        handle = Handle("id", SOURCE, person.name)
        moved = self.work(lambda connection: record_contact(connection, [handle], self.now, policy=POLICY))
        self.news(person, ClosedReason.CUSTOMER_CALLED_IN, moved)

    @precondition(lambda self: sum(person.opted_out for person in self.people) < 2)
    @rule(who=PICK)
    def opts_out(self, who: int) -> None:
        known = [person for person in self.people if person.ref]
        person = known[who % len(known)]
        moved = self.work(lambda connection: opt_out(connection, person.ref, actor="lead", policy=POLICY))
        person.opted_out = True
        self.news(person, ClosedReason.OPTED_OUT, moved)

    @precondition(lambda self: any(person.opted_out for person in self.people))
    @rule()
    def opts_in(self) -> None:
        person = next(person for person in self.people if person.opted_out)
        self.work(lambda connection: withdraw_opt_out(connection, person.ref, actor="lead"))
        person.opted_out = False

    def news(self, person: Person, reason: ClosedReason, moved: list[Transition]) -> None:
        open_id = self.open_of(person)
        assert len(moved) == (open_id is not None)
        if open_id is not None:
            self.expect(open_id, supersede(self.model[open_id], reason, now=self.now, policy=POLICY), "supersede")

    # What advisors do

    @rule(advisor=ADVISORS, queues=st.sampled_from([None, ("general",), ("billing",)]))
    def claims_the_next(self, advisor: str, queues: tuple[str, ...] | None) -> None:
        who = Claimer(advisor=advisor, queues=queues, at_most=HELD_AT_MOST)
        if self.held_by(advisor) >= HELD_AT_MOST:
            assert_refused(lambda: self.work(lambda c: claim_next(c, who, policy=POLICY)), TooManyHeld)
            return
        moved = self.work(lambda connection: claim_next(connection, who, policy=POLICY))
        expected = self.next_for(advisor, queues)
        assert [each.callback.id for each in moved] == ([] if expected is None else [expected])  # I13
        for each in moved:
            self.claimed(each)

    def next_for(self, advisor: str, queues: tuple[str, ...] | None) -> str | None:
        """The first in the order of work of those that this advisor may have now."""
        offered = [
            (each.priority_class, each.rank_at, each.id)
            for each in self.model.values()
            if each.ready
            and each.callable_until is not None
            and each.callable_until > self.now
            and each.queue in (queues or QUEUES)
            and each.queue not in self.paused
            and (each.owner in (None, advisor) or (each.owner_until is not None and each.owner_until <= self.now))
            and each.skips.get(advisor, self.now) <= self.now
        ]
        return min(offered)[2] if offered else None

    def held_by(self, advisor: str) -> int:
        return sum(
            each.lease_holder == advisor and each.lease_expires_at is not None and each.lease_expires_at > self.now
            for each in self.model.values()
        )

    def claimed(self, moved: Transition) -> None:
        actual = moved.callback
        assert actual.lease_token is not None
        assert may_call(self.now, actual.place(POLICY), POLICY) is not None  # I25
        assert not next(person for person in self.people if person.id == actual.customer_id).opted_out  # I26
        secret = actual.lease_token.split(".", 1)[1]
        advisor = actual.lease_holder or ""
        expected = claim(
            self.model[actual.id],
            advisor=advisor,
            token=secret,
            seconds=POLICY.leases.seconds,
            now=self.now,
            policy=POLICY,
        )
        self.expect(actual.id, expected, "claim")
        self.tokens[actual.id] = [*self.tokens.pop(actual.id, []), actual.lease_token]  # the newest claim is the last

    @precondition(any_callback)
    @rule(which=PICK, advisor=ADVISORS)
    def claims_this_one(self, which: int, advisor: str) -> None:
        callback_id = self.pick(which)
        who = Claimer(advisor=advisor)
        paused = self.model[callback_id].queue in self.paused
        try:
            if paused:
                raise NotClaimable("paused")
            claim(self.model[callback_id], advisor=advisor, token="", seconds=9, now=self.now, policy=POLICY)
        except Refused as refusal:
            assert_refused(lambda: self.work(lambda c: claim_one(c, callback_id, who, policy=POLICY)), type(refusal))
            return
        self.claimed(self.work(lambda connection: claim_one(connection, callback_id, who, policy=POLICY)))

    @precondition(any_lease)
    @rule(which=PICK, stale=st.booleans(), seconds=st.integers(5, 3600))
    def extends(self, which: int, stale: bool, seconds: int) -> None:
        id_, token = self.picked_lease(which, stale)
        self.both(id_, "extend", lambda c, now: extend(c, token=token, seconds=seconds, now=now, policy=POLICY))

    @precondition(any_lease)
    @rule(which=PICK, stale=st.booleans())
    def releases(self, which: int, stale: bool) -> None:
        id_, token = self.picked_lease(which, stale)
        self.both(id_, "release", lambda c, now: release(c, token=token, reason="r", now=now, policy=POLICY))

    @precondition(any_lease)
    @rule(which=PICK, stale=st.booleans())
    def skips(self, which: int, stale: bool) -> None:
        id_, token = self.picked_lease(which, stale)
        self.both(id_, "skip", lambda c, now: skip(c, token=token, reason="r", now=now, policy=POLICY))

    @precondition(any_lease)
    @rule(
        which=PICK,
        stale=st.sampled_from([False, False, False, True]),
        result=st.sampled_from(Result),
        minutes_ago=st.integers(0, 3),
    )
    def tries(self, which: int, stale: bool, result: str, minutes_ago: int) -> None:
        id_, token = self.picked_lease(which, stale)
        new = NewAttempt(result=Result(result), started_at=self.now - timedelta(minutes=minutes_ago), note="n")
        self.try_it(id_, token, new)

    def try_it(self, id_: str, token: str, new: NewAttempt) -> None:
        self.both(id_, "attempt", lambda c, now: attempt(c, new, token=token, now=now, policy=POLICY))

    @precondition(any_callback)
    @rule(
        which=PICK,
        by_lead=st.booleans(),
        hours=st.integers(0, 30),
        keep_owner=st.booleans(),
        stale=st.sampled_from([False, False, True]),
    )
    def promises(self, which: int, by_lead: bool, hours: int, keep_owner: bool, stale: bool) -> None:
        id_, lease = (self.picked_open(which), None) if by_lead else self.picked_lease(which, stale)
        self.promise_it(id_, lease, self.now + timedelta(hours=hours), keep_owner=keep_owner)

    def promise_it(self, id_: str, lease: str | None, at: datetime, *, keep_owner: bool) -> None:
        def pure(callback: Callback, now: datetime) -> Transition:
            return schedule(callback, at=at, keep_owner=keep_owner, actor="lead", token=lease, now=now, policy=POLICY)

        self.both(id_, "schedule", pure)

    @precondition(any_lease)
    @rule(which=PICK, stale=st.sampled_from([False, False, True]), has_read=st.booleans())
    def resolves(self, which: int, stale: bool, has_read: bool) -> None:
        id_, token = self.picked_lease(which, stale)
        self.resolve_it(id_, token, self.model[id_].version if has_read else None)

    def resolve_it(self, id_: str, token: str, version: int | None) -> None:
        def pure(callback: Callback, now: datetime) -> Transition:
            return resolve(
                callback,
                token=token,
                cause=Cause(CauseKind.OPERATIONS, "other"),
                outcome=Outcome.RECOVERED,
                note="n",
                checklist={},
                version=version,
                now=now,
                policy=POLICY,
            )

        self.both(id_, "resolve", pure)

    @rule(advisor=ADVISORS, end=st.sampled_from(["resolve", "promise", "no_answer", "busy", "keep"]))
    def works_on_the_next(self, advisor: str, end: str) -> None:
        """What advisors do most: one after the other, so that lives get longer than chance alone would make them."""
        self.claims_the_next(advisor=advisor, queues=None)
        last = list(self.tokens.items())[-1:]
        if not last or self.model[last[0][0]].state is not State.LEASED:
            return
        id_, token = last[0][0], last[0][1][-1]
        if end in ("no_answer", "busy"):
            self.try_it(id_, token, NewAttempt(result=Result(end)))
        elif end != "keep":
            self.try_it(id_, token, NewAttempt(result=Result.CONNECTED))
            if end == "resolve":
                self.resolve_it(id_, token, self.model[id_].version)
            else:
                self.promise_it(id_, token, self.now + timedelta(hours=2), keep_owner=True)

    # What leads do

    @precondition(any_callback)
    @rule(which=PICK)
    def reopens(self, which: int) -> None:
        id_ = self.pick(which)
        person = next(each for each in self.people if each.id == self.model[id_].customer_id)

        def pure(callback: Callback, now: datetime) -> Transition:
            if self.open_of(person) not in (None, id_):
                raise NotClaimable("another is open")
            return reopen(callback, self.customer(person), actor="lead", now=now, policy=POLICY, reason="r")

        self.both(
            id_,
            "reopen",
            pure,
            stored=lambda c: reopen_callback(c, id_, actor="lead", reason="r", policy=POLICY),
        )

    @precondition(any_callback)
    @rule(which=PICK, advisor=ADVISORS)
    def assigns(self, which: int, advisor: str) -> None:
        self.both(
            self.picked_open(which),
            "assign",
            lambda c, now: assign(c, advisor=advisor, actor="lead", now=now, policy=POLICY),
        )

    @precondition(any_callback)
    @rule(which=PICK, queue=st.sampled_from(QUEUES))
    def moves(self, which: int, queue: str) -> None:
        def pure(callback: Callback, now: datetime) -> Transition:
            person = next(each for each in self.people if each.id == callback.customer_id)
            customer = self.customer(person)
            return move(callback, queue=queue, customer=customer, actor="lead", now=now, policy=POLICY)

        self.both(self.picked_open(which), "move", pure)

    @precondition(any_callback)
    @rule(which=PICK)
    def escalates(self, which: int) -> None:
        self.both(
            self.picked_open(which),
            "escalate",
            lambda c, now: escalate(c, actor="lead", now=now, policy=POLICY, reason="r"),
        )

    @precondition(any_callback)
    @rule(which=PICK)
    def withdraws(self, which: int) -> None:
        self.both(
            self.picked_open(which),
            "withdraw",
            lambda c, now: withdraw(c, actor="lead", reason="r", now=now, policy=POLICY),
        )

    @rule(queue=st.sampled_from(QUEUES))
    def pauses_or_resumes(self, queue: str) -> None:
        if queue in self.paused:
            self.work(lambda connection: resume_queue(connection, queue))
        else:
            self.work(lambda connection: pause_queue(connection, queue, by="lead", reason="r"))
        self.paused ^= {queue}

    # What time does

    @rule(seconds=st.integers(1, 1800))
    def time_passes_and_the_timer_is_late(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.set_clock()

    @rule(minutes=st.sampled_from([1, 5, 15, 16, 30, 60, 120, 240, 720, 1440, 4 * 1440]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.set_clock()
        woken = self.run(wake_due(self.engine, POLICY, limit=500))
        assert self.run(wake_due(self.engine, POLICY, limit=500)) == []  # nothing asks to be looked at twice
        due = {id_ for id_, each in self.model.items() if each.wake_at is not None and each.wake_at <= self.now}
        assert {each.callback.id for each in woken} == due
        for id_ in due:
            self.expect(id_, wake(self.model[id_], now=self.now, policy=POLICY), "wake")
        assert self.work(lambda connection: broken(connection, checks=AFTER_THE_TIMER)) == []

    # What is always so

    @invariant()
    def both_are_the_same(self) -> None:
        rows = self.work(all_callbacks)
        assert {row.id: row for row in rows} == self.model
        kept, left = self.work(all_events)
        assert kept == {
            id_: [(each.kind, each.at, each.actor, each.version) for each in events]
            for id_, events in self.happened.items()
        }
        published = {
            id_: [(each.kind, each.state, each.version) for each in events if each.kind.published]
            for id_, events in self.happened.items()
        }
        assert left == published

    @invariant()
    def the_ledger_is_sound(self) -> None:
        assert self.work(lambda connection: broken(connection, attempts=POLICY.attempts.maximum)) == []


def assert_refused(do: Callable[[], Any], refusal: type[Refused]) -> None:
    with pytest.raises(refusal) as refused:
        do()
    assert refused.type is refusal


async def one_row(connection: AsyncConnection, query: Any) -> tuple[int, str]:
    row = (await connection.execute(query)).one()
    return row[0], str(row[1])


async def all_callbacks(connection: AsyncConnection) -> list[Callback]:
    return [read_callback(row) for row in await connection.execute(select(callbacks))]


async def all_events(
    connection: AsyncConnection,
) -> tuple[dict[str, list[tuple[str, datetime, str, int]]], dict[str, list[tuple[str, str, int]]]]:
    """The history of each callback in order, and in its order what leaves the house."""
    kept: dict[str, list[tuple[str, datetime, str, int]]] = {}
    for row in await connection.execute(select(history).order_by(history.c.id)):
        kept.setdefault(row.callback_id, []).append((row.kind, row.at, row.actor, row.version))
    left: dict[str, list[tuple[str, str, int]]] = {}
    for row in await connection.execute(select(outbox).order_by(outbox.c.sequence)):
        kind = row.type.rpartition(".")[2]
        left.setdefault(row.subject, []).append((kind, row.data["state"], row.data["version"]))
    return kept, left


@pytest.mark.timeout(900)
def test_the_moves_and_the_ledger_come_to_the_same_whatever_happens(database_url: str) -> None:
    with asyncio.Runner() as runner:
        engine = runner.run(opened(database_url))

        class Machine(ModelAndLedger):
            pass

        Machine.url, Machine.runner, Machine.engine = database_url, runner, engine
        try:
            run_state_machine_as_test(Machine, settings=ABOUT_200_STEPS)
        finally:
            runner.run(engine.dispose())


async def opened(url: str) -> AsyncEngine:
    connection = await asyncpg.connect(url)
    await connection.execute(STILL_CLOCK)
    await connection.close()
    return open_engine(url, pool_size=2)


# What the machine found, or what it meets too seldom to be left to chance


async def test_when_every_answer_behind_a_callback_was_bettered_nobody_phones(database_url: str) -> None:
    engine = open_engine(database_url)
    bad = [answer("ann", 1, START, offset=each, response=f"r{each}") for each in (0, 1)]
    await ingest_batch(engine, bad, POLICY)
    for each in (0, 1):
        later = START + timedelta(minutes=1 + each)
        await ingest_batch(engine, [answer("ann", 5, later, offset=2 + each, response=f"r{each}")], POLICY)
    async with transaction(engine) as connection:
        [callback] = await all_callbacks(connection)
    assert callback.closed_reason is ClosedReason.RERATED
    await engine.dispose()


async def test_a_customers_first_bad_answer_is_not_its_own_repeat(database_url: str) -> None:
    engine = open_engine(database_url)
    [opened] = (await ingest_batch(engine, [answer("ann", 1, START, offset=0)], shipped_policy())).moved
    assert opened.callback.reasons == ("rated_1",)
    [joined] = (await ingest_batch(engine, [answer("ann", 1, START, offset=1)], shipped_policy())).moved
    assert joined.callback.reasons == ("rated_1", "repeat_within_30_days")
    await engine.dispose()


async def test_nobody_reopens_the_callback_of_a_customer_who_opted_out_later(database_url: str) -> None:
    engine = open_engine(database_url)
    [moved] = (await ingest_batch(engine, [answer("ann", 1, START, offset=0)], POLICY)).moved
    id_, find = moved.callback.id, select(customers.c.ref)
    async with transaction(engine) as connection:
        await apply(connection, id_, lambda c, now: expire(c, now=now, policy=POLICY))
        ref = str((await connection.execute(find)).scalar_one())
        await opt_out(connection, ref, actor="lead", policy=POLICY)
    with pytest.raises(DoNotCall):
        async with transaction(engine) as connection:
            await reopen_callback(connection, id_, actor="lead", reason=None, policy=POLICY)
    await engine.dispose()
