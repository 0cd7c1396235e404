"""A form that a platform posts is an event like any other: its fields are the members."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from alerts.arrival import Answer, Arrival, DeadLettered
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.intake.record import Record, read_record
from consumers.sources.catalogue import Catalogue
from consumers.sources.form import read_form
from consumers.sources.source import read_source

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOURCE = read_source(
    """\
name: acme
webhook: {scheme: qualtrics, secrets: [ACME]}
map:
  event_id: MSG.id
  rating: MSG.score
  answered_at: {constant: "2026-11-24T10:00:00Z"}
  customer: {phone: From}
""",
    file="acme.yaml",
)


def record(value: bytes, media: str = "application/x-www-form-urlencoded; charset=UTF-8") -> Arrival:
    headers = (("content-type", media.encode()), ("bottombox-source", b"acme"))
    return read_record(Record("surveys", 0, 7, -1, None, value, headers), Catalogue([SOURCE]), NOW)


def test_the_consumer_reads_a_form_and_the_json_in_its_field() -> None:
    form = urlencode({"MSG": '{"id": "r-1", "score": 1}', "From": "+44 20 7946 0067", "HMAC": "00"})
    read = record(form.encode())
    assert isinstance(read, Answer), read
    assert (read.response.event_source, read.response.event_id) == ("/sources/acme", "r-1")
    assert read.response.customer.phone == "+442079460067"


@pytest.mark.parametrize(
    "form", [b"MSG=%7B", b"MSG=%FF", b"MSG=%7B%7D&MSG=%7B%7D", b"MSG=%7B%22a%22%3A1%2C%22a%22%3A2%7D", b"&".join([b"a"] * 2000)]
)  # fmt: skip
def test_a_form_that_says_nothing_certain_is_set_aside(form: bytes) -> None:
    read = record(form)
    assert isinstance(read, DeadLettered)
    assert read.reason is DeadLetterReason.MALFORMED


def test_a_form_may_be_blank_and_hold_a_nul() -> None:
    assert read_form(b"a=&b=x%00y", ()) == ({"a": "", "b": "xy"}, True)
    assert read_form(b"MSG=", ("MSG", "other")) == ({"MSG": ""}, False)
    with pytest.raises(InvalidRecord) as caught:
        read_form(b"a=" + b"x" * 1_048_575, ())
    assert caught.value.reason is DeadLetterReason.TOO_LARGE


def test_json_stays_json_whatever_the_source_sends_else() -> None:
    read = record(b'{"MSG": {"id": "r-1", "score": 1}, "From": "+44 20 7946 0067"}', "application/json")
    assert isinstance(read, Answer)
