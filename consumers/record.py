"""Reads a Kafka record: an answer we understand, a record to set aside with its reason, or a tombstone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeAlias

import msgspec
from msgspec import Struct

from alerts.survey import SurveyResponse
from consumers import cloudevents, strict_json
from consumers.answer import mend_clock, read_answer
from consumers.cloudevents import Event
from consumers.reason import CannotRead, Reason
from consumers.sources.catalogue import Catalogue

__all__ = ["CLOUDEVENTS", "Decoded", "Reading", "Reason", "Record", "Tombstone", "Unreadable", "read_record"]

CLOUDEVENTS = "cloudevents"
"""The source in labels, filters and policy of events that need no source file."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999  # the end of the year 9999
_CANONICAL = msgspec.json.Encoder(order="deterministic")


class Record(Struct, frozen=True):
    """What Kafka delivered. `timestamp_ms` is milliseconds since 1970, -1 when Kafka has none."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Decoded(Struct, frozen=True):
    """A valid answer, and two hashes of 32 bytes that tell a duplicate from a conflict.

    `value_hash`: SHA-256 of the value's bytes, in binary mode also of the headers that identify the event.
    `content_hash`: of the fields we keep, so that the same event has the same,
    serialised anew or sent again later.
    """

    record: Record
    response: SurveyResponse
    value_hash: bytes
    content_hash: bytes


class Unreadable(Struct, frozen=True):
    """A record to set aside. `detail` says what to mend; neither it nor `field` quotes the record."""

    record: Record
    reason: Reason
    field: str | None
    detail: str


class Tombstone(Struct, frozen=True):
    """A record without a value: nothing is said, and nothing is wrong."""

    record: Record


Reading: TypeAlias = Decoded | Unreadable | Tombstone


def read_record(record: Record, catalogue: Catalogue) -> Reading:
    """Pure, and raises nothing, whatever the bytes: the outcome depends on record and source files alone."""
    if record.value is None:
        return Tombstone(record)
    try:
        return _read(record, record.value, catalogue)
    except CannotRead as why:
        return Unreadable(record, why.reason, why.field, why.detail)


def _read(record: Record, value: bytes, catalogue: Catalogue) -> Decoded:
    headers = cloudevents.headers_of(record.headers)
    named = headers.get(cloudevents.SOURCE_HEADER)
    chosen = catalogue.choose(named, record.topic)
    cloudevents.check_format(value, headers)
    body, nul_removed = strict_json.read_object(value)
    envelope = cloudevents.attributes_of(headers, body)
    digest = sha256(value)
    if chosen is not None and not (envelope and cloudevents.is_ours(envelope[0])):
        event, name = chosen.read(body), chosen.name
    elif envelope is not None:
        attributes, binary = envelope
        event = cloudevents.read_event(attributes, body, binary=binary)
        name = chosen.name if chosen is not None and named is not None else CLOUDEVENTS
        if binary:
            digest.update(f"{event.source}\n{event.id}\n{attributes.get('time')}".encode())
    else:
        raise CannotRead(
            Reason.INVALID_ENVELOPE, "specversion", "this is no CloudEvent, and no source reads this topic"
        )
    return _decoded(record, event, name, digest.digest(), ("nul_removed",) if nul_removed else ())


def _decoded(record: Record, event: Event, name: str, value_hash: bytes, flags: tuple[str, ...]) -> Decoded:
    sent = read_answer(event, source=name, flags=flags)
    response = mend_clock(sent, _recorded_at(record.timestamp_ms), event.time)
    return Decoded(record, response, value_hash, content_hash(sent))


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


def _recorded_at(timestamp_ms: int) -> datetime | None:
    if not 0 < timestamp_ms <= _LAST_MS:
        return None
    return _EPOCH + timedelta(milliseconds=timestamp_ms)
