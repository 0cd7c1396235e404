"""A front door to knock at: the app over a database of one's own, clients with keys, and customers with grievances."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import httpx
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Address, Answer, DeadLettered
from alerts.callback import Transition
from alerts.errors import Unavailable
from alerts.ledger.access.keys import create_key
from alerts.ledger.callbacks.queues import ensure_queues
from alerts.ledger.callbacks.timers import wake_due
from alerts.ledger.connection.direct import DirectConnection, Statement
from alerts.ledger.database import transaction
from alerts.ledger.intake.batch import ingest_batch
from alerts.ledger.reading.dead_letters import DeadLetter, mark_redriven
from alerts.policy import Policy, shipped_policy
from alerts.survey import Interaction, Respondent, SurveyResponse
from app.api.app import create_app
from app.api.dependencies import ApiDependencies, OutRecord
from app.metrics import Metrics
from consumers.intake.rehearsal import Rehearsal, Rehearsed, summary_of
from consumers.sources.catalogue import load_catalogue
from tests.parts.clock import Clock
from tests.parts.reconcile import check_page
from tests.parts.scan import heard

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday; 12:00 in London, 21:00 in Tokyo
SECRET = b"a secret of this story"

# Personal data that must never turn up where it does not belong.
NAME, PHONE, EMAIL = "Zebedee Quillfeather", "+442079463367", "zebedee.q@example.org"
COMMENT = "My canary died because nobody rang"
CANARIES = (NAME, "Zebedee", PHONE, PHONE[3:], EMAIL, COMMENT)


class Front:
    """`sent`, `announced` and `observed` hold what left by each door."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        *,
        numbers: Iterator[int] | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.policy = policy or shipped_policy()
        self.sent: list[OutRecord] = []
        self.announced: list[Transition] = []
        self.metrics = Metrics()
        self.counts_all = True  # all that is in the ledger came by way of this front
        self.observed: list[tuple[str, int]] = []
        self.redriven: list[tuple[list[int], str]] = []
        self.kafka_is_away = False
        self.missing: list[str] = []
        self.stopping = asyncio.Event()
        self._numbers = numbers or itertools.count(1)
        self._clients: list[httpx.AsyncClient] = []
        self.app = create_app(self.parts())

    def parts(self, **changes: Any) -> ApiDependencies:
        parts: dict[str, Any] = {
            "engine": self.engine,
            "policy": self.policy,
            "catalogue": load_catalogue(),
            "announce": self._announce,
            "survey_topic": "survey.responses",
            "send": self._send,
            "redrive": self._redrive,
            "rehearse": self._rehearse,
            "doors": {},
            "observe_webhook": self.metrics.webhooks.observe,
            "observe_http": lambda route, status, seconds: self.observed.append((route, status)),
            "metrics_page": lambda accept: (b"# EOF\n", "text/plain; version=0.0.4"),
            "not_ready": self._not_ready,
            "stopping": self.stopping,
            "secret_key": SECRET,
            "rate_limit": 0,
            "metrics_protected": False,
            "public_url": None,
            "version": "0.0.0",
        }
        return ApiDependencies(**{**parts, **changes})

    def rebuild(self, **changes: Any) -> None:
        """The same house with other parts; clients made from now on knock there."""
        self.counts_all &= "announce" not in changes
        self.app = create_app(self.parts(**changes))

    def _announce(self, moved: Sequence[Transition]) -> None:
        self.announced.extend(moved)
        self.metrics.callbacks.announce(moved)

    async def _send(self, records: Sequence[OutRecord]) -> None:
        self._ask_kafka()
        self.sent.extend(records)

    def _ask_kafka(self) -> None:
        if self.kafka_is_away:
            raise Unavailable("Kafka did not acknowledge")

    async def _redrive(self, letters: Sequence[DeadLetter], by: str) -> int:
        self._ask_kafka()
        self.redriven.append(([each.id for each in letters], by))
        for each in letters:
            await mark_redriven(self.engine, each.id, by)
        return len(letters)

    async def _rehearse(self, letters: Sequence[DeadLetter]) -> Rehearsal:
        self._ask_kafka()
        return summary_of([Rehearsed(each.id, "read" if each.field == "rating" else each.reason) for each in letters])

    async def _not_ready(self) -> list[str]:
        return self.missing

    def stranger(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(
            transport=transport,
            base_url="http://front",
            headers=headers,
            timeout=30,
            event_hooks={"response": [_hear]},
        )
        self._clients.append(client)
        return client

    async def key(self, *scopes: str, name: str | None = None, **more: Any) -> httpx.AsyncClient:
        """A client that knocks with a key of its own."""
        name = name or f"key-{next(self._numbers)}"
        _, secret = await create_key(self.engine, name=name, scopes=scopes, **more)
        return self.stranger(Authorization=f"Bearer {secret}")

    async def advisor(self, name: str = "ann") -> httpx.AsyncClient:
        return await self.key("callbacks:work", name=f"{name}-{next(self._numbers)}", advisor=name)

    async def lead(self, name: str = "lea") -> httpx.AsyncClient:
        return await self.key("callbacks:lead", name=f"{name}-{next(self._numbers)}", advisor=name)

    async def close(self, database: str | None = None) -> None:
        """`database`: the address of the ledger, where what was counted shall be what it holds."""
        for client in self._clients:
            await client.aclose()
        await self.engine.dispose()
        page = self.metrics.registry.page(None)[0].decode()
        heard(page, "the metrics page")
        if database is not None:
            check_page(page, database, is_all=self.counts_all)
        assert self.metrics.registry.collectors.get_sample_value("bottombox_uncounted_total") == 0, (
            "an event lacks what is counted"
        )

    # the world outside

    async def bad_answer(self, customer: str | None = None, *, rating: int = 1, **more: Any) -> Transition:
        """One bottom-box answer of one customer; the callback it opened or joined."""
        moved = await self.answers([self.answer(customer, rating=rating, **more)])
        return moved[0]

    async def answers(self, answers: Sequence[Answer | DeadLettered]) -> list[Transition]:
        async with transaction(self.engine) as connection:
            await ensure_queues(connection, self.policy.queue_names)
        report = await ingest_batch(self.engine, answers, self.policy)
        self.metrics.intake.batch(report, await self.clock.now())
        return report.moved

    async def wake(self) -> None:
        """What has fallen due, as the worker does."""
        while moved := await wake_due(self.engine, self.policy):
            self.metrics.callbacks.announce(moved)

    def answer(
        self,
        customer: str | None = None,
        *,
        rating: int = 1,
        zone: str | None = "Europe/London",
        answered_at: datetime = NOON - timedelta(hours=1),
        interaction: str | None = None,
        source: str = "cloudevents",
        **facts: Any,
    ) -> Answer:
        number = next(self._numbers)
        about: dict[str, Any] = {"name": NAME, "phone": PHONE, "email": EMAIL, "country": "GB", "language": "en"}
        response = SurveyResponse(
            event_source="/surveys",
            event_id=f"event-{number}",
            source=source,
            response_id=f"response-{number}",
            rating=rating,
            comment=COMMENT,
            answered_at=answered_at,
            revised_at=answered_at,
            customer=Respondent(id=customer or f"customer-{number}", time_zone=zone, **{**about, **facts}),
            interaction=Interaction(id=interaction),
            attributes={"note": COMMENT},
        )
        digest = hashlib.sha256(repr(response).encode()).digest()
        return Answer(Address("surveys", 0, number, NOON), response, digest, digest)

    async def sql(self, query: str, **parameters: Any) -> list[Any]:
        async with transaction(self.engine) as connection:
            return list((await connection.execute(text(query), parameters)).all())

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """What the front door asks of the database meanwhile."""
        asked: list[str] = []

        def note(connection: object, cursor: object, statement: str, *_: object) -> None:
            asked.append(statement)

        fetch = DirectConnection.fetch

        async def fetch_and_note(
            connection: DirectConnection, statement: Statement, given: Mapping[str, Any]
        ) -> Sequence[Mapping[str, Any]]:
            asked.append(statement.sql)
            return await fetch(connection, statement, given)

        event.listen(self.engine.sync_engine, "before_cursor_execute", note)
        try:
            with patch.object(DirectConnection, "fetch", fetch_and_note):
                yield asked
        finally:
            event.remove(self.engine.sync_engine, "before_cursor_execute", note)

    async def run(self, statement: str, **parameters: Any) -> None:
        self.counts_all = False
        async with transaction(self.engine) as connection:
            await connection.execute(text(statement), parameters)


async def _hear(response: httpx.Response) -> None:
    """No error says who a customer is, whoever asks."""
    if response.is_error:
        heard((await response.aread()).decode(errors="replace"), f"an answer {response.status_code}")


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The document, once it is shown to be one of ours."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "instance", "code"} <= body.keys()
    assert (body["status"], body["code"]) == (status, code), body
    assert body["type"] == f"urn:bottombox:problem:{code}"
    assert body["instance"].startswith("urn:uuid:")
    assert not leaks(response), response.text
    return body


def leaks(response: httpx.Response) -> list[str]:
    """Personal data of the seeded customers that this answer holds."""
    whole = response.text + repr(response.headers)
    return [canary for canary in CANARIES if canary in whole]


def good(response: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, (response.status_code, response.text)
    body: dict[str, Any] = response.json()
    return body
