"""A dead letter is judged as it would be if it were sent again now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.ledger.reading.dead_letters import DeadLetter
from consumers.intake.redrive import again
from consumers.intake.rehearsal import Rehearsed, what_becomes_of
from consumers.sources.catalogue import Catalogue
from consumers.sources.source import read_source

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
LETTER = DeadLetter(
    id=17,
    topic="surveys",
    partition=0,
    offset=5,
    recorded_at=AT,
    reason="unknown_source",
    field="bottombox-source",
    detail="",
    source=None,
    failed_at=AT,
    dead_topic="surveys.dead",
    dead_partition=0,
    dead_offset=0,
    redriven_at=None,
    redriven_by=None,
    gone_at=None,
)
MENDED = "name: calls\nunrated: pass_over\nmap: {event_id: id, rating: key, answered_at: at, interaction: {id: id}}"
HEADERS = (("bottombox-source", b"calls"),)


@pytest.mark.parametrize(
    ("value", "mended", "now", "field"),
    [
        (b'{"id": "c", "key": 1, "at": "2026-11-22T08:00:00Z"}', False, "unknown_source", "bottombox-source"),
        (b'{"id": "c", "key": 1, "at": "2026-11-22T08:00:00Z"}', True, "read", None),
        (b'{"id": "c"}', True, "passed_over", None),
        (b'{"id": "c", "key": 9, "at": "2026-11-22T08:00:00Z"}', True, "invalid_rating", "rating"),
        (b'{"id": "c", "key": 1}', True, "invalid_time", "answered_at"),
        (b"{", True, "malformed", None),
    ],
)
def test_a_rehearsal_says_what_the_reader_would_say(value: bytes, mended: bool, now: str, field: str | None) -> None:
    catalogue = Catalogue([read_source(MENDED, file="calls.yaml")] if mended else [])
    found = what_becomes_of(LETTER, again(LETTER, key=None, value=value, headers=HEADERS), catalogue, AT)
    assert (found.id, found.now, found.field) == (17, now, field)
    assert found.would_be_read == (now in ("read", "passed_over"))


def test_what_kafka_no_longer_keeps_would_not_be_read() -> None:
    assert not Rehearsed(17, "gone").would_be_read
