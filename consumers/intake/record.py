"""Reads a Kafka record: an answer we understand, a notice of one to be fetched, a canary, a record to set aside with its
reason, or one only to be counted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from alerts.arrival import Address, Answer, Arrival, Canary, DeadLettered, Deferred, Passed, RecordOutcome
from alerts.canary import MARK_HEADER
from alerts.errors import safe_traceback
from alerts.flags import NUL_REMOVED
from alerts.survey import SurveyResponse
from consumers.intake import cloudevents, one_pass, strict_json
from consumers.intake.answer import clamp_future, read_response
from consumers.intake.cloudevents import CloudEvent
from consumers.intake.moments import recorded_at
from consumers.intake.origin import RecordHeaders, origin_of
from consumers.intake.reason import DeadLetterReason, InvalidRecord, Unrated
from consumers.kafka.torn import has_odd_name
from consumers.sources import form
from consumers.sources.catalogue import Catalogue
from consumers.sources.source import Source
from consumers.trace_context import trace_id_of

__all__ = ["CLOUDEVENTS", "DeadLetterReason", "Record", "read_record"]

logger = logging.getLogger(__name__)

HYDRATED_HEADER = "bottombox-hydrated"
"""`1` on an event that we have fetched: it is whole, and never deferred again."""

CLOUDEVENTS = "cloudevents"
"""The source in labels, filters and policy of events that need no source file."""

_CANONICAL = msgspec.json.Encoder(order="deterministic")


class Record(Struct, frozen=True):
    """What Kafka delivered. `timestamp_ms` is milliseconds since 1970, -1 when Kafka has none.

    `is_torn`: it broke Kafka's own format, and its value is all that was found of it.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: RecordHeaders = ()
    is_torn: bool = False


def read_record(record: Record, catalogue: Catalogue, now: datetime) -> Arrival:
    """Raises nothing, whatever the bytes: what comes of a record depends on it and the source files alone.

    `now` is when it was polled, and stands in for a time that Kafka does not have. A record to set aside has no
    dead letter yet.
    """
    address = Address(record.topic, record.partition, record.offset, recorded_at(record.timestamp_ms, now))
    if record.value is None:
        return Passed(address, RecordOutcome.TOMBSTONE)
    try:
        return _marked(_read(record, record.value, address, catalogue), record.value, record.headers)
    except Unrated:
        return Passed(address, RecordOutcome.TOMBSTONE, unrated=_source_of(record, catalogue))
    except InvalidRecord as why:
        return DeadLettered(address, why.reason, why.field, why.detail, _source_of(record, catalogue))
    except Exception as error:  # noqa: BLE001 - a fault of ours costs one record, never its partition
        logger.error("record %s: reading it failed: %s", place_of(address), safe_traceback(error))
        return not_storable(address, _source_of(record, catalogue))


def not_storable(address: Address, source: str | None) -> DeadLettered:
    """What stands in the place of a record that we could not handle, though nothing is known to be wrong with it."""
    detail = "this record could not be handled; the fault is ours, please report it"
    return DeadLettered(address, DeadLetterReason.NOT_STORABLE, None, detail, source)


def place_of(address: Address) -> str:
    """For logs."""
    return f"{address.topic}-{address.partition}@{address.offset}"


def _read(record: Record, value: bytes, address: Address, catalogue: Catalogue) -> Answer | Deferred:
    _check_format(record, address)
    headers = cloudevents.headers_of(record.headers)
    named = headers.get(cloudevents.SOURCE_HEADER)
    chosen = catalogue.choose(named, record.topic)
    cloudevents.check_format(value, headers)
    flags: tuple[str, ...] = ()
    event = one_pass.read_event(value, headers)
    if event is None:
        body, nul_removed = _body(value, headers, chosen)
        envelope = cloudevents.attributes_of(headers, body)
        flags = (NUL_REMOVED,) if nul_removed else ()
        if chosen is not None and not (envelope and cloudevents.is_ours(envelope[0])):
            if chosen.hydrate is not None and (HYDRATED_HEADER, b"1") not in record.headers:
                return Deferred(address, chosen.name, chosen.notice_id(body), record.key, value, record.headers)
            return _answer(record, address, chosen.read(body), chosen.name, sha256(value).digest(), flags)
        if envelope is None:
            raise InvalidRecord(
                DeadLetterReason.INVALID_ENVELOPE,
                "specversion",
                "this is no CloudEvent, and no source reads this topic",
            )
        attributes, binary = envelope
        event = cloudevents.read_event(attributes, body, binary=binary)
    name = chosen.name if chosen is not None and named is not None else CLOUDEVENTS
    return _answer(record, address, event, name, _value_hash(value, event, headers), flags)


def _value_hash(value: bytes, event: CloudEvent, headers: Mapping[str, str]) -> bytes:
    """Of all that says what the event is: in binary mode the headers are part of it."""
    digest = sha256(value)
    if headers and not cloudevents.is_structured(headers) and (attributes := cloudevents.in_headers(headers)):
        digest.update(f"{event.source}\n{event.id}\n{attributes.get('time')}".encode())
    return digest.digest()


def _marked(read: Answer | Deferred, value: bytes, headers: RecordHeaders) -> Answer | Deferred | Canary:
    mark = next((mark for name, mark in headers if name == MARK_HEADER), None) if headers else None
    return Canary(read, value, mark) if mark is not None and isinstance(read, Answer) else read


def _check_format(record: Record, address: Address) -> None:
    """Raises InvalidRecord for what breaks Kafka's own format: other clients stop at such a record for ever."""
    if record.is_torn:
        field, detail = None, "this is no Kafka record; its bytes are kept as they were found. Mend what writes them"
    elif has_odd_name(record.headers):
        field, detail = "headers", "the name of a header is not UTF-8; mend the sender, and send this one again"
    else:
        return
    logger.error("record %s is set aside: %s", place_of(address), detail)
    raise InvalidRecord(DeadLetterReason.MALFORMED, field, detail)


def notice_of(source: Source, value: bytes, headers: RecordHeaders) -> tuple[dict[str, Any], bool]:
    """A notice's members, as the consumer read them. Raises InvalidRecord."""
    return _body(value, cloudevents.headers_of(headers), source)


def _body(value: bytes, headers: Mapping[str, str], chosen: Source | None) -> tuple[dict[str, Any], bool]:
    """The event, and whether NUL was taken out. A platform's webhook may be a form; its source file knows the fields."""
    if chosen is None or cloudevents.media_of(headers) != form.MEDIA_TYPE:
        return strict_json.read_object(value)
    return form.read_form(value, chosen.webhook.json_fields if chosen.webhook is not None else ())


def _answer(
    record: Record, address: Address, event: CloudEvent, name: str, value_hash: bytes, flags: tuple[str, ...]
) -> Answer:
    sent = read_response(event, source=name, flags=flags)
    kept = content_hash(sent)
    origin = origin_of(record.headers)
    trace = trace_id_of(record.headers)
    if origin is None:
        return Answer(address, clamp_future(sent, address.timestamp), value_hash, kept, trace=trace)
    response = clamp_future(sent, min(address.timestamp, origin.timestamp))
    return Answer(address, response, value_hash, kept, origin.partition, origin.offset, trace=trace)


def content_hash(response: SurveyResponse) -> bytes:
    """32 bytes that are equal when all kept fields are, in whatever order and spelling they came."""
    kept = (
        response.response_id,
        response.survey_id,
        response.question,
        response.rating,
        response.scale,
        response.comment,
        response.answered_at,
        response.customer,
        response.interaction,
        response.attributes,
    )
    return sha256(_CANONICAL.encode(kept)).digest()


def _source_of(record: Record, catalogue: Catalogue) -> str | None:
    """The source file's name, where one is named and there is such a file, or one reads the topic."""
    named = [value or b"" for name, value in record.headers if name.lower() == cloudevents.SOURCE_HEADER]
    chosen = catalogue.get(named[0].decode("utf-8", "replace")) if named else catalogue.choose(None, record.topic)
    return None if chosen is None else chosen.name


def size_of(record: Record) -> int:
    """Bytes of key and value."""
    return len(record.value or b"") + len(record.key or b"")
