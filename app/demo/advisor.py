"""An advisor who works callbacks over the public REST API, as a person with a console would, only made up."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any

import httpx

from consumers.loop import wait_or_stop

logger = logging.getLogger(__name__)

CAUSES = {
    ("operations", "delivery"): 30,
    ("operations", "billing"): 24,
    ("operations", "outage"): 14,
    ("operations", "process"): 8,
    ("skill", "ownership"): 10,
    ("skill", "knowledge"): 8,
    ("skill", "listening"): 6,
}
OUTCOMES = {"recovered": 60, "partly_recovered": 25, "not_recovered": 15}
RESULTS = {"connected": 65, "no_answer": 18, "voicemail": 12, "busy": 5}
CALL_SECONDS, REST_SECONDS = (2.0, 6.0), (1.0, 4.0)
WAIT_SECONDS = 5


class Advisor:
    """Speaks with one API key. What the API refuses is not done, and the advisor goes on; a broken connection raises
    httpx.TransportError."""

    def __init__(self, http: httpx.AsyncClient, key: str, dice: random.Random) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}"}
        self._dice = dice

    async def work(self, stop: asyncio.Event) -> None:
        """Calls after calls at a gentle pace, until `stop` is set."""
        while not stop.is_set():
            callback = await self.claim()
            if callback is not None:
                await wait_or_stop(stop, self._dice.uniform(*CALL_SECONDS))
                await self.call(callback, _pick(self._dice, RESULTS))
            await wait_or_stop(stop, self._dice.uniform(*REST_SECONDS))

    async def work_one(self, stop: asyncio.Event) -> bool:
        """One callback from claim to resolve; False if `stop` was set before there was one to claim."""
        while not stop.is_set():
            callback = await self.claim()
            if callback is not None and await self.call(callback, "connected"):
                return True
            await wait_or_stop(stop, 1.0)
        return False

    async def claim(self) -> dict[str, Any] | None:
        """The next callback, with its lease, or None when nobody can be called just now."""
        answer = await self._post("claim", {"wait_seconds": WAIT_SECONDS})
        if answer.status_code == httpx.codes.OK:
            claimed: dict[str, Any] = answer.json()
            return claimed
        return None

    async def call(self, callback: dict[str, Any], result: str) -> bool:
        """Records the attempt and, when somebody was reached, resolves; True when it is resolved."""
        held = {"lease_token": callback["lease"]["token"]}
        attempt = await self._post(f"{callback['id']}/attempts", {**held, "result": result})
        if attempt.is_error or result != "connected":
            return False
        kind, driver = _pick(self._dice, CAUSES)
        resolution = {
            **held,
            "cause": {"kind": kind, "driver": driver},
            "outcome": _pick(self._dice, OUTCOMES),
            "note": "made up by the demo",
        }
        resolved = await self._post(f"{callback['id']}/resolve", resolution)
        if resolved.status_code == httpx.codes.CONFLICT:  # another bad answer joined: read it, then resolve
            read = await self._http.get(f"/v1/callbacks/{callback['id']}", headers=self._headers)
            resolved = await self._post(
                f"{callback['id']}/resolve", {**resolution, "version": read.json().get("version")}
            )
        return resolved.is_success

    async def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        answer = await self._http.post(f"/v1/callbacks/{path}", json=body, headers=self._headers)
        if answer.is_error and answer.status_code != httpx.codes.CONFLICT:  # a conflict is part of the work
            logger.warning("an advisor was answered with %d", answer.status_code)
        return answer


def _pick(dice: random.Random, weights: dict[Any, int]) -> Any:
    return dice.choices(list(weights), list(weights.values()))[0]
