"""Where each consumed Kafka offset ends: in exactly one of these."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import force_setattr

from alerts.survey import SurveyResponse

_ITS_OWN = -1  # no place in Kafka


class RecordOutcome(StrEnum):
    BOTTOM_BOX = "bottom_box"  # an alert, on a callback
    NOT_BOTTOM_BOX = "not_bottom_box"  # kept, nobody phones
    DUPLICATE = "duplicate"  # the same event again, with the same content
    CONFLICT = "conflict"  # the same event again, with other content; the first wins
    STALE = "stale"  # an older revision of an answer that we know better
    SUPPRESSED = "suppressed"  # opted out, too old or erased: a written rule says no call
    DEFERRED = "deferred"  # a thin notice, to be fetched
    DEAD_LETTERED = "dead_lettered"  # cannot be read; set aside
    TOMBSTONE = "tombstone"  # nothing is said: no value, or an answer whose source file passes over the missing rating
    CANARY = "canary"  # our own


class Address(Struct, frozen=True, gc=False):
    """Where a record stands in Kafka; `timestamp` is the broker's or the producer's, aware, UTC.

    Where Kafka has none, or one that cannot be right, `timestamp` is the moment at which the record was polled.
    """

    topic: str
    partition: int
    offset: int
    timestamp: datetime


class RawRecord(Struct, frozen=True, gc=False):
    """A record as it came, byte for byte."""

    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...]


class Answer(Struct, frozen=True, gc=False):
    """A record that could be read. Both hashes are SHA-256: of the value's bytes, and of the members we keep.

    `origin_partition` and `origin_offset` order revisions of equal time: where the record stood the first time, if it
    was sent again (a redriven dead letter, a notice that was fetched), else its own place. `raw` is there only where the
    policy keeps it. `trace`: the id of the trace that it belongs to, if its sender said so.
    """

    address: Address
    response: SurveyResponse
    value_hash: bytes
    content_hash: bytes
    origin_partition: int = _ITS_OWN
    origin_offset: int = _ITS_OWN
    raw: RawRecord | None = None
    trace: str | None = None

    def __post_init__(self) -> None:
        if self.origin_partition == _ITS_OWN:
            force_setattr(self, "origin_partition", self.address.partition)
            force_setattr(self, "origin_offset", self.address.offset)


class DeadLettered(Struct, frozen=True):
    """A record that could not be read. Its dead letter stands at `kept_at`, once that is acknowledged."""

    address: Address
    reason: str
    field: str | None
    detail: str
    source: str | None
    kept_at: Address | None = None


class Passed(Struct, frozen=True, gc=False):
    """A record that needs no more than to be counted. `unrated`: the source in whose answer there was no rating."""

    address: Address
    outcome: RecordOutcome
    unrated: str | None = None


class Deferred(Struct, frozen=True):
    """A thin notice, kept as it came until what it tells of is fetched. Known by its source and `notice_id`."""

    address: Address
    source: str
    notice_id: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...]


class Canary(Struct, frozen=True):
    """An answer whose `mark` says that we sent it ourselves; whether that is so, `alerts.ledger.intake.canaries` knows."""

    answer: Answer
    value: bytes
    mark: bytes

    @property
    def address(self) -> Address:
        return self.answer.address


Arrival = Answer | DeadLettered | Passed | Deferred | Canary
