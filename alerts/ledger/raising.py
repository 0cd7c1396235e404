"""What the answers of a batch do to the callbacks of its customers: open, join, reopen, supersede.

Reads everything first, with the customers locked; then decides in memory, in the order in which the answers came.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import OPEN_STATES, SYSTEM, Callback, ClosedReason, Moved, State
from alerts.ledger.customers import Known
from alerts.ledger.database import ledger_now
from alerts.ledger.ids import new_id
from alerts.ledger.moves import read_callback
from alerts.ledger.responses import Identity, last_bottom_boxes
from alerts.ledger.tables import alerts, callbacks, responses
from alerts.moves import Subject, join, open_callback, reopen, supersede
from alerts.outcomes import Answer
from alerts.phone import judge
from alerts.policy import Policy
from alerts.routing import route
from alerts.scale import Box, box_of
from alerts.scoring import Verdict, points_of, score
from alerts.survey import Customer, SurveyResponse
from alerts.window import place_of


class BatchCallbacks:
    """The callbacks of the customers in a batch, and what its answers do to them."""

    def __init__(self, connection: AsyncConnection, policy: Policy, now: datetime) -> None:
        self.connection = connection
        self.policy = policy
        self.now = now
        self.bad: list[tuple[Answer, Known]] = []  # bottom-box answers, and better ones that replace them
        self.raised: list[tuple[SurveyResponse, Verdict, str]] = []
        self._open: dict[int, str] = {}  # customer -> callback
        self._moved: dict[str, Moved] = {}  # callback -> what this batch has made of it
        self._stored: set[str] = set()
        self._ended: dict[int, Callback] = {}  # customer -> resolved not long ago
        self._answers: dict[str, set[Identity]] = {}  # callback -> the answers that are its alerts
        self._last: dict[int, datetime] = {}

    def changed(self) -> list[Moved]:
        return [moved for key, moved in self._moved.items() if key in self._stored and moved.events]

    def opened(self) -> list[Moved]:
        return [moved for key, moved in self._moved.items() if key not in self._stored]

    async def decide(self) -> None:
        """Applies every answer, in the order in which they came."""
        await self._read(sorted({customer.id for _, customer in self.bad}))
        for answer, customer in self.bad:
            response = answer.response
            if box_of(points_of(response, self.policy)) is Box.BOTTOM:
                self._raise(response, customer)
            else:
                self._rerate(response, customer)

    async def _read(self, customer_ids: Sequence[int]) -> None:
        self._last = await last_bottom_boxes(self.connection, customer_ids)
        query = (
            select(callbacks)
            .where(callbacks.c.customer_id.in_(customer_ids), callbacks.c.state.in_(OPEN_STATES))
            .order_by(callbacks.c.id)
            .with_for_update()
        )
        for row in await self.connection.execute(query):
            callback = read_callback(row)
            self._open[callback.customer_id] = callback.id
            self._moved[callback.id] = Moved(callback=callback)
            self._stored.add(callback.id)
        await self._read_alerts()
        if self.policy.again.days:
            await self._read_ended(customer_ids)
        self.now = await ledger_now(self.connection)  # after the last lock

    async def _read_alerts(self) -> None:
        if not self._stored:
            return
        better = responses.alias("better")
        replaced = exists().where(
            better.c.event_source == responses.c.event_source,
            better.c.response_id == responses.c.response_id,
            better.c.box != Box.BOTTOM,
            tuple_(better.c.revised_at, better.c.event_id) > tuple_(responses.c.revised_at, responses.c.event_id),
        )
        query = (
            select(alerts.c.callback_id, responses.c.event_source, responses.c.response_id)
            .join(responses, responses.c.id == alerts.c.response_id)
            .where(alerts.c.callback_id.in_(self._stored), ~replaced)
        )
        for row in await self.connection.execute(query):
            self._answers.setdefault(row.callback_id, set()).add((row.event_source, row.response_id))

    async def _read_ended(self, customer_ids: Sequence[int]) -> None:
        """The latest of each customer that was resolved within the policy's days; their customers are locked."""
        since = self.now - timedelta(days=self.policy.again.days)
        query = (
            select(callbacks)
            .ext(distinct_on(callbacks.c.customer_id))
            .where(
                callbacks.c.customer_id.in_(customer_ids),
                callbacks.c.state == State.RESOLVED,
                callbacks.c.ended_at >= since,
            )
            .order_by(callbacks.c.customer_id, callbacks.c.ended_at.desc())
        )
        self._ended = {row.customer_id: read_callback(row) for row in await self.connection.execute(query)}

    def _raise(self, response: SurveyResponse, customer: Known) -> None:
        last = self._last.get(customer.id)
        verdict = score(response, self.policy, last)
        self._last[customer.id] = max(response.answered_at, last or response.answered_at)
        subject = self._subject(response, customer, verdict, last)
        callback_id = self._open.get(customer.id) or self._reopened(customer.id)
        if callback_id is None:
            callback_id = new_id(self.now)
            ended = self._ended.get(customer.id)
            previous = None if ended is None else ended.id
            moved = open_callback(subject, id=callback_id, previous_id=previous, now=self.now, policy=self.policy)
        else:
            before = self._moved[callback_id]
            moved = before.then(join(before.callback, subject, now=self.now, policy=self.policy))
        self._moved[callback_id] = moved
        self._open[customer.id] = callback_id
        self._answers.setdefault(callback_id, set()).add((response.event_source, response.response_id))
        self.raised.append((response, verdict, callback_id))

    def _reopened(self, customer_id: int) -> str | None:
        """The customer's last callback, begun again, when the policy wants that."""
        ended = self._ended.get(customer_id)
        if ended is None or self.policy.again.then != "reopen":
            return None
        self._stored.add(ended.id)
        self._moved[ended.id] = reopen(ended, actor=SYSTEM, now=self.now, policy=self.policy)
        return ended.id

    def _rerate(self, response: SurveyResponse, customer: Known) -> None:
        """A better revision: the callback is needless when no other bad answer stands behind it."""
        callback_id = self._open.get(customer.id)
        behind = self._answers.get(callback_id or "", set())
        behind.discard((response.event_source, response.response_id))
        if callback_id is None or behind:
            return
        before = self._moved[callback_id]
        after = supersede(before.callback, ClosedReason.RERATED, now=self.now, policy=self.policy)
        self._moved[callback_id] = before.then(after)
        if not after.callback.is_open:
            del self._open[customer.id]

    def _subject(self, response: SurveyResponse, customer: Known, verdict: Verdict, last: datetime | None) -> Subject:
        queue, priority = route(response, verdict, self.policy, last)
        number = judge(customer.phone, customer.country)
        facts = Customer(time_zone=customer.time_zone, country=customer.country)
        status = "bad" if customer.number_status == "bad" else number.status
        if status == "none" and "bad_number" in response.flags:
            status = "bad"
        return Subject(
            customer_id=customer.id,
            customer_ref=customer.ref,
            source=response.source,
            language=customer.language,
            answered_at=response.answered_at,
            queue=queue,
            priority=priority,
            verdict=verdict,
            place=place_of(facts, number, self.policy.queue(queue).zone),
            number_status=status,
        )
