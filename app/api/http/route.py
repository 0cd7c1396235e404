"""The door of every route: credentials first, then a strict reading of the request, then the endpoint."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from alerts.ledger.access.keys import KeyGone
from app.api.http.arguments import MakeArgument, simple_parts
from app.api.http.problems import ApiProblem, problem_docs
from app.api.http.security import PUBLIC, SIGNATURE, authenticate, is_asking, turned_away
from app.api.schemas.base import QueryModel
from consumers.intake import strict_json
from consumers.intake.reason import InvalidRecord

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

SCOPE = "x-scope"
SINGLE = (b"host", b"authorization", b"content-type", b"idempotency-key", b"if-match")
"""Headers of which one value decides."""

ADMITTED = "bottombox.admitted"
"""In the scope of a request that has passed the door already: nobody is charged twice for one."""


class StrictRequest(Request):
    """A request whose JSON is what its text says, or is refused."""

    async def json(self) -> Any:
        """Raises 400 for what is no strict JSON object, 422 for a NUL character, which no database keeps."""
        if not hasattr(self, "_json"):
            try:
                self._json, has_nul = strict_json.read_object(await self.body())
            except InvalidRecord as error:
                raise ApiProblem("malformed", error.detail) from None
            if has_nul:
                raise ApiProblem("validation", "no text may hold a NUL character", errors=[])
        return self._json

    async def fingerprint(self) -> bytes:
        """Method, path, query and body, the same however the JSON is spaced or ordered."""
        body = await self.body()
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # not JSON: the bytes speak
            body = msgspec.json.encode(msgspec.json.decode(body), order="deterministic")
        return b"\n".join([self.method.encode(), self.url.path.encode(), self.url.query.encode(), body])


class GuardedRoute(APIRoute):
    """Default deny: a route that declares no scope cannot be made."""

    short: Handler | None = None
    """The door and the endpoint without FastAPI (`ShortWay`); raises NotSimple for what FastAPI is to read."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        if SCOPE not in (self.openapi_extra or {}):
            raise TypeError(f"{self.path} declares no scope; use app.api.http.route.declare")
        parts = simple_parts(self.dependant)
        if parts is not None:
            self.short = self._guarded(_simply(parts, self.endpoint))
        return self._guarded(handle)

    def _guarded(self, answer: Handler) -> Handler:
        scope, trusting = (self.openapi_extra or {})[SCOPE], is_asking(self.endpoint)
        takes_query = any(_is_query(field.field_info.annotation) for field in self.dependant.query_params)
        takes_json = self.body_field is not None

        async def guarded(request: Request) -> Response:
            strict = request if isinstance(request, StrictRequest) else StrictRequest(request.scope, request.receive)
            # what a platform may say where, its source file says
            if scope != SIGNATURE and ADMITTED not in strict.scope:
                _check_repeated(strict)
                await authenticate(strict, scope, trusting=trusting)
                _check_query(strict, takes_query)
                strict.scope[ADMITTED] = True
            await _check_media_type(strict, takes_json)
            try:
                return await answer(strict)
            except KeyGone:
                raise turned_away(strict) from None

        return guarded


def _simply(parts: Mapping[str, MakeArgument], endpoint: Callable[..., Coroutine[Any, Any, Response]]) -> Handler:
    """The endpoint, called with these parts of the request."""

    async def answer(request: Request) -> Response:
        return await endpoint(**{name: await part(request) for name, part in parts.items()})

    return answer


def declare(
    scope: str, *codes: str, status: int = 200, also: Mapping[int | str, dict[str, Any]] | None = None, **more: Any
) -> dict[str, Any]:
    """What a route says of itself: the scope it needs, the problems that are its own, and other answers it gives."""
    responses: dict[int | str, dict[str, Any]] = {**problem_docs(*codes), **(also or {})}
    return {"openapi_extra": {SCOPE: scope}, "responses": responses, "status_code": status, **more}


def _is_query(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, QueryModel)


def _check_repeated(request: Request) -> None:
    """Two values would be read in one way here and in another by a proxy before us; the same one twice is that one."""
    seen: dict[bytes, bytes] = {}
    for name, value in request.scope["headers"]:
        if name in SINGLE and seen.setdefault(name, value) != value:
            named = name.decode().title()
            raise ApiProblem("malformed", f"the header {named} is there more than once; send it once")


def _check_query(request: Request, takes_query: bool) -> None:
    if not request.scope["query_string"]:
        return
    if request.query_params and not takes_query and request.scope["path"].startswith("/v1"):
        raise ApiProblem("validation", "this route takes no query; remove it", errors=[])
    if any("\0" in text for item in request.query_params.multi_items() for text in item):
        raise ApiProblem("validation", "no text may hold a NUL character", errors=[])


async def _check_media_type(request: Request, takes_json: bool) -> None:
    if not takes_json or not await request.body():
        return
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise ApiProblem("unsupported-media-type", "send application/json")


__all__ = ["PUBLIC", "SCOPE", "SIGNATURE", "GuardedRoute", "StrictRequest", "declare"]
