"""Whatever customers, senders, advisors and leads have put into a callback: claims, timers and readers go on."""

from __future__ import annotations

import random
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from alerts.result import Result
from tests.integration.api.front import NOON, Front, good
from tests.parts.effort import times

MOMENTS = (
    *(datetime(year, 1, 3, tzinfo=UTC) for year in (1, 2, 1601, 1900, 1970, 2000, 9999)),
    *(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
    *(NOON, NOON + timedelta(minutes=5), NOON - timedelta(days=400), NOON - timedelta(microseconds=1)),
)
ZONES = (*sorted(zoneinfo.available_timezones()), None)
PHONES = ("+442079463367", "+18005550123", "+56912345678", "+79161234567", "911", "+266696687", "not a number", None)
COUNTRIES = ("GB", "US", "RU", "CL", "AQ", "XX", None)
LANGUAGES = ("en", "pt-br", "x" * 300, "en_US", "\N{SNOWMAN}", None)
NAMES = ("ann", "'; --", '{"a": 1}', "\N{RIGHT-TO-LEFT OVERRIDE}nna", "a" * 200, "ann.x:y", "%s", "\N{GRINNING FACE}")
REASONS = ("language", "'", "\N{GRINNING FACE}" * 400, "x" * 2000)
ADVANCES = (1, 60, 3_600, 20_000, 86_400, 4 * 86_400)


class Life:
    """What may happen to callbacks by anybody's hand, over REST; no answer is a 500."""

    def __init__(self, front: Front, dice: random.Random) -> None:
        self.front = front
        self.dice = dice
        self.hands: dict[str, httpx.AsyncClient] = {}
        self.urls: list[str] = []
        self.tokens: dict[str, str] = {}

    async def begin(self) -> None:
        for number, name in enumerate(NAMES):
            self.hands[name] = await self.front.key("callbacks:lead", name=f"hand-{number}", advisor=name)

    async def answer(self) -> None:
        said = self.front.answer(
            f"customer-{self.dice.randrange(8)}",
            rating=self.dice.choice((1, 1, 2, 5)),
            zone=self.dice.choice(ZONES),
            answered_at=self.dice.choice(MOMENTS),
            phone=self.dice.choice(PHONES),
            country=self.dice.choice(COUNTRIES),
            language=self.dice.choice(LANGUAGES),
        )
        for moved in await self.front.answers([said]):
            url = f"/v1/callbacks/{moved.callback.id}"
            self.urls += [] if url in self.urls else [url]

    async def ask(self, path: str, **body: Any) -> httpx.Response:
        response = await self.dice.choice(list(self.hands.values())).post(path, json=body)
        assert response.status_code < 500, (path, body, response.text)
        return response

    async def claim(self) -> None:
        claimed = await self.ask("/v1/callbacks/claim", lease_seconds=3600)
        assert claimed.status_code in (200, 204, 409), claimed.text  # 409: this one holds enough
        if claimed.status_code == 200:
            self.tokens[f"/v1/callbacks/{claimed.json()['id']}"] = claimed.json()["lease"]["token"]

    async def work(self) -> None:
        """Somebody who holds one, or has held one, does something with it."""
        if not self.tokens:
            return
        url = self.dice.choice(list(self.tokens))
        now, held = await self.front.clock.now(), {"lease_token": self.tokens[url]}
        off = timedelta(minutes=self.dice.uniform(-7, 7))
        tried = {"result": self.dice.choice(list(Result)), "started_at": (now + off).isoformat()}
        ahead = (now + timedelta(hours=self.dice.uniform(0, 400))).isoformat()
        work: list[tuple[str, dict[str, Any]]] = [
            *[("attempts", tried)] * 4,
            ("skip", {"reason": self.dice.choice(REASONS)}),
            ("release", {"reason": self.dice.choice(REASONS)}),
            ("schedule", {"at": ahead, "keep_owner": self.dice.random() < 0.5}),
            ("extend", {}),
            ("resolve", {"cause": {"kind": "skill", "driver": "other"}, "outcome": "recovered"}),
        ]
        verb, body = self.dice.choice(work)
        await self.ask(f"{url}/{verb}", **held, **body)

    async def lead(self) -> None:
        if not self.urls:
            return
        url, now = self.dice.choice(self.urls), await self.front.clock.now()
        ahead = (now + timedelta(hours=self.dice.uniform(0, 400))).isoformat()
        work: list[tuple[str, dict[str, Any]]] = [
            ("assign", {"advisor": self.dice.choice(NAMES)}),
            ("schedule", {"at": ahead, "keep_owner": True}),
            ("escalate", {"reason": self.dice.choice(REASONS)}),
            ("reopen", {"reason": self.dice.choice(REASONS)}),
            ("notes", {"note": self.dice.choice(REASONS)}),
            ("claim", {}),
        ]
        verb, body = self.dice.choice(work)
        await self.ask(f"{url}/{verb}", **body)

    async def time(self) -> None:
        await self.front.clock.advance(timedelta(seconds=self.dice.choice(ADVANCES)))
        await self.front.wake()


@pytest.mark.parametrize("seed", range(times(40)))
async def test_nothing_that_can_be_stored_stops_a_claim_a_timer_or_a_reader(
    front: Front, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    life = Life(front, random.Random(seed))
    await life.begin()
    for _ in range(6):
        await life.answer()
    for _ in range(60):
        step = life.dice.choice([life.answer, life.claim, life.claim, life.work, life.work, life.lead, life.time])
        await step()
    reader = await front.key("callbacks:read")
    for url in life.urls:
        good(await reader.get(url))
    good(await reader.get("/v1/callbacks?limit=200"))
    good(await reader.get("/v1/queues"))
    assert [record.getMessage() for record in caplog.records if "put off" in record.getMessage()] == []
