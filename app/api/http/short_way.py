"""The way of a request to an endpoint that takes little: its route is looked up, and answers, without FastAPI.

FastAPI asks each route in turn whether the path is its own, and puts layers around the one it finds that our endpoints
have no need of. It still leads to every endpoint that takes more, and whatever is not simply right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.arguments import NotSimple
from app.api.http.problems import HANDLERS, answer_to
from app.api.http.route import GuardedRoute, StrictRequest

Shape: TypeAlias = tuple[str, int, str]
"""Method, number of slashes, and the noun behind `/v1/`: few routes have the same."""

HANDLED = tuple(HANDLERS)


class ShortWay:
    """Innermost, before FastAPI's own. `routes` in the order in which they are asked."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute]) -> None:
        self.app = app
        self._routes: dict[Shape, list[GuardedRoute]] = defaultdict(list)
        for route in routes:
            assert isinstance(route, GuardedRoute)
            for method in route.methods or ():
                self._routes[_shape(method, route.path)].append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._find(scope)
        if route is None or route.short is None:
            await self.app(scope, receive, send)
            return
        request = StrictRequest(scope, receive)
        try:
            response = await route.short(request)
        except NotSimple:
            await self.app(scope, _again(await request.body(), receive), send)
            return
        except HANDLED as error:
            response = await answer_to(request, error)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> GuardedRoute | None:
        """The route that FastAPI would find, put into the scope as it does."""
        if scope["type"] != "http" or scope.get("root_path"):
            return None
        path = scope["path"]
        for route in self._routes.get(_shape(scope["method"], path), ()):
            if match := route.path_regex.match(path):
                scope["route"], scope["path_params"] = route, match.groupdict()
                return route
        return None


def _shape(method: str, path: str) -> Shape:
    return method, path.count("/"), path.split("/", 3)[2] if path.startswith("/v1/") else ""


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` as it was before the body was read."""
    is_told = False

    async def replay() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
