"""A survey platform of a story: an HTTP server that answers by a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Platform:
    """Answers each request with the next line of its script; the last one goes on for ever."""

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, str], bytes]] = []
        self.at: dict[str, tuple[int, dict[str, str], bytes]] = {}  # paths that are answered by another
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.sent = 0
        self.endless = False
        self.port = 0
        self.answers = asyncio.Event()  # cleared: it takes what is asked and says nothing
        self.answers.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Platform]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    def says(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        self.script.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, body))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        path = head.split(" ")[1]
        self.asked.append((path, dict(line.lower().split(": ", 1) for line in lines if line)))
        await self.answers.wait()
        if path in self.at:
            status, headers, body = self.at[path]
        else:
            status, headers, body = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        length = 100 * 1024 * 1024 if self.endless else len(body)
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {status} So\r\n{told}Content-Length: {length}\r\nConnection: close\r\n\r\n".encode())
        try:
            while self.endless and self.sent < length:
                writer.write(b" " * 65_536)
                self.sent += 65_536
                await writer.drain()
            writer.write(body)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
