"""Takes Kafka records to a real ledger as the consumer does, and claims over REST what comes of them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from alerts.policy import read_policy
from consumers.intake.record import Record
from tests.integration.api.front import NOON, Front, good
from tests.parts.desk import Desk

LONDON = "+442079463367"
JUST_NOW = "2026-11-24T11:00:00Z"
_IDS = itertools.count(1)


def event(id: str | None = None, *, time: str | None = None, source: str = "/surveys", **data: Any) -> dict[str, Any]:
    """A bottom-box answer of a customer of its own, in structured mode; `data` says what is different."""
    name = f"e-{next(_IDS)}" if id is None else id
    answer = {"rating": 1, "answered_at": JUST_NOW, "customer": {"id": f"customer of {name}", "phone": LONDON}}
    envelope = {"specversion": "1.0", "type": "survey.response.submitted.v1", "source": source, "id": name}
    return {**envelope, **({"time": time} if time else {}), "data": {**answer, **data}}


class Post(Desk):
    """`front` is the door at which advisors knock; both ends work on one ledger, under one policy."""

    def __init__(self, front: Front, url: str) -> None:
        super().__init__(front.engine, url)
        self.front = front
        self._offsets = itertools.count()

    def rule(self, policy: str) -> None:
        self.front.policy = self.intake.policy = read_policy(policy, file="policy.yaml")
        self.front.rebuild()

    def record(
        self,
        value: Any,
        headers: Sequence[tuple[str, bytes | None]] = (),
        timestamp_ms: int = int(NOON.timestamp() * 1000),
    ) -> Record:
        body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        return Record("surveys", 0, next(self._offsets), timestamp_ms, None, body, tuple(headers))

    async def deliver(self, *records: Record) -> None:
        async for taken in self.intake.take(records, NOON, asyncio.Event()):
            self.front.metrics.intake.batch(taken.report, NOON)

    async def say(self, *events: dict[str, Any]) -> None:
        """One record each, in one poll."""
        await self.deliver(*(self.record(each) for each in events))

    async def outcome(self, event_id: str) -> str:
        found: str = await self.value("SELECT outcome FROM responses WHERE event_id = $1", event_id)
        return found

    @property
    def set_aside(self) -> list[str]:
        """The reasons of the dead letters, in order."""
        headers = [dict(letter.headers) for letter in self.shelf.kept]
        return [(each["bottombox-reason"] or b"").decode() for each in headers]

    async def callbacks(self) -> int:
        found: int = await self.value("SELECT count(*) FROM callbacks")
        return found

    async def claim(self, client: httpx.AsyncClient | None = None) -> dict[str, Any] | None:
        """What an advisor who speaks everything is given, in full; None when there is nothing to call."""
        client = client or await self.front.advisor()
        response = await client.post("/v1/callbacks/claim", json={})
        return None if response.status_code == 204 else good(response)

    async def the_callback(self) -> dict[str, Any]:
        """The only one, as a lead reads it."""
        lead = await self.front.lead()
        (item,) = good(await lead.get("/v1/callbacks"))["items"]
        return good(await lead.get(f"/v1/callbacks/{item['id']}"))

    async def at(self, moment: str) -> None:
        await self.front.clock.set(datetime.fromisoformat(moment))

    async def later(self, **span: float) -> None:
        await self.front.clock.advance(timedelta(**span))
