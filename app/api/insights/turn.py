"""Counting beside those who work: one question at a time in a process, and equal ones that wait are answered together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from functools import wraps
from typing import Any

from starlette.responses import Response

from alerts.errors import Unavailable
from app.api.context import RequestContext

PATIENCE = 20.0
"""So many seconds a question waits for its turn."""

Counting = Callable[..., Awaitable[Response]]


class CountingTurn:
    """Whoever asks while another is counted for waits. Equal questions that wait are one: it is counted after the last of
    them has come, so that nobody is told less than was known when they asked. Between two that waited nothing is counted
    for as long as the first one took: at most half of a core is lost to those who work.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting: dict[Hashable, asyncio.Task[Response]] = {}

    async def answer(self, question: Hashable, count: Callable[[], Awaitable[Response]]) -> Response:
        """Raises Unavailable when too many others wait, and whatever `count` raises."""
        shared = self._waiting.get(question)
        if shared is None:
            shared = self._waiting[question] = asyncio.create_task(self._count(question, count))
            shared.add_done_callback(_seen)
        found = await asyncio.shield(shared)  # who goes away takes nothing from those who stay
        return Response(found.body, found.status_code, dict(found.headers))

    async def _count(self, question: Hashable, count: Callable[[], Awaitable[Response]]) -> Response:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turn.acquire()
        except TimeoutError:
            raise Unavailable("too much is being counted at once") from None
        finally:
            del self._waiting[question]
        begun = time.monotonic()
        try:
            return await count()
        finally:
            rest = time.monotonic() - begun if self._waiting else 0.0
            asyncio.get_running_loop().call_later(rest, self._turn.release)


def _seen(done: asyncio.Task[Response]) -> None:
    """Whoever asked may be gone; then nobody else hears of an error."""
    if not done.cancelled():
        done.exception()


def in_turn(endpoint: Counting) -> Counting:
    """An endpoint that counts, and so waits for its turn. What it answers depends on the question and the asker's scopes."""

    @wraps(endpoint)
    async def waiting(*, context: RequestContext, **given: Any) -> Response:
        request = context.request
        turn: CountingTurn = request.app.state.counting
        asked = (request.url.path, request.url.query, request.headers.get("accept"), context.principal.scopes)
        return await turn.answer(asked, lambda: endpoint(context=context, **given))

    return waiting
