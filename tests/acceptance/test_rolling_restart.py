"""Every process is replaced, one after the other, while answers and requests keep coming: nobody notices (I31).

The rule for clients is that of a load balancer (`tests.parts.balancer`): only replicas that were ready within the last second
get requests, and a refused connection is tried on another. No request may fail, be refused or be told to come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.acceptance.test_database_moods import ANSWERS, REQUESTS, check_account, keys
from tests.acceptance.test_main_job import noon
from tests.parts.balancer import Balancer
from tests.parts.clock import Clock
from tests.parts.effort import EFFORT, FULL
from tests.parts.service import Service
from tests.parts.town import Town, eventually
from tests.parts.traffic import Traffic

ROLES = ("api", "api", "api", "consume", "consume", "work", "work")
ROUNDS = 5 if EFFORT >= FULL else 1
DRAIN_SECONDS = "3"  # longer than a balancer trusts what it has heard
GRACE_SECONDS = 20  # docs/operations.md, the order of a stop


class Fleet:
    """Processes side by side, those with an API behind one balancer."""

    def __init__(self, env: dict[str, str]) -> None:
        self.balancer = Balancer()
        self._env = {**env, "BOTTOMBOX_DRAIN_SECONDS": DRAIN_SECONDS}
        self._running: dict[int, Service] = {}  # by place in ROLES

    @asynccontextmanager
    async def sailing(self) -> AsyncIterator[None]:
        try:
            async with asyncio.TaskGroup() as starting:
                for place in range(len(ROLES)):
                    starting.create_task(self._start(place))
            async with self.balancer.watching():
                yield
        finally:
            for service in self._running.values():
                service.kill()

    async def replace_all(self) -> None:
        """One process of each role at a time."""
        async with asyncio.TaskGroup() as rolling:
            for role in set(ROLES):
                rolling.create_task(self._replace_each(role))

    async def _replace_each(self, role: str) -> None:
        for place in (place for place, each in enumerate(ROLES) if each == role):
            old = self._running.pop(place)
            assert await asyncio.to_thread(old.stop, within=GRACE_SECONDS) == 0
            assert "ended, with nothing left to do" in old.log
            if old.http:
                self.balancer.remove(old.http)
            await self._start(place)

    async def replicas_that_were_asked(self) -> int:
        """Old ones and new."""
        return len(self.balancer.sent)

    async def _start(self, place: int) -> None:
        """Returns once it is ready."""
        service = self._running[place] = await asyncio.to_thread(Service.start, ROLES[place], self._env)
        async with httpx.AsyncClient(base_url=service.metrics, timeout=10) as client:
            await eventually(lambda: client.get("/readyz"), lambda answer: answer.status_code == 200)
        if service.http:
            self.balancer.add(service.http)


async def test_every_process_is_replaced_and_nobody_notices(town: Town, clock: Clock) -> None:
    await noon(clock)
    fleet = Fleet(town.env)
    advisors = await keys(town)
    async with fleet.sailing():
        rates = {"answers": ANSWERS, "requests": REQUESTS, "patient": 3 * ROLES.count("api")}
        async with Traffic(town, "http://fleet", advisors, **rates, through=fleet.balancer) as traffic:
            for _ in range(ROUNDS):
                await traffic.flows()
                await fleet.replace_all()
            await traffic.flows()
            await eventually(fleet.replicas_that_were_asked, lambda replicas: replicas >= 2 * ROLES.count("api"))
            await traffic.end()
        await eventually(town.accounted, lambda done: done == len(traffic.sent))
    assert traffic.waited == 0
    assert fleet.balancer.refused == 0, "a replica refused what a balancer may send to one that was ready a moment ago"
    await check_account(town, traffic)
