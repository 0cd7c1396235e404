"""Runs ASGI applications on their ports until told to stop, and then lets requests end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from alerts.errors import Misconfigured
from app.api.http.problems import CLOSE, problem_response

GRACE_SECONDS = 10
"""How long requests in flight may take after the stop; an open stream would else hold the process for ever."""


class _Server(uvicorn.Server):
    """Signals are the program's business, not each server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Protocol(HttpToolsProtocol):
    """What is no HTTP at all is answered like any other mistake."""

    def send_400_response(self, msg: str) -> None:
        problem = problem_response(
            {}, "malformed", "this is not HTTP/1.1, or a method that nobody here knows", headers=CLOSE
        )
        headers = b"".join(b"%s: %s\r\n" % header for header in problem.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + headers + b"\r\n" + bytes(problem.body))
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """An offer to speak another protocol may be passed over (RFC 9110, 7.8), and is no news for the log."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is a free one. Raises Misconfigured when the port is taken."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512
        )
    except OSError as error:
        raise Misconfigured(f"port {port} on {host} cannot be used ({error.strerror}); choose another") from None


def address_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    named = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - how a person here reaches it
    return f"http://{f'[{named}]' if ':' in named else named}:{port}"


async def serve(
    application: Any, listening: socket.socket, stop: asyncio.Event, *, proxies: Sequence[str] = ()
) -> None:
    """`proxies`: addresses and networks whose `X-Forwarded-For` and `-Proto` are believed; nobody else's are."""
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        http=_Protocol,
        ws="none",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
