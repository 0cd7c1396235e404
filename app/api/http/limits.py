"""How much anybody may send: the size of a body, and the number of requests."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.ledger.access.keys import Key
from app.api.http.problems import CLOSE, ApiProblem, problem_response, seconds_header

MEBIBYTE = 1024 * 1024
LARGE_BODIES = {"/v1/survey-events": 4 * MEBIBYTE}  # batches
WEBHOOK, WEBHOOK_BYTES = re.compile(r"/v1/sources/[^/]*/events"), 256 * 1024
DRAINED, DRAIN_SECONDS = 64 * MEBIBYTE, 10.0
"""How much of a body that is too large is read and thrown away."""

REMEMBERED = 10_000
"""So many principals have a bucket; whoever was quiet longest gets a fresh one."""

TRUSTED_SECONDS = 1.0
"""So long a key that was looked up need not be looked up again by itself (docs/decisions/0131)."""


class BodyLimit:
    """Counts what arrives, whatever Content-Length says; too much is 413 and the end of the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_webhook = WEBHOOK.fullmatch(scope["path"]) is not None
        limit = WEBHOOK_BYTES if is_webhook else LARGE_BODIES.get(scope["path"], MEBIBYTE)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit and not is_webhook:  # its endpoint counts what it refuses
            await _drain(receive)
            await problem_response(scope, "body-too-large", _detail(limit), headers=CLOSE)(scope, receive, send)
            return
        await self.app(scope, _counting(receive, limit), send)


def _counting(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def count() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            if message.get("more_body"):
                await _drain(receive)
            raise ApiProblem("body-too-large", _detail(limit), headers=CLOSE)
        return message

    return count


async def _drain(receive: Receive) -> None:
    """Reads on for a while and keeps nothing: whoever is still sending would see a reset instead of the answer."""
    left = DRAINED
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return


def _detail(limit: int) -> str:
    return f"send at most {limit} bytes here"


class RateLimiter:
    """A bucket per principal that holds one second's worth of requests and fills at `rate` a second; 0 = no limit."""

    def __init__(self, rate: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when that was

    def take(self, who: str) -> None:
        """Takes one request out of the bucket. Raises 429 when it is empty."""
        if self._rate == 0:
            return
        left = self._left(who)
        enough = left >= 1
        self._keep(who, left - 1 if enough else left)
        if not enough:
            wait = {"Retry-After": seconds_header((1 - left) / self._rate)}
            raise ApiProblem("quota-exceeded", f"at most {self._rate} requests a second; wait", headers=wait)

    def give_back(self, who: str) -> None:
        """What was taken turned out not to be theirs to pay."""
        if self._rate != 0:
            self._keep(who, min(float(self._rate), self._left(who) + 1))

    def _left(self, who: str) -> float:
        full = float(self._rate)
        left, since = self._buckets.get(who, (full, self._clock()))
        return min(full, left + (self._clock() - since) * self._rate)

    def _keep(self, who: str, left: float) -> None:
        self._buckets[who] = (left, self._clock())
        self._buckets.move_to_end(who)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)


class Acquaintances:
    """Which keys opened lately, by their digests: whom a request is charged to before its key is looked up.

    It lets nobody in, save for a second where the request's own statement asks whether the key still lives.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._keys: OrderedDict[bytes, tuple[Key, float]] = OrderedDict()  # and when it was looked up

    def get(self, digest: bytes) -> Key | None:
        known = self._keys.get(digest)
        return None if known is None else known[0]

    def just_seen(self, digest: bytes) -> Key | None:
        known = self._keys.get(digest)
        return None if known is None or self._clock() - known[1] > TRUSTED_SECONDS else known[0]

    def remember(self, digest: bytes, key: Key) -> None:
        self._keys[digest] = (key, self._clock())
        self._keys.move_to_end(digest)
        if len(self._keys) > REMEMBERED:
            self._keys.popitem(last=False)

    def forget(self, digest: bytes) -> None:
        self._keys.pop(digest, None)


def stranger(address: str) -> str:
    """Whom guesses from an address are charged to; of IPv6 the network, in which one machine has every address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "stranger"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return f"stranger:{ipaddress.ip_network((int(parsed), 64), strict=False)}"
    return f"stranger:{parsed}"
