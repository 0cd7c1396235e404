"""Sets aside what cannot be read: byte for byte, with its address and a reason, acknowledged before work goes on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from alerts.arrival import Address, DeadLettered
from alerts.errors import Unavailable
from alerts.log_fields import about
from consumers.intake import origin
from consumers.intake.moments import rfc3339
from consumers.intake.origin import Origin, RecordHeaders
from consumers.intake.record import Record, place_of
from consumers.kafka.producer import Delivery, OutRecord, Producer, RecordRefused, Sent
from consumers.kafka.torn import legible
from consumers.trace_context import trace_id_of

logger = logging.getLogger(__name__)

LARGEST = 16 * 1024 * 1024
"""Bytes that the dead-letter topic takes: a dead letter may be larger than the record was."""

TOLD_AT_MOST = 20
"""So many of what is set aside together have a log line of their own."""

GAINED = ("bottombox-reason", "bottombox-detail", *origin.NAMES, "bottombox-failed-at")
"""The headers that a dead letter gains, behind those that the record had, whatever their names."""


class RejectedRecord(Struct, frozen=True):
    """A record, and why it is set aside."""

    record: Record
    why: DeadLettered


class DeadLetters:
    """Sends dead letters, those of a batch together."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    async def set_aside(self, unread: Sequence[RejectedRecord]) -> list[Address | RecordRefused | Unavailable]:
        """Where each dead letter stands now, acknowledged, or why it does not. Raises Unavailable."""
        now = datetime.now(UTC)
        letters = [self._letter(each, now) for each in unread]
        delivered = await self._producer.deliver(letters) if letters else []
        if len(letters) > 1:  # Kafka refuses whole packets: alone, each is judged by itself
            delivered = [
                (await self._producer.deliver([letter]))[0] if isinstance(outcome, RecordRefused) else outcome
                for letter, outcome in zip(letters, delivered, strict=True)
            ]
        _tell([each for each, outcome in zip(unread, delivered, strict=True) if isinstance(outcome, Sent)])
        return [_address(outcome, now) for outcome in delivered]

    def _letter(self, unread: RejectedRecord, now: datetime) -> OutRecord:
        record = unread.record
        kept = tuple((legible(name), value) for name, value in record.headers)
        headers = (*kept, *gained(unread.why, now))
        return OutRecord(topic=self._topic, value=record.value, key=record.key, headers=headers, timestamp=now)


def _tell(kept: Sequence[RejectedRecord]) -> None:
    """One line for each, but a flood is told by its beginning; the ledger's index has them all."""
    for each in kept[:TOLD_AT_MOST]:
        why, trace = each.why, trace_id_of(each.record.headers)
        fields = about(
            trace=trace, record=place_of(why.address), source=why.source, reason=str(why.reason), field=why.field
        )
        logger.warning("a record is set aside", extra=fields)
    if len(kept) > TOLD_AT_MOST:
        logger.warning("more records are set aside with them", extra=about(count=len(kept) - TOLD_AT_MOST))


def _address(outcome: Delivery, now: datetime) -> Address | RecordRefused | Unavailable:
    if isinstance(outcome, RecordRefused | Unavailable):
        return outcome
    return Address(outcome.topic, outcome.partition, outcome.offset, now)


def gained(why: DeadLettered, now: datetime) -> RecordHeaders:
    """The headers named in GAINED (docs/surveys.md). None of them holds a value from the record."""
    detail = f"{why.field}: {why.detail}" if why.field else why.detail
    place = Origin(why.address.topic, why.address.partition, why.address.offset, why.address.timestamp)
    first, second, last = GAINED[0], GAINED[1], GAINED[-1]
    return (
        (first, str(why.reason).encode()),
        (second, detail.encode()),
        *place.headers(),
        (last, rfc3339(now).encode()),
    )


def as_it_was(headers: RecordHeaders) -> RecordHeaders:
    """The headers without those that the dead letter gained; the sender's own stay, whatever they are called."""
    names = tuple(name for name, _ in headers[-len(GAINED) :])
    return headers[: -len(GAINED)] if names == GAINED else headers
