"""Why a record cannot be read: the closed list of codes that dead letters carry."""

from __future__ import annotations

from enum import StrEnum

from alerts.errors import BottomboxError


class DeadLetterReason(StrEnum):
    """The codes of docs/surveys.md. Dashboards and redrive rules name these."""

    MALFORMED = "malformed"  # not strict JSON, or not an object
    TOO_DEEP = "too_deep"  # more than 32 levels
    TOO_LARGE = "too_large"  # more than 1 MiB
    INVALID_ENVELOPE = "invalid_envelope"  # a CloudEvents attribute is missing or cannot be right
    UNSUPPORTED_VERSION = "unsupported_version"  # of CloudEvents, or of our own event
    UNSUPPORTED_FORMAT = "unsupported_format"  # not JSON at all: Avro, Protobuf, XML
    INVALID_RATING = "invalid_rating"
    UNKNOWN_SCALE = "unknown_scale"
    INVALID_TIME = "invalid_time"
    NO_HANDLE = "no_handle"  # nobody could find this customer again
    INVALID_FIELD = "invalid_field"  # the answer's own identity is no text, or too long
    UNKNOWN_SOURCE = "unknown_source"  # no source file has the name in the header
    MAPPING_FAILED = "mapping_failed"  # the source file made nothing of this event
    HYDRATE_FAILED = "hydrate_failed"  # the platform did not give us the whole event
    NOT_STORABLE = "not_storable"  # it could be read, but not kept: a fault of ours, to be reported


class InvalidRecord(BottomboxError):
    """This record cannot be read. `detail` says what to mend and never holds a value from the record."""

    def __init__(self, reason: DeadLetterReason, field: str | None, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.field = field
        self.detail = detail


class Unrated(InvalidRecord):
    """An answer without a rating, skipped or N/A, which the source file passes over: nothing is said, nothing is wrong."""

    def __init__(self) -> None:
        super().__init__(DeadLetterReason.INVALID_RATING, "rating", "the customer gave none")
