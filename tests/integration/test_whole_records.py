"""Whatever bytes, headers and members a record has, it ends in one outcome, and the next good answer goes through."""

from __future__ import annotations

import json
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from alerts.document import read_document
from alerts.survey import EVENT_TYPE
from consumers.intake.record import Record
from consumers.sources.catalogue import Catalogue
from consumers.sources.source import Source
from tests.parts.answers import EVERY_MEMBER
from tests.parts.desk import Desk
from tests.parts.effort import EFFORT, FULL

RECORDS = 2_000 if EFFORT < FULL else 50_000
BATCH = 50
CATALOGUE = Catalogue(
    [
        read_document(
            Source,
            """
            name: tickets
            topics: [tickets]
            map:
              event_id: id
              response_id: answer
              time: {from: changed, type: datetime, format: epoch_ms}
              rating: {from: score, type: int}
              answered_at: {from: at, type: datetime, format: epoch_s}
              customer: {id: who, name: name, value: {from: worth, type: float}, since: since}
              interaction: {id: contact, queue: queue}
              attributes: {note: note, size: {from: size, type: int}}
            """,
            file="tickets.yaml",
        )
    ]
)
ENVELOPE = {"specversion": "1.0", "type": EVENT_TYPE, "source": "/crm", "id": "e-1", "time": "2026-11-22T09:00:00Z"}
TICKET = {
    "id": "t-1",
    "answer": "a-1",
    "changed": 1795338000000,
    "score": 2,
    "at": 1795338000,
    "who": "c-1",
    "name": "Ann",
    "worth": 4.5,
    "since": "2019-02-23",
    "contact": "k-1",
    "queue": "q",
    "note": "abc",
    "size": 3,
}

TEXTS = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "0",
        "null",
        "+1 415 555 2671",
        "UTC",
        "GBR",
        "1985",
        "x" * 30_000,
        "\u202e\u200b",
        "İ" * 512,
    ),
    *("2026-11-22T10:00:00", "2026-11-22T10:00:00Z", "2027-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "0000-01-01"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\ud800", "\udfff\ud800", "e-1", "c-17"),
)
NUMBERS = (
    *(0, -1, 1, 5, 17, 2**31, 2**53, 2**63, 2**64, 10**300, 253402300800, 1795338000000000),
    *(1e308, -1e308, 5e-324, 1e-400, -0.0, 2.0, 0.1, float("nan"), float("inf")),
)
HEADERS = (
    *("ce_id", "ce_time", "ce_source", "CE_ID", "ce_sequence", "content-type", "bottombox-source", "trace"),
    *("bottombox-origin-topic", "bottombox-origin-partition", "bottombox-origin-offset", "bottombox-origin-timestamp"),
)
HEADER_VALUES = (None, b"", b"e-1", b"tickets", b"application/json", b"1", b"\xff", b"\xff" * 600, b"\0")
TIMESTAMPS = (1795338000000, -1, 0, 1, 1795338000, 1795338000 * 10**6, 2**63 - 1, -(2**63))


class Sender:
    """Makes records of good events that were changed in a few places; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)

    def record(self) -> Record:
        """Its place in Kafka is not known yet."""
        pick = self.dice
        kind = pick.choice(["structured", "binary", "raw"])
        topic, headers = "surveys", [self.header() for _ in range(pick.choice([0, 0, 0, 1, 2]))]
        whole = {"structured": {**ENVELOPE, "data": EVERY_MEMBER}, "binary": EVERY_MEMBER, "raw": TICKET}[kind]
        body = self.changed(whole)
        if kind == "raw":
            topic = "tickets"
        if kind == "binary":
            names = {**ENVELOPE, "id": self.text() if pick.random() < 0.3 else self.own_id()}
            headers += [(f"ce_{name}", value.encode("utf-8", "surrogatepass")) for name, value in names.items()]
        value = json.dumps(body, ensure_ascii=pick.random() < 0.5).encode("utf-8", "surrogatepass")
        timestamp = pick.choice(TIMESTAMPS) if pick.random() < 0.2 else TIMESTAMPS[0]
        key = pick.choice([None, b"", b"key"])
        return Record(topic, pick.randrange(2), 0, timestamp, key, self.spoilt(value), tuple(headers))

    def own_id(self) -> str:
        return f"e-{self.dice.randrange(10_000)}"

    def header(self) -> tuple[str, bytes | None]:
        return self.dice.choice(HEADERS), self.dice.choice(HEADER_VALUES)

    def text(self) -> str:
        return self.rare() if self.dice.random() < 0.3 else self.dice.choice(TEXTS)

    def rare(self) -> str:
        """Hardly two characters are alike, so that a database cannot compress it."""
        length = self.dice.choice([200, 255, 256, 300, 512])
        return "".join(chr(self.dice.randrange(0x20000, 0x2A6DF)) for _ in range(length))

    def value(self, depth: int = 0) -> Any:
        pick = self.dice.randrange(10)
        if pick < 4:
            return self.text()
        if pick < 7:
            return self.dice.choice(NUMBERS)
        if pick < 8 or depth > 3:
            return self.dice.choice([None, True, False])
        if pick < 9:
            return [self.value(depth + 1) for _ in range(self.dice.randrange(3))]
        return {self.text(): self.value(depth + 1) for _ in range(self.dice.randrange(3))}

    def changed(self, whole: dict[str, Any]) -> dict[str, Any]:
        """`whole` with an id of its own, and some of its members, at any depth, taken out or put in the place of."""
        copy: dict[str, Any] = json.loads(json.dumps(whole))
        if "id" in whole:
            copy["id"] = self.own_id()
        if self.dice.random() < 0.05:  # what shares an index entry is long together
            copy |= {name: self.rare() for name in ("id", "source", "answer", "response_id") if name in whole}
        for _ in range(self.dice.randrange(4)):
            inner, names = copy, self.dice.choice(paths(whole)).split(".")
            for name in names[:-1]:
                inner = inner[name] if isinstance(inner.get(name), dict) else {}
            inner[names[-1]] = self.value()
            if self.dice.random() < 0.1:
                del inner[names[-1]]
        return copy

    def spoilt(self, value: bytes) -> bytes | None:
        """Seldom: a byte is another, the end is missing, or all of it."""
        if self.dice.random() < 0.95:
            return value
        at = self.dice.randrange(len(value))
        return self.dice.choice([value[:at], value[:at] + b"\xff" + value[at + 1 :], b"\0" + value, b"", None])


def paths(value: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for name, inner in value.items():
        found.append(f"{prefix}{name}")
        if isinstance(inner, dict):
            found += paths(inner, f"{prefix}{name}.")
    return found


OFFSETS = {(topic, partition): count() for topic in ("surveys", "tickets") for partition in (0, 1)}
GOOD = count()


def placed(record: Record) -> Record:
    return structs.replace(record, offset=next(OFFSETS[record.topic, record.partition]))


def good(id: str) -> Record:
    data = {**EVERY_MEMBER, "response_id": id, "rating": 1, "customer": {"id": id}}
    value = json.dumps({**ENVELOPE, "id": id, "data": data}).encode()
    return Record("surveys", 0, 0, 1795338000000, None, value)


@pytest.mark.timeout(1800)
@settings(max_examples=RECORDS // BATCH, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.integers(0, 2**32))
async def test_every_record_ends_in_one_outcome_and_the_next_good_answer_goes_through(desk: Desk, seed: int) -> None:
    desk.intake.catalogue = CATALOGUE
    before = sum((await desk.outcomes()).values())
    last = f"good-{next(GOOD)}"
    sender = Sender(seed)
    polled = [placed(record) for record in (*(sender.record() for _ in range(BATCH)), good(last))]
    pieces = await desk.take(polled)
    assert len(pieces) == 1, "nothing failed on the way"
    assert sum((await desk.outcomes()).values()) == before + len(polled)
    reasons = {dict(letter.headers)["bottombox-reason"] for letter in desk.shelf.kept}
    assert b"not_storable" not in reasons
    assert await desk.value("SELECT outcome FROM responses WHERE event_id = $1", last) == "bottom_box"
