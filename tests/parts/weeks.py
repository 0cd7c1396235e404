"""Weeks of answers, and of people who work on what comes of them, within seconds: only the ledger's clock jumps."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.parts.clock import Clock
from tests.parts.town import Town, answer, eventually

CUSTOMERS, NOTE = "customer-", "settled over the phone"
"""What stands in the ledger and must not be seen from outside."""

_SEED = 20_261_126
_RATINGS = {1: 12, 2: 8, 3: 15, 4: 30, 5: 35}
_RESULTS = {"connected": 60, "no_answer": 20, "voicemail": 15, "busy": 5}
_CAUSES = {
    ("operations", "delivery"): 30,
    ("operations", "billing"): 22,
    ("operations", "outage"): 12,
    ("skill", "knowledge"): 18,
    ("skill", "courtesy"): 10,
    ("skill", "listening"): 8,
}
_OUTCOMES = {"recovered": 60, "partly_recovered": 22, "not_recovered": 18}
_DUE = "SELECT count(*) FROM callbacks WHERE wake_at <= ledger_now()"


class Weeks:
    """`http` is where the API is, `key` the header of an advisor who may claim what there is."""

    def __init__(self, town: Town, clock: Clock, http: str, key: dict[str, str]) -> None:
        self._town, self._clock = town, clock
        self._http = httpx.AsyncClient(base_url=f"{http}/v1", headers=key, timeout=30)
        self._dice = random.Random(_SEED)
        self._sent = 0

    async def live(self, weeks: int, answers: int) -> None:
        """So many weeks, the last of them this one, with so many answers each; then the clock is right again."""
        now = datetime.now(UTC)
        this = (now - timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
        async with self._http:
            for before in reversed(range(weeks)):
                await self._clock.set(this - timedelta(weeks=before))
                await self._woken()
                await self._hear(answers)
                for _ in range(2):
                    await self._work_on_all()
                    await self._pass_time(150)
        await self._clock.set(datetime.now(UTC))
        await self._woken()

    async def _hear(self, count: int) -> None:
        """Answers of this moment, one of them twice, and two records that nobody can read."""
        now = (await self._clock.now()).isoformat()
        before = await self._town.accounted()
        said = [self._answer(now) for _ in range(count)]
        await self._town.send([*said, said[0]])
        await self._town.send_raw([b"{", b'{"rating": true}'])
        await eventually(self._town.accounted, lambda done: done == before + count + 3)

    def _answer(self, now: str) -> dict[str, Any]:
        self._sent += 1
        customer = f"{CUSTOMERS}{self._dice.randrange(2000)}"
        said = answer(f"w{self._sent}", _pick(self._dice, _RATINGS), customer=customer, answered_at=now)
        return {**said, "time": now}

    async def _work_on_all(self) -> None:
        """Until nobody waits who may be called now."""
        await self._woken()
        while (claimed := await self._http.post("/callbacks/claim", json={})).status_code == httpx.codes.OK:
            await self._work_on(claimed.json())
        assert claimed.status_code == httpx.codes.NO_CONTENT, claimed.text

    async def _work_on(self, callback: dict[str, Any]) -> None:
        luck = self._dice.random()
        if luck < 0.05:
            await self._post(callback, "skip", reason="break")
            return
        await self._pass_time(self._dice.randint(1, 9))
        if luck < 0.15 and callback["promise"] is None:
            at = await self._clock.now() + timedelta(minutes=self._dice.randint(60, 140))
            await self._post(callback, "schedule", at=at.isoformat(), keep_owner=False)
            return
        result = _pick(self._dice, _RESULTS)
        if await self._post(callback, "attempts", result=result) and result == "connected":
            kind, driver = _pick(self._dice, _CAUSES)
            done = {
                "cause": {"kind": kind, "driver": driver},
                "outcome": _pick(self._dice, _OUTCOMES),
                "note": NOTE,
            }
            await self._post(callback, "resolve", **done)

    async def _post(self, callback: dict[str, Any], what: str, **body: Any) -> bool:
        """Whether it was done: the last step of an escalation, in the time that has passed, takes the callback back."""
        token = callback["lease"]["token"]
        done = await self._http.post(f"/callbacks/{callback['id']}/{what}", json={"lease_token": token, **body})
        if done.status_code == httpx.codes.CONFLICT and done.json()["type"].endswith(":lease-lost"):
            return False
        assert done.is_success, f"{what}: {done.text}"
        return True

    async def _pass_time(self, minutes: int) -> None:
        await self._clock.advance(timedelta(minutes=minutes))

    async def _woken(self) -> None:
        """Until the worker has looked at everything that is due."""

        async def due() -> int:
            return int(await self._town.value(_DUE))

        await eventually(due, lambda count: count == 0)


def _pick(dice: random.Random, weights: dict[Any, int]) -> Any:
    return dice.choices(list(weights), list(weights.values()))[0]
