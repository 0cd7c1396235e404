"""Where a record that is sent again stood the first time, as its headers say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from consumers.intake.moments import Moment, is_believable, rfc3339, utc

RecordHeaders = tuple[tuple[str, bytes | None], ...]

NAMES = (
    "bottombox-origin-topic",
    "bottombox-origin-partition",
    "bottombox-origin-offset",
    "bottombox-origin-timestamp",
)
_NUMBER = re.compile(rb"[0-9]{1,18}")
_LAST_PARTITION = 2**31 - 1


class Origin(Struct, frozen=True):
    """A place in Kafka, and when the record was written there."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime

    def headers(self) -> RecordHeaders:
        values = (self.topic, str(self.partition), str(self.offset), rfc3339(self.timestamp))
        return tuple((name, value.encode()) for name, value in zip(NAMES, values, strict=True))


def origin_of(headers: Sequence[tuple[str, bytes | None]]) -> Origin | None:
    """The last that the headers name; None when there is none, or what is there cannot be read."""
    found = {name: value for name, value in headers if name in NAMES} if headers else None
    if not found:
        return None
    topic, partition, offset, timestamp = (found.get(name) or b"" for name in NAMES)
    if not (topic and _NUMBER.fullmatch(partition) and _NUMBER.fullmatch(offset) and int(partition) <= _LAST_PARTITION):
        return None
    try:
        moment = utc(msgspec.convert(timestamp.decode(), Moment))
        return Origin(topic.decode(), int(partition), int(offset), moment) if is_believable(moment) else None
    except (UnicodeDecodeError, msgspec.ValidationError):
        return None
