"""Platforms' webhooks: known by their signature, passed on as they came, answered once Kafka has acknowledged them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from alerts.errors import NotFound, Unavailable
from alerts.ledger.intake.received_webhooks import digest_of, remember_received, was_received
from alerts.log_fields import about
from app.api.dependencies import ApiDependencies, OutRecord
from app.api.http.answering import respond
from app.api.http.limits import RateLimiter, stranger
from app.api.http.problems import ApiProblem
from app.api.http.route import SIGNATURE, GuardedRoute, declare
from app.api.http.tracing import trace_context
from app.api.schemas.source_event import AcceptedEvents
from app.metrics.webhooks import WebhookResult
from consumers.intake import strict_json
from consumers.intake.cloudevents import CONTENT_TYPE, SOURCE_HEADER
from consumers.intake.reason import InvalidRecord
from consumers.sources import form
from consumers.sources.doors import Door
from consumers.sources.signatures import Rejected, Verified, WebhookDelivery, verify
from consumers.sources.webhook import Webhook
from consumers.trace_context import TraceContext

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/v1/sources", tags=["survey events"], route_class=GuardedRoute)

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "what the platform sends, at most 256 KiB: JSON, or a form where the source file says so",
        "content": {
            "application/json": {"schema": {}, "example": {"response_id": "r-81", "score": 2, "customer": "c-17"}},
            form.MEDIA_TYPE: {"schema": {}, "example": {"response_id": "r-81", "score": "2", "customer": "c-17"}},
        },
    }
}
_ASKED: dict[int | str, dict[str, Any]] = {200: {"description": "what the source file has for an answer"}}
_DECLARED_GET = declare(SIGNATURE, "method-not-allowed", also=_ASKED, response_class=PlainTextResponse)
_DECLARED = declare(SIGNATURE, status=202, response_model=AcceptedEvents)
_DECLARED["openapi_extra"] |= _BODY


@dataclass
class _Knock:
    """One delivery at a door. `result` is what it came to, as the metrics hear it; None for a handshake."""

    door: Door
    delivery: WebhookDelivery
    media: str
    trace: TraceContext
    result: WebhookResult | None = WebhookResult.REFUSED


@router.post("/{name}/events", summary="Take a platform's webhook", **_DECLARED)
async def receive(name: str, request: Request) -> Response:
    """Signed as the source file says. A handshake is answered with 200, as its platform wants it."""
    dependencies: ApiDependencies = request.app.state.dependencies
    door = _door(dependencies, name)
    with _counted(dependencies, door, request) as knock:
        knock.media = _media(request, door.webhook)
        knock.delivery = await _delivery(request, dependencies.public_url)
        verdict = verify(door.webhook, knock.delivery, door.secrets, datetime.now(UTC))
        reply = _handshake(knock, "post", _event, is_verified=isinstance(verdict, Verified))
        if reply is not None:
            return reply
        if isinstance(verdict, Rejected):
            raise _unauthorized(knock, verdict, request)
        _pace(request, name)
        return respond(AcceptedEvents(accepted=await _take(knock, verdict, dependencies)), status=202)


@router.get("/{name}/events", summary="Answer a platform that asks whether we are there", **_DECLARED_GET)
async def answer_handshake(name: str, request: Request) -> Response:
    """By GET or HEAD, where the source file has such a handshake; else 405."""
    dependencies: ApiDependencies = request.app.state.dependencies
    door = _door(dependencies, name)
    handshake = door.webhook.handshake
    if handshake is None or handshake.method != "get":
        raise ApiProblem("method-not-allowed", "this source's platform posts", headers={"Allow": "POST"})
    with _counted(dependencies, door, request) as knock:
        knock.delivery = await _delivery(request, dependencies.public_url)
        verdict = verify(door.webhook, knock.delivery, door.secrets, datetime.now(UTC))
        reply = _handshake(knock, "get", _parameters, is_verified=isinstance(verdict, Verified))
        if reply is not None:
            return reply
        if handshake.signed and isinstance(verdict, Rejected):
            raise _unauthorized(knock, verdict, request)
        raise ApiProblem("malformed", "this is not the handshake that the source file describes")


def _door(dependencies: ApiDependencies, name: str) -> Door:
    door = dependencies.doors.get(name)
    if door is None:
        raise NotFound("there is no such source here, or none that takes webhooks")
    return door


@contextmanager
def _counted(dependencies: ApiDependencies, door: Door, request: Request) -> Iterator[_Knock]:
    knock = _Knock(door, WebhookDelivery((), "", b""), "", trace_context(request.scope))
    try:
        yield knock
    finally:
        if knock.result is not None:
            dependencies.observe_webhook(door.name, knock.result)


def _media(request: Request, webhook: Webhook) -> str:
    """Raises 415 for what the source file does not expect."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if webhook.body == "form" and media != form.MEDIA_TYPE:
        raise ApiProblem("unsupported-media-type", f"this source sends {form.MEDIA_TYPE}")
    if webhook.body == "json" and media not in ("application/json", "text/json") and not media.endswith("+json"):
        raise ApiProblem("unsupported-media-type", "this source sends application/json")
    return media


async def _delivery(request: Request, public_url: str | None) -> WebhookDelivery:
    """As it arrived, with the URL that its sender knows. Raises 413."""
    body = await request.body()
    headers = tuple((name.decode("latin-1").lower(), value) for name, value in request.headers.raw)
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    base = public_url or f"{request.url.scheme}://{request.url.netloc}"
    query = request.scope["query_string"].decode("latin-1")
    path = raw_path.decode("latin-1").partition("?")[0]
    return WebhookDelivery(headers, f"{base.rstrip('/')}{path}" + (f"?{query}" if query else ""), body)


def _handshake(
    knock: _Knock, method: str, read: Callable[[_Knock], dict[str, Any]], *, is_verified: bool
) -> Response | None:
    """The answer to a platform that only asks whether we are there; None for a delivery."""
    handshake = knock.door.webhook.handshake
    if handshake is None or handshake.method != method or (handshake.signed and not is_verified):
        return None
    answer = handshake.reply(read(knock))
    if answer is None:
        return None
    knock.result = None
    return PlainTextResponse(answer) if isinstance(answer, str) else JSONResponse(answer)


def _event(knock: _Knock) -> dict[str, Any]:
    """What cannot be read is no handshake; the consumer sets it aside where it can be seen."""
    webhook, body = knock.door.webhook, knock.delivery.body
    try:
        return (form.read_form(body, webhook.json_fields) if webhook.body == "form" else strict_json.read_object(body))[
            0
        ]
    except InvalidRecord:
        return {}


def _parameters(knock: _Knock) -> dict[str, Any]:
    """Of the URL; one that is there twice is the last."""
    return dict(parse_qsl(urlsplit(knock.delivery.url).query, keep_blank_values=True))


def _unauthorized(knock: _Knock, rejected: Rejected, request: Request) -> ApiProblem:
    """Charged to the address that it came from, and only once it was judged: whoever is verified never pays for a
    neighbour's flood. Raises 429 instead when that address has sent too many."""
    knock.result = WebhookResult(rejected.reason)
    limiter: RateLimiter = request.app.state.limiter
    limiter.take(stranger(request.client.host if request.client else ""))
    return ApiProblem("unauthorized", rejected.detail)


def _pace(request: Request, name: str) -> None:
    """Raises 429 beyond what the source file allows a second."""
    pace: RateLimiter | None = request.app.state.paces.get(name)
    if pace is not None:
        pace.take(name)


async def _take(knock: _Knock, verified: Verified, dependencies: ApiDependencies) -> int:
    """How many events went on: none when the same delivery was taken within a day. Raises Unavailable."""
    name, body = knock.door.name, knock.delivery.body
    digest = None if verified.id is None else digest_of(verified.id, body)
    if digest is not None and await _is_replay(dependencies.engine, name, digest):
        knock.result = WebhookResult.REPLAYED
        return 0
    headers = ((CONTENT_TYPE, knock.media.encode()), (SOURCE_HEADER, name.encode()), *knock.trace.headers)
    await dependencies.send([OutRecord(topic=dependencies.survey_topic, value=body, headers=headers)])
    knock.result = WebhookResult.ACCEPTED
    logger.info("a webhook is passed on", extra=about(source=name))
    if digest is not None:
        await _remember(dependencies.engine, name, digest)
    return 1


async def _is_replay(engine: AsyncEngine, name: str, digest: bytes) -> bool:
    """While the database is away nothing counts as one: the consumer knows an event that comes twice by its id."""
    try:
        return await was_received(engine, name, digest)
    except Unavailable as error:
        logger.warning("whether a webhook of %s came before cannot be told: %s", name, error)
        return False


async def _remember(engine: AsyncEngine, name: str, digest: bytes) -> None:
    try:
        await remember_received(engine, name, digest)
    except Unavailable as error:
        logger.warning("a webhook of %s is not remembered: %s", name, error)
