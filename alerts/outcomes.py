"""Where each consumed Kafka offset ends: in exactly one of these."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from alerts.survey import SurveyResponse


class RecordOutcome(StrEnum):
    BOTTOM_BOX = "bottom_box"  # an alert, on a callback
    NOT_BOTTOM_BOX = "not_bottom_box"  # kept, nobody phones
    DUPLICATE = "duplicate"  # the same event again, with the same content
    CONFLICT = "conflict"  # the same event again, with other content; the first wins
    STALE = "stale"  # an older revision of an answer that we know better
    SUPPRESSED = "suppressed"  # opted out, too old or erased: a written rule says no call
    DEFERRED = "deferred"  # a thin notice, to be fetched
    DEAD_LETTERED = "dead_lettered"  # cannot be read; set aside
    TOMBSTONE = "tombstone"  # no value
    CANARY = "canary"  # our own


class Address(Struct, frozen=True):
    """Where a record stands in Kafka; `timestamp` is the broker's or the producer's, aware, UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime


class Answer(Struct, frozen=True):
    """A record that could be read. Both hashes are SHA-256: of the value's bytes, and of the members we keep."""

    address: Address
    response: SurveyResponse
    value_hash: bytes
    content_hash: bytes


class SetAside(Struct, frozen=True):
    """A record that could not be read; its dead letter is acknowledged and stands at `kept_at`."""

    address: Address
    reason: str
    field: str | None
    detail: str
    source: str | None
    kept_at: Address | None


class Passed(Struct, frozen=True):
    """A record that needs no more than to be counted."""

    address: Address
    outcome: RecordOutcome


Arrival = Answer | SetAside | Passed
