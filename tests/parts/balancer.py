"""A load balancer as small as it can be: what its rule does not ask of a client, the service must not need."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx

READY_SECONDS = 1.0
ASK_SECONDS = 0.2
PATIENCE = 30.0


class Balancer(httpx.AsyncBaseTransport):
    """Sends a request to a replica whose `/readyz` was 200 within the last second. Only a refused connection is tried
    elsewhere: there the request cannot have begun. Whatever else goes wrong is the caller's failed request."""

    def __init__(self) -> None:
        self.refused = 0
        self.sent: dict[str, int] = {}
        self._ready: dict[str, float] = {}  # address -> when it was asked and said so
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=None))
        self._dice = random.Random(0)

    def add(self, address: str) -> None:
        self._ready.setdefault(address, float("-inf"))

    def remove(self, address: str) -> None:
        del self._ready[address]

    def is_ready(self, address: str) -> bool:
        return self._ready[address] > _now() - READY_SECONDS

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Asks all replicas how they are, again and again, while this is entered."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        async with httpx.AsyncClient(timeout=READY_SECONDS) as client:
            while True:
                await asyncio.gather(*(self._ask(client, each) for each in list(self._ready)))
                await asyncio.sleep(ASK_SECONDS)

    async def _ask(self, client: httpx.AsyncClient, address: str) -> None:
        asked = _now()
        with suppress(httpx.TransportError):  # not ready
            answer = await client.get(f"{address}/readyz")
            if answer.status_code == 200 and address in self._ready:
                self._ready[address] = asked

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = _now() + PATIENCE
        while _now() < deadline:
            for address in self._shuffled():
                base = httpx.URL(address)
                request.url = request.url.copy_with(host=base.host, port=base.port)
                try:
                    answer = await self._transport.handle_async_request(request)
                except httpx.ConnectError:
                    self.refused += 1
                else:
                    self.sent[address] = self.sent.get(address, 0) + 1
                    return answer
            await asyncio.sleep(ASK_SECONDS)
        raise httpx.ConnectError("no replica was ready")

    def _shuffled(self) -> list[str]:
        ready = [each for each in self._ready if self.is_ready(each)]
        return self._dice.sample(ready, len(ready))

    async def aclose(self) -> None:
        await self._transport.aclose()


def _now() -> float:
    return asyncio.get_running_loop().time()
