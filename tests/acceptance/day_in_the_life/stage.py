"""The stage of the day in the life: one running service, its clock, its people, the way in over Kafka."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.day_in_the_life.people import Advisor, Lead, Platform, new_key, time
from tests.parts.clock import Clock
from tests.parts.service import Service
from tests.parts.town import Town, eventually

PATIENCE = 30.0  # seconds
DAYS = {"Sat": 27, "Sun": 28, "Mon": 29}
Samples = dict[tuple[str, str], float]
Standing = tuple[int, int, int, int]
"""waiting, of these ready, leased, scheduled"""


def moment(when: str) -> datetime:
    """`Sat 08:50` is Saturday, 27 March 2027, 08:50 UTC."""
    day, _, hands = when.partition(" ")
    hour, minute = map(int, hands.split(":"))
    return datetime(2027, 3, DAYS[day], hour, minute, tzinfo=UTC)


@dataclass
class Day:
    town: Town
    clock: Clock
    service: Service
    ann: Advisor
    ben: Advisor
    cho: Advisor
    lea: Lead
    platform: Platform
    sent: int = 0
    now: datetime = field(default_factory=lambda: moment("Sat 08:45"))

    @classmethod
    @asynccontextmanager
    async def begin(cls, town: Town, clock: Clock) -> AsyncIterator[Day]:
        """Ann and Ben share queues and differ in languages, Cho has one of her own, Lea leads."""
        await clock.set(moment("Sat 08:45"))
        keys = await asyncio.gather(
            asyncio.to_thread(
                new_key, town.env, "ann", "callbacks:work", queues=["general", "billing"], languages=["en"]
            ),
            asyncio.to_thread(new_key, town.env, "ben", "callbacks:work", queues=["general"], languages=["en", "hi"]),
            asyncio.to_thread(new_key, town.env, "cho", "callbacks:work", queues=["premium"]),
            asyncio.to_thread(new_key, town.env, "lea", "callbacks:lead"),
            asyncio.to_thread(new_key, town.env, "platform", "events:ingest", advisor=False),
        )
        with Service.start("run", town.env) as service:
            at = service.http
            ann, ben, cho = (Advisor(at, key) for key in keys[:3])
            lea, platform = Lead(at, keys[3]), Platform(at, keys[4])
            try:
                yield cls(town, clock, service, ann, ben, cho, lea, platform)
            finally:
                for each in (ann, ben, cho, lea, platform):
                    await each.client.aclose()

    async def at(self, when: str) -> datetime:
        """Puts the clock there. It goes on ticking, so scenes are short and the next one begins minutes later."""
        self.now = moment(when)
        assert await self.clock.now() < self.now, f"this machine is too slow for the scene before {when}"
        await self.clock.set(self.now)
        return self.now

    async def hears(self, answers: Iterable[dict[str, Any]]) -> None:
        """Answers arrive over Kafka, their records as old as the story's clock, and are all accounted for."""
        values = [json.dumps(answer).encode() for answer in answers]
        self.sent += len(values)
        await self.town.send_raw(values, timestamp_ms=int(self.now.timestamp() * 1000))
        await eventually(self.accounted, lambda done: done == self.sent, within=PATIENCE)

    async def accounted(self) -> int:
        return sum((await self.outcomes()).values())

    async def outcomes(self) -> dict[str, int]:
        """Where all records but canaries ended; none is lost or counted twice."""
        found: dict[str, int] = {}
        for row in (await self.lea.get("/ledger"))["items"]:
            assert row["difference"] == 0, row
            for outcome, count in row["outcomes"].items():
                found[outcome] = found.get(outcome, 0) + count
        return {outcome: count for outcome, count in found.items() if count and outcome != "canary"}

    async def is_callable(self, name: str, opens: str, closes: str, reason: str | None = None) -> None:
        """From and until exactly then; `reason` in words, if given."""
        callback = await self.lea.callback(name)
        found = (time(callback["callable_from"]), time(callback["callable_until"]))
        assert found == (moment(opens), moment(closes)), (name, found)
        assert reason in (None, callback["callable_reason"])

    async def stands(self, **expected: Standing) -> None:
        """Waits until the queues named stand like that."""
        await eventually(self._standing, lambda found: expected.items() <= found.items(), within=PATIENCE)

    async def _standing(self) -> dict[str, Standing]:
        queues = (await self.lea.get("/queues"))["items"]
        return {each["name"]: (each["waiting"], each["ready"], each["leased"], each["scheduled"]) for each in queues}

    async def counted(self, name: str, expected: dict[str, float]) -> None:
        """Waits until a counter has come so far; what is not named is 0."""

        async def ask() -> dict[str, float]:
            return counted(await self.samples(), name)

        await eventually(ask, lambda found: found == expected, within=PATIENCE)

    async def escalated(self, **expected: tuple[int, int, int]) -> None:
        """Waits until so many steps were taken: to the owner, the lead, the manager."""
        steps = {
            f"{queue}/{step}": float(count)
            for queue, counts in expected.items()
            for step, count in zip(("owner", "lead", "manager"), counts, strict=True)
            if count
        }
        await self.counted("escalations_total", steps)

    async def samples(self) -> Samples:
        """Every sample of the metrics page: (name without prefix, its labels' values in the order of their names) -> value."""
        async with httpx.AsyncClient() as client:
            page = (await client.get(f"{self.service.http}/metrics")).text
        return {
            (each.name.removeprefix("bottombox_"), _labels(each.labels)): each.value
            for family in text_string_to_metric_families(page)
            for each in family.samples
        }


def _labels(labels: dict[str, str]) -> str:
    """`callable/60.0/general`; large bounds of buckets are written 1.2096e+06 on the page."""
    return "/".join(str(float(labels[name])) if name == "le" else labels[name] for name in sorted(labels))


def counted(samples: Samples, name: str) -> dict[str, float]:
    """What is not zero of one metric."""
    return {labels: value for (found, labels), value in samples.items() if found == name and value}


def answer(event: str, rating: int, at: datetime, customer: dict[str, Any], **data: Any) -> dict[str, Any]:
    """A survey answer as a structured CloudEvent, given at `at`."""
    return {
        "specversion": "1.0",
        "type": "survey.response.submitted.v1",
        "source": "/stories",
        "id": event,
        "time": at.isoformat(),
        "data": {"rating": rating, "answered_at": at.isoformat(), "customer": customer, **data},
    }


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
