"""Asks a platform for one document: over an address that was judged, within a time and a size, and never elsewhere."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore

from alerts.errors import BottomboxError
from consumers.fetching.addresses import is_public

SECONDS, BYTES = 20.0, 768 * 1024
LONGEST_PAUSE = 3600.0
"""Seconds that a platform may ask us to wait."""

_PASSING = frozenset({408, 425, 429})  # and all from 500 on


class NotNow(BottomboxError):
    """Worth another try, after `wait` seconds if the platform said so."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class NotEver(BottomboxError):
    """Asking again would change nothing; a person must look."""


async def fetch(url: str, headers: Mapping[str, str], hosts: frozenset[str]) -> bytes:
    """The body. `hosts` may have private addresses. Raises NotNow, NotEver; neither says more than what is wrong."""
    try:
        async with asyncio.timeout(SECONDS), httpcore.AsyncConnectionPool(network_backend=_Judging(hosts)) as pool:
            return await _get(pool, url, headers)
    except (
        TimeoutError,
        OSError,
        httpcore.NetworkError,
        httpcore.TimeoutException,
        httpcore.RemoteProtocolError,
    ) as error:
        raise NotNow(f"the platform cannot be reached ({type(error).__name__})") from None
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, UnicodeError):
        raise NotEver("its address or our credentials cannot be sent") from None


async def _get(pool: httpcore.AsyncConnectionPool, url: str, headers: Mapping[str, str]) -> bytes:
    sent = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "bottombox", **headers}
    async with pool.stream("GET", url, headers=list(sent.items())) as response:
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        _check(response.status, told)
        body = bytearray()
        async for piece in response.aiter_stream():
            body += piece
            if len(body) > BYTES:
                raise NotEver(f"the platform's answer has more than {BYTES} bytes")
        return bytes(body)


def _check(status: int, headers: Mapping[str, str]) -> None:
    """What unpacks to any size is not taken: we asked for it plain."""
    if status in _PASSING or status >= 500:
        raise NotNow(f"the platform answered {status}", _pause(headers.get("retry-after")))
    if not 200 <= status < 300:
        raise NotEver(f"the platform answered {status}")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise NotEver("the platform's answer is compressed, though we asked for it plain")


def _pause(header: str | None) -> float | None:
    """Seconds, from a number of them or a date."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(LONGEST_PAUSE, float(text[:9]))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(LONGEST_PAUSE, max(0.0, (until - datetime.now(UTC)).total_seconds()))


class _Judging(httpcore.AsyncNetworkBackend):
    """Connects to the very address that was judged: a name that is looked up twice may lead to two places."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = hosts
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if host not in self._hosts and not all(is_public(each) for each in addresses):
            raise NotEver(
                "the platform's host has a private address; name it in BOTTOMBOX_HYDRATE_HOSTS if that is right"
            )
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.NetworkError:
                continue
        return await self._network.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)
