"""Survey events over HTTP: read as the consumer would, and answered once Kafka has acknowledged them."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from fastapi import APIRouter
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from alerts.arrival import Answer, DeadLettered
from alerts.identity import handle_of, record_key
from alerts.log_fields import about, plain_id
from app.api.context import ChangeResult, Context, RequestContext
from app.api.dependencies import OutRecord
from app.api.http.problems import ApiProblem
from app.api.http.route import GuardedRoute, declare
from app.api.http.tracing import trace_context
from app.api.schemas.event import EventError, EventItem, EventItems
from consumers.intake.lengths import MAX_TEXT
from consumers.intake.reason import DeadLetterReason
from consumers.intake.record import Record, read_record

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/v1/survey-events", tags=["survey events"], route_class=GuardedRoute)

EVENT = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
ENVELOPE = frozenset({"specversion", "type", "source", "id", "time", "data", "datacontenttype"})
EventHeaders = tuple[tuple[str, bytes], ...]

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")

_EXAMPLE = {
    "specversion": "1.0",
    "type": "survey.response.submitted.v1",
    "source": "/surveys/post-contact",
    "id": "r-81",
    "time": "2026-11-22T09:00:00Z",
    "data": {
        "rating": 2,
        "answered_at": "2026-11-22T10:00:00+01:00",
        "customer": {"id": "c-17", "phone": "+442079460067", "time_zone": "Europe/London"},
    },
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "one CloudEvent, structured or (with `ce-` headers) binary, or a batch of at most 4 MiB",
        "content": {
            EVENT: {"schema": {"type": "object"}, "example": _EXAMPLE},
            BATCH: {"schema": {"type": "array", "items": {"type": "object"}}, "example": [_EXAMPLE]},
            JSON: {"schema": {"type": "object"}, "example": _EXAMPLE},
        },
    }
}
_DECLARED = declare("events:ingest", status=202, response_model=EventItems)
_DECLARED["openapi_extra"] |= _BODY


class Given(Struct, frozen=True):
    """One event as it was sent: the record it would be, and what reading it comes to."""

    value: bytes
    headers: EventHeaders
    reading: Answer | DeadLettered


class _Named(Struct):
    id: Any = None


@router.post("", summary="Send survey events", **_DECLARED)
async def accept(context: Context) -> Response:
    """Each event is judged by itself; 202 when any was accepted, 422 when none was."""
    events = _events(context.request, await context.request.body())
    given = await asyncio.to_thread(_read, events, context)  # a large batch would hold up the requests beside it
    accepted = [each for each in given if isinstance(each.reading, Answer)]
    items = [_item(each) for each in given]
    if not accepted:
        raise _none_accepted(items)

    async def effect() -> ChangeResult:
        await context.dependencies.send([_record(each, context) for each in accepted])
        _tell(accepted)
        return ChangeResult(EventItems(items=items), status=202)

    return await context.send_out(effect)


def _events(request: Request, body: bytes) -> list[tuple[bytes, EventHeaders]]:
    """The events in a request, each with the headers that its Kafka record gets."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == BATCH:
        return [(bytes(each), _structured()) for each in _array(body)]
    if media == EVENT:
        return [(body, _structured())]
    binary = tuple(
        (f"ce_{name[3:]}", _unescaped(value)) for name, value in request.headers.items() if name.startswith("ce-")
    )
    if binary and (media == JSON or media.endswith("+json")):
        return [(body, (("content-type", media.encode()), *binary))]
    if media == JSON:
        return [(body, _structured())]
    raise ApiProblem("unsupported-media-type", f"send {EVENT}, {BATCH}, or {JSON} with a CloudEvent")


def _unescaped(value: str) -> bytes:
    """The value of a header (HTTP protocol binding for CloudEvents 1.0.2, section 3.1.3.2). Whether it is UTF-8 is
    judged where the record is read."""
    quoted = _QUOTED.fullmatch(value.strip())
    plain = _ESCAPED.sub(r"\1", quoted[1]) if quoted else value
    return unquote_to_bytes(plain.encode("latin-1"))  # as the server has decoded it


def _structured() -> EventHeaders:
    return (("content-type", f"{EVENT}; charset=UTF-8".encode()),)


def _array(body: bytes) -> list[msgspec.Raw]:
    try:
        events = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ApiProblem("malformed", "a batch is a JSON array of CloudEvents") from None
    if not events:
        raise ApiProblem("validation", "a batch holds at least one event", errors=[])
    return events


def _read(events: Sequence[tuple[bytes, EventHeaders]], context: RequestContext) -> list[Given]:
    """As the consumer will read them, once they are records on the first survey topic."""
    given = []
    now = datetime.now(UTC)
    for value, headers in events:
        record = Record("", 0, 0, -1, None, value, headers)
        reading = read_record(record, context.dependencies.catalogue, now)
        assert isinstance(reading, Answer | DeadLettered)
        given.append(Given(value, headers, reading))
    return given


def _record(given: Given, context: RequestContext) -> OutRecord:
    assert isinstance(given.reading, Answer)
    handle = handle_of(given.reading.response, shared_sources=context.dependencies.catalogue.shared_sources)
    assert handle is not None
    return OutRecord(
        topic=context.dependencies.survey_topic,
        key=record_key(handle, context.dependencies.secret_key),
        value=given.value,
        headers=(*given.headers, *trace_context(context.request.scope).headers),
    )


def _tell(accepted: Sequence[Given]) -> None:
    """One line for the request; a batch is told by its first event."""
    reading = accepted[0].reading
    assert isinstance(reading, Answer)
    response = reading.response
    event = plain_id(response.event_id)
    logger.info("events are passed on", extra=about(event=event, source=response.source, count=len(accepted)))


def _item(given: Given) -> EventItem:
    reading = given.reading
    if isinstance(reading, Answer):
        return EventItem(id=reading.response.event_id, status="accepted", errors=[])
    error = EventError(pointer=_pointer(reading.field, given.headers), detail=reading.detail, code=reading.reason)
    return EventItem(id=_id(given), status="rejected", errors=[error])


def _pointer(field: str | None, headers: EventHeaders) -> str:
    """Into the event. In binary mode the body is the data, and the envelope stands in headers."""
    if field is None:
        return ""
    path = "/" + field.replace(".", "/")
    is_binary = any(name.startswith("ce_") for name, _ in headers)
    return path if is_binary or field in ENVELOPE else f"/data{path}"


def _id(given: Given) -> str | None:
    """The sender's own id of a rejected event, where it can be read at all."""
    found: Any = dict(given.headers).get("ce_id")
    if found is None:
        try:
            found = msgspec.json.decode(given.value, type=_Named).id
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
    text = found.decode(errors="replace") if isinstance(found, bytes) else found
    return text[:MAX_TEXT] if isinstance(text, str) else None


def _none_accepted(items: Sequence[EventItem]) -> ApiProblem:
    is_malformed = len(items) == 1 and items[0].errors[0].code == DeadLetterReason.MALFORMED
    if is_malformed:
        return ApiProblem("malformed", items[0].errors[0].detail)
    errors = [
        {"pointer": error.pointer if len(items) == 1 else f"/{number}{error.pointer}", "detail": error.detail}
        | {"code": error.code}
        for number, item in enumerate(items)
        for error in item.errors
    ]
    told_items = [item.model_dump() for item in items]
    return ApiProblem("validation", "no event was accepted", errors=errors, items=told_items)
