"""Whose trace a piece of work belongs to, and what is no trace (W3C Trace Context, sections 3.2 and 4)."""

from __future__ import annotations

from uuid import UUID

import pytest

from consumers.trace_context import TraceContext, begin_trace, read_traceparent, trace_id_of, trace_of

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
KNOWN = TraceContext(TRACE, PARENT, is_sampled=True)


def test_it_is_read_and_handed_on_as_it_came() -> None:
    sent = f"00-{TRACE}-{PARENT}-01"
    assert read_traceparent([sent]) == KNOWN
    assert KNOWN.headers == (("traceparent", sent.encode()),)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (f"00-{TRACE}-{PARENT}-00", TraceContext(TRACE, PARENT, is_sampled=False)),
        (f"00-{TRACE}-{PARENT}-03", KNOWN),
        (f"00-{TRACE}-{PARENT}-fe", TraceContext(TRACE, PARENT, is_sampled=False)),
        (f"cc-{TRACE}-{PARENT}-01", KNOWN),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like", KNOWN),
        (f"cc-{TRACE}-{PARENT}-01-", KNOWN),
    ],
)
def test_a_later_version_and_unknown_flags_are_read_as_far_as_we_know_them(value: str, found: TraceContext) -> None:
    assert read_traceparent([value]) == found
    assert read_traceparent([found.headers[0][1].decode()]) == found, "what we send is version 00"


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT.upper()}-01",
        f"0A-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-0A",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01-",
        f"00-{TRACE}-{PARENT}-01\n",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}1-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f" 00-{TRACE}-{PARENT}-01",
        f"00_{TRACE}_{PARENT}_01",
        f"0\N{FULLWIDTH DIGIT ZERO}-{TRACE}-{PARENT}-01",
    ],
)
def test_what_is_malformed_is_as_if_it_were_not_there(value: str) -> None:
    assert read_traceparent([value]) is None
    assert trace_of([("traceparent", value.encode())]) is None


def test_two_of_them_are_none() -> None:
    assert read_traceparent([f"00-{TRACE}-{PARENT}-01"] * 2) is None


def test_on_kafka_it_is_the_header_of_that_name() -> None:
    good = f"00-{TRACE}-{PARENT}-01".encode()
    assert trace_id_of([("ce_id", b"e"), ("Traceparent", good)]) == TRACE
    assert trace_id_of([("traceparent", None)]) is None
    assert trace_id_of([("traceparent", b"\xff")]) is None
    assert trace_id_of([("ce_traceparent", good)]) is None
    assert trace_id_of([]) is None


def test_a_request_without_one_begins_a_trace_that_has_its_id() -> None:
    begun = begin_trace(UUID(TRACE))
    assert begun.trace_id == TRACE
    assert read_traceparent([begun.headers[0][1].decode()]) == begun
