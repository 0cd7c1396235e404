"""Asks a server over HTTP/1.1, as cheaply as a Python program can, so that whoever asks is not the limit.

One connection asks one thing at a time and keeps the connection; only status, length and body of an answer are read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

from msgspec import Struct

PATIENCE = 30.0  # seconds for one answer
_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"

Step = Callable[["Knocker"], Awaitable[None]]


class Asked(Struct, frozen=True):
    """What came of asking for a while: how often, in how many seconds, milliseconds of each, and of one core the
    share that the asking took."""

    seconds: float
    taken: list[float]
    own_cpu: float

    @property
    def a_second(self) -> float:
        return len(self.taken) / self.seconds


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request as it travels; `_` in a header's name stands for `-`."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    typed = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}{typed}\r\n".encode() + body


class Knocker(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._seen = b""

    async def ask(self, wanted: bytes, expected: int = 200) -> bytes:
        """The body of the answer. Fails when its status is not the expected one."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(wanted)
        status, body = await asyncio.wait_for(self._answer, PATIENCE)
        assert status == expected, f"{wanted.splitlines()[0]!r} was answered by {status}: {body[:500]!r}"
        return body

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one without saying so

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._seen = seen = self._seen + data
        head = seen.find(_END)
        if head < 0 or self._answer is None:
            return
        lowered = seen[:head].lower()
        place = lowered.find(_LENGTH)
        length = int(lowered[place + len(_LENGTH) :].partition(b"\r\n")[0]) if place >= 0 else 0
        end = head + len(_END) + length
        if len(seen) >= end:
            self._seen = seen[end:]
            self._answer.set_result((int(seen[9:12]), seen[head + len(_END) : end]))


@asynccontextmanager
async def knockers(address: str, count: int) -> AsyncIterator[list[Knocker]]:
    """`count` connections to a server, closed afterwards."""
    loop, server = asyncio.get_running_loop(), urlsplit(address)
    host, port = server.hostname or "", server.port or 80
    opened = [(await loop.create_connection(Knocker, host, port))[1] for _ in range(count)]
    try:
        yield opened
    finally:
        for each in opened:
            each.close()


async def ask_for(seconds: float, clients: Sequence[Knocker], steps: Sequence[Step]) -> Asked:
    """Every client does its step again and again for so long; what was begun is ended."""
    taken: list[float] = []
    begun, cpu = time.perf_counter(), time.process_time()
    until = begun + seconds

    async def repeat(client: Knocker, step: Step) -> None:
        while (start := time.perf_counter()) < until:
            await step(client)
            taken.append((time.perf_counter() - start) * 1000)

    await asyncio.gather(*map(repeat, clients, steps))
    passed = time.perf_counter() - begun
    return Asked(passed, taken, (time.process_time() - cpu) / passed)
