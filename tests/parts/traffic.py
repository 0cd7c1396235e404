"""Answers and requests that keep coming, whatever happens to the database meanwhile."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from tests.parts.town import Town, answer, eventually

_SEED = 20_261_124
_WORKERS = 4  # for each advisor, who may hold five callbacks
_TICK = 0.1  # seconds


class Traffic:
    """`answers` and `requests` are for each second; `advisors` are their headers. A request is repeated with its key until
    it is answered, as a client should; `unfit` holds each response that is neither that nor a 503 with `Retry-After`.
    `through`: a balancer, where there are several to ask. `patient`: so many requests are always waiting for an answer."""

    def __init__(
        self,
        town: Town,
        http: str,
        advisors: Sequence[Mapping[str, str]],
        *,
        answers: int,
        requests: int,
        through: httpx.AsyncBaseTransport | None = None,
        patient: int = 0,
    ) -> None:
        self.sent: set[str] = set()
        self.bottom: set[str] = set()
        self.unfit: list[tuple[int, str]] = []
        self.answered = 0
        self.waited = 0
        self.claims: list[tuple[str, str]] = []
        self._town = town
        self._client = httpx.AsyncClient(base_url=f"{http}/v1", timeout=60, transport=through)
        self._advisors = advisors
        self._patient = patient
        self._rates = {"answers": answers, "requests": requests}
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._dice = random.Random(_SEED)

    async def __aenter__(self) -> Self:
        self._turns: asyncio.Queue[None] = asyncio.Queue(maxsize=_WORKERS * len(self._advisors))
        workers = [self._work(advisor) for advisor in self._advisors for _ in range(_WORKERS)]
        waiting = [self._wait_in_vain(self._advisors[0]) for _ in range(self._patient)]
        steps = (self._keep_sending(), self._keep_asking(), *workers, *waiting)
        self._tasks = [asyncio.create_task(step) for step in steps]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def flows(self, *, more: int = 20) -> None:
        """Returns once `more` requests were answered from now on."""
        goal = self.answered + more

        async def answered() -> int:
            self._complain()
            return self.answered

        await eventually(answered, lambda count: count >= goal)

    async def waits(self) -> None:
        """Returns once somebody was told to come again."""
        before = self.waited

        async def waited() -> int:
            self._complain()
            return self.waited

        await eventually(waited, lambda count: count > before)

    async def end(self) -> None:
        """No new answers and requests; those under way are finished."""
        self._stop.set()
        await self._tasks[0]
        await self._tasks[1]
        await asyncio.wait_for(self._turns.join(), 60)
        self._complain()

    def _complain(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def _keep_sending(self) -> None:
        while not self._stop.is_set():
            some = [self._next() for _ in range(max(1, round(self._rates["answers"] * _TICK)))]
            _, _ = await asyncio.gather(self._town.send(some), asyncio.sleep(_TICK))

    def _next(self) -> dict[str, Any]:
        rating, event = self._dice.choice([1, 2, 3, 4, 5]), f"e{len(self.sent)}"
        self.sent.add(event)
        self.bottom |= {event} if rating <= 2 else set()
        return answer(event, rating, customer=f"c{self._dice.randrange(2000)}")

    async def _keep_asking(self) -> None:
        while not self._stop.is_set():
            await self._turns.put(None)
            await asyncio.sleep(2 / self._rates["requests"])  # a turn is a claim and a release

    async def _work(self, advisor: Mapping[str, str]) -> None:
        while True:
            await self._turns.get()
            try:
                await self._claim_and_release(advisor)
            finally:
                self._turns.task_done()

    async def _wait_in_vain(self, advisor: Mapping[str, str]) -> None:
        """For a customer who speaks what nobody here does."""
        while True:
            await self._answer(advisor, "/callbacks/claim", {"languages": ["ja"], "wait_seconds": 10})

    async def _claim_and_release(self, advisor: Mapping[str, str]) -> None:
        claimed = await self._answer(advisor, "/callbacks/claim", {})
        if claimed is None or claimed.status_code == 204:
            return
        callback = claimed.json()
        token = callback["lease"]["token"]
        self.claims.append((callback["id"], token))
        await self._answer(advisor, f"/callbacks/{callback['id']}/release", {"lease_token": token})

    async def _answer(self, advisor: Mapping[str, str], path: str, body: dict[str, Any]) -> httpx.Response | None:
        """The answer, after as many 503 as there are; None when it was no fit one, which is noted."""
        headers = {**advisor, "Idempotency-Key": uuid.uuid4().hex}
        while True:
            response = await self._client.post(path, headers=headers, json=body)
            if response.status_code in (200, 204):
                self.answered += 1
                return response
            is_away = response.status_code == 503 and "retry-after" in response.headers
            if not is_away and "idempotency-in-progress" not in response.text:
                self.unfit.append((response.status_code, response.text))
                return None
            self.waited += is_away
            await asyncio.sleep(0.2)  # less patient than we are asked to be
