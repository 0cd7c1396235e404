"""What an error looks like from outside: one table of codes, and RFC 9457 documents that never echo the request."""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from alerts.errors import Invalid, OutsideCallingWindow, Refused, Unavailable
from app.api.schemas.base import known_member

MEDIA_TYPE = "application/problem+json"

PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read"),
    "invalid-cursor": (400, "The cursor does not belong to this list"),
    "unauthorized": (401, "Valid credentials are needed"),
    "insufficient-scope": (403, "The credentials do not allow this"),
    "not-found": (404, "There is no such thing here"),
    "method-not-allowed": (405, "The method is not allowed here"),
    "lease-lost": (409, "The lease is not yours any more"),
    "already-resolved": (409, "The callback has ended"),
    "callback-changed": (409, "The callback has changed since it was claimed"),
    "not-claimable": (409, "The callback cannot be taken now"),
    "outside-calling-window": (409, "The customer may not be phoned at that moment"),
    "do-not-call": (409, "The customer asked not to be phoned"),
    "too-many-held": (409, "Too many callbacks are held already"),
    "idempotency-in-progress": (409, "The first request with this key is still running"),
    "stale-version": (412, "It was changed by somebody else"),
    "body-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The media type is not supported"),
    "validation": (422, "The request is not valid"),
    "idempotency-key-reused": (422, "The key was used for another request"),
    "precondition-required": (428, "A precondition is required"),
    "quota-exceeded": (429, "Too many requests"),
    "internal-error": (500, "Something went wrong here"),
    "temporarily-unavailable": (503, "A part we depend on is away"),
}
"""code: (status, title). The only place that knows statuses (docs/rest.md)."""

BY_STATUS = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}
"""For errors that the framework raises."""

CLOSE = {"Connection": "close"}
"""For answers after which nothing more of this connection can be read."""

RETRY_AFTER = {"idempotency-in-progress": "1", "temporarily-unavailable": "2"}  # seconds


class ApiProblem(HTTPException):
    """An error that only the front door knows. `detail` is ours; `more` are further members of the document."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(PROBLEMS[code][0], detail, dict(headers or {}))
        self.code = code
        self.errors = errors
        self.more = more


def request_id(scope: Scope) -> str:
    """The id of this request, made when first asked for."""
    state: dict[str, Any] = scope.setdefault("state", {})
    if "request_id" not in state:
        state["request_id"] = str(uuid.uuid4())
    found: str = state["request_id"]
    return found


def problem_response(
    scope: Scope,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    status, title = PROBLEMS[code]
    body: dict[str, Any] = {
        "type": f"urn:bottombox:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id(scope)}",
        "code": code,
    }
    if errors is not None:
        body["errors"] = errors
    retry = {"Retry-After": RETRY_AFTER[code]} if code in RETRY_AFTER else {}
    return Response(msgspec.json.encode(body | more), status, {**retry, **(headers or {})}, media_type=MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)


async def answer_to(request: Request, error: Exception) -> Response:
    """What is said of an error that HANDLERS has, or whose base it has."""
    kind = next(each for each in type(error).__mro__ if each in HANDLERS)
    return await HANDLERS[kind](request, error)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    errors: list[dict[str, str]] | None = None
    more: dict[str, Any] = {}
    if isinstance(error, Invalid):
        errors = [{"pointer": error.pointer, "detail": str(error)}]
    if isinstance(error, OutsideCallingWindow) and error.opens_at is not None:
        more["opens_at"] = error.opens_at
    return problem_response(request.scope, error.code, str(error), errors=errors, **more)


async def _unavailable(request: Request, error: Exception) -> Response:
    return problem_response(request.scope, "temporarily-unavailable", f"{error}; try again in a moment")


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_explain(each) for each in error.errors()]
    detail = "one member cannot be right" if len(errors) == 1 else f"{len(errors)} members cannot be right"
    return problem_response(request.scope, "validation", detail, errors=errors)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, ApiProblem):
        more = error.more
        return problem_response(
            request.scope, error.code, error.detail, errors=error.errors, headers=error.headers, **more
        )
    code = BY_STATUS.get(error.status_code, "malformed")
    if code == "method-not-allowed":
        allow = {"Allow": ", ".join(allowed_methods(request))}
        return problem_response(request.scope, code, "see the Allow header", headers=allow)
    return problem_response(request.scope, code, "see /docs for what is here")


HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    Refused: _refused,
    Unavailable: _unavailable,
    RequestValidationError: _invalid,
    HTTPException: _http,
}


def allowed_methods(request: Request) -> list[str]:
    """Every method that some route has at this path; the framework names those of one route only."""
    routes = iter_route_contexts(request.app.routes)
    path = request.scope["path"]
    methods = {method for each in routes if each.path_regex.match(path) for method in each.methods or ()}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def _explain(error: Mapping[str, Any]) -> dict[str, str]:
    """Where and what, without a word of what was sent: unknown member names are the sender's text too."""
    place, *path = error["loc"]
    known = [str(step) for step in path if isinstance(step, int) or known_member(step)]
    pointer = "".join(f"/{step}" for step in known)
    where = {} if place == "body" else {"in": str(place)}
    return {"pointer": pointer, "detail": _detail(error), **where}


def _detail(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is a member here that is not known; remove it or correct its name"
    if error["type"] == "model_attributes_type":
        return "this must be a JSON object"
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return f"this {message}" if message.startswith("should") else message[:1].lower() + message[1:]


def problem_docs(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The answers with these codes, as the OpenAPI document lists them: by status, one example for each code."""
    docs: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status, title = PROBLEMS[code]
        schema = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        doc = docs.setdefault(status, {"description": title, "content": {MEDIA_TYPE: schema}})
        doc["content"][MEDIA_TYPE]["examples"][code] = {"value": _example(code, status, title)}
    return docs


def _example(code: str, status: int, title: str) -> dict[str, Any]:
    return {
        "type": f"urn:bottombox:problem:{code}",
        "title": title,
        "status": status,
        "detail": "what to do about it",
        "instance": "urn:uuid:0198c0de-0000-4000-8000-000000000000",
        "code": code,
    }


def seconds_header(seconds: float) -> str:
    """For Retry-After: whole seconds, at least one."""
    return str(max(1, math.ceil(seconds)))
