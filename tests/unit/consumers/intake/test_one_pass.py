"""What one pass over the bytes reads is what the exact way reads, whatever the bytes; and it reads what is usual."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.arrival import Answer, Arrival
from consumers.intake import one_pass, strict_json
from consumers.intake.origin import RecordHeaders
from consumers.intake.record import read_record
from tests.parts.effort import times
from tests.unit.consumers.intake.test_record import CATALOGUE, DATA, ENVELOPE, NOW, binary, record

STRUCTURED: RecordHeaders = (("content-type", b"application/cloudevents+json; charset=utf-8"),)
TIMES = st.sampled_from(["2026-11-22T10:00:00+01:00", "2026-11-22 10:00:00Z", "1999-01-01T00:00:00Z", "soon", ""])
ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | TIMES
    | st.sampled_from(
        ['"', '\\"', "x" * 600, "null", ": null", "\0", "a\x7fb", "{{id}}", "-", 2**53 + 1, 1e300, [], {}]
    )
    | st.just({"id": "a"})
)
PATHS = [
    *([name] for name in DATA),
    *(["customer", name] for name in DATA["customer"]),
    *(["interaction", name] for name in DATA["interaction"]),
    *(["survey", name] for name in DATA["survey"]),
    *(["interaction", "agent", name] for name in ("id", "team")),
    *(["scale", name] for name in ("worst", "best")),
    ["attributes", "more"],
    ["of ours it is none"],
]
CHANGES = st.lists(st.tuples(st.sampled_from(PATHS), st.just(...) | ODD), max_size=3)
ATTRIBUTES = st.dictionaries(
    st.sampled_from([*ENVELOPE, "time", "subject", "datacontenttype", "traceparent", "data_base64", "partitionkey"]),
    ODD | st.sampled_from(["1.0", "application/json", "2026-11-22T09:00:00Z"]),
    max_size=2,
)


def changed(changes: list[tuple[list[str], Any]]) -> dict[str, Any]:
    """DATA with some of its members gone (`...`), or something else."""
    data: dict[str, Any] = json.loads(json.dumps(DATA))
    for (*parents, name), value in changes:
        part = data
        for parent in parents:
            inner = part.get(parent)
            part[parent] = part = inner if isinstance(inner, dict) else {}
        if value is ...:
            part.pop(name, None)
        else:
            part[name] = deepcopy(value)
    return data


@st.composite
def texts(draw: st.DrawFn, whole: dict[str, Any]) -> bytes:
    """As one of many programs would write it, or as somebody has broken it."""
    text = json.dumps(whole, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    if draw(st.booleans()):  # a member twice, plainly or with a sign of its name escaped
        name = draw(st.sampled_from(["rating", "id", "r\\u0061ting", "data", "comment", "response_id"]))
        at = draw(st.sampled_from([place for place, sign in enumerate(text) if sign == "{"]))
        text = f'{text[: at + 1]}"{name}": {json.dumps(draw(ODD))}, {text[at + 1 :]}'
    value = text.encode("utf-8", "replace")
    if draw(st.booleans()):
        at, length = draw(st.integers(0, len(value))), draw(st.integers(0, 3))
        piece = draw(st.binary(max_size=2) | st.sampled_from([b'\\"', b"\\u0022", b"\\u0000", b'"', b"null", b"}"]))
        value = value[:at] + piece + value[at + length :]
    return value


@st.composite
def sent(draw: st.DrawFn) -> tuple[bytes, RecordHeaders]:
    data, attributes = changed(draw(CHANGES)), draw(ATTRIBUTES)
    if draw(st.booleans()):
        whole = {**ENVELOPE, **attributes, "data": data}
        return draw(texts(whole)), draw(st.sampled_from([(), STRUCTURED, STRUCTURED * 2]))
    texts_only = {name: value for name, value in attributes.items() if isinstance(value, str)}
    return draw(texts(data)), binary(**texts_only)


@contextmanager
def the_exact_way_only() -> Iterator[None]:
    with mock.patch.object(one_pass, "read_event", return_value=None):
        yield


def read(value: bytes, headers: RecordHeaders) -> Arrival:
    return read_record(record(value, headers), CATALOGUE, NOW)


@given(sent())
@example((b'{"specversion": "1.0", "rating": 1, "rating": 5}', ()))
@settings(max_examples=times(15_000))
def test_one_pass_reads_what_the_exact_way_reads(sent: tuple[bytes, RecordHeaders]) -> None:
    found = read(*sent)
    with the_exact_way_only():
        exactly = read(*sent)
    assert repr(found) == repr(exactly)


@pytest.mark.parametrize(
    ("data", "more"),
    [
        (DATA, {}),
        ({name: DATA[name] for name in ("rating", "answered_at", "customer")}, {}),
        ({**DATA, "comment": None, "survey": None, "customer": {**DATA["customer"], "phone": None}}, {"time": None}),
        ({**DATA, "comment": 'Sie sagte: "Grüße" \\ ok'}, {"subject": "x", "traceparent": "00-ab", "dataschema": None}),
    ],
    ids=["all members", "few members", "members that are null", "escapes, and attributes of others"],
)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_what_is_usual_is_read_in_one_pass(data: dict[str, Any], more: dict[str, Any], ascii_only: bool) -> None:
    structured = json.dumps({**ENVELOPE, **more, "data": data}, ensure_ascii=ascii_only).encode()
    alone = json.dumps(data, ensure_ascii=ascii_only).encode()
    with mock.patch.object(strict_json, "read_object", side_effect=AssertionError):
        for value, headers in ((structured, ()), (structured, STRUCTURED), (alone, binary())):
            assert isinstance(read(value, headers), Answer)
