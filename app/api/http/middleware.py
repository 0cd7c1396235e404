"""Around every request: its id, how long it took, and a calm answer when something broke."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.errors import safe_traceback
from alerts.log_fields import bound
from app.api.http.problems import problem_response, request_id
from app.api.http.tracing import trace_context
from app.listeners import harmless

logger = logging.getLogger(__name__)

UNMATCHED = "unmatched"
"""The route in metrics of whatever no route answers: a path is the caller's text, and no label."""


NOBODY = 400
"""The status in metrics of a request whose sender went away in the middle of it."""


class ErrorBoundary:
    """Around all that answers. Nothing that went wrong inside leaves here but a problem document without detail."""

    def __init__(self, app: ASGIApp, observe: Callable[[str, int, float], None]) -> None:
        self.app = app
        self.observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with bound(request=request_id(scope), trace=trace_context(scope).trace_id):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), *_headers(scope["path"])]}
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            status = status or NOBODY  # there is nobody to answer, and nothing is wrong here
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold what a customer said
            _log(scope, error)
            if not status:
                detail = "it is in the log, with the id in `instance`"
                await problem_response(scope, "internal-error", detail)(scope, receive, watched)
        finally:
            harmless(self.observe)(_route(scope), status or 500, time.perf_counter() - began)


def _headers(path: str) -> list[tuple[bytes, bytes]]:
    """Answers hold personal data, so nobody between keeps them."""
    common = [(b"x-content-type-options", b"nosniff")]
    return [*common, (b"cache-control", b"no-store")] if path.startswith("/v1") else common


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", UNMATCHED)


def _log(scope: Scope, error: Exception) -> None:
    """Where it happened, and not what it said: a message may quote the data it choked on."""
    logger.error("%s failed: %s", _route(scope), safe_traceback(error))
