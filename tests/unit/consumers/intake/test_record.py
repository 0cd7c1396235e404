"""Every record becomes an answer, a record set aside for a stated reason, or a tombstone."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.arrival import Address, Answer, Arrival, DeadLettered, Passed, RecordOutcome
from alerts.document import read_document
from alerts.scale import Scale
from alerts.survey import EVENT_TYPE, SurveyResponse
from consumers.intake.origin import Origin, RecordHeaders
from consumers.intake.reason import DeadLetterReason
from consumers.intake.record import Record, read_record
from consumers.sources.catalogue import Catalogue, load_catalogue
from consumers.sources.source import Source

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
NOW = AT + timedelta(minutes=1)
DATA: dict[str, Any] = {
    "response_id": "r-81",
    "survey": {"id": "post-contact", "question": "overall"},
    "rating": 2,
    "scale": {"worst": 1, "best": 5},
    "comment": "Nobody called me back.",
    "answered_at": "2026-11-22T10:00:00+01:00",
    "customer": {
        "id": "c-17",
        "name": "Ann Example",
        "phone": "+44 20 7183 8750",
        "email": "ann@example.org",
        "time_zone": "Europe/London",
        "country": "gb",
        "language": "en-GB",
        "segment": "gold",
        "since": "2019-02-23",
        "value": 42.5,
    },
    "interaction": {
        "id": "conv-9",
        "channel": "voice",
        "queue": "billing",
        "reason": "invoice",
        "agent": {"id": "a7", "team": "north"},
        "started_at": "2026-11-22T09:40:00+01:00",
        "ended_at": "2026-11-22T08:50:00Z",
    },
    "attributes": {"any": ["json", 1]},
}
ENVELOPE = {"specversion": "1.0", "type": EVENT_TYPE, "source": "/crm", "id": "e-1"}
TICKETS = """
name: tickets
topics: [tickets]
when: kind == 'rated'
scale: {worst: 0, best: 10}
customer_ids: shared
map:
  event_id: id
  rating: {from: score, type: int}
  answered_at: {from: at, type: datetime, format: epoch_s}
  customer: {id: who}
  attributes: {size: "length(note)"}
"""
TICKET = {"kind": "rated", "id": "t-1", "score": "3", "at": 1795338000, "who": "c-1", "note": "abc"}
CATALOGUE = Catalogue([*load_catalogue(), read_document(Source, TICKETS, file="tickets.yaml")])


def binary(**changes: str | None) -> RecordHeaders:
    attributes = {**ENVELOPE, **changes}
    return tuple((f"ce_{name}", value.encode()) for name, value in attributes.items() if value is not None)


def record(value: Any, headers: RecordHeaders = (), *, topic: str = "survey.responses", at: datetime = AT) -> Record:
    body = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    return Record(topic, 3, 41, int(at.timestamp() * 1000), b"key", body, headers)


def read(value: Any, headers: RecordHeaders | None = None, **more: Any) -> Arrival:
    return read_record(record(value, binary() if headers is None else headers, **more), CATALOGUE, NOW)


def decoded(value: Any, headers: RecordHeaders | None = None, **more: Any) -> Answer:
    found = read(value, headers, **more)
    assert isinstance(found, Answer), found
    return found


def answer(**changes: Any) -> SurveyResponse:
    return decoded({**DATA, **changes}).response


def data(**changes: Any) -> dict[str, Any]:
    """DATA with members changed, or removed when they are None."""
    return {name: value for name, value in {**DATA, **changes}.items() if value is not None}


def customer(**changes: Any) -> dict[str, Any]:
    return data(customer={**DATA["customer"], **changes})


def interaction(**changes: Any) -> dict[str, Any]:
    return data(interaction={**DATA["interaction"], **changes})


def structured(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ENVELOPE, "data": DATA, **changes}.items() if value is not None}


def test_a_binary_event_becomes_a_survey_response_with_every_member() -> None:
    response = decoded(DATA).response
    assert (response.event_source, response.event_id, response.source) == ("/crm", "e-1", "cloudevents")
    assert (response.response_id, response.survey_id, response.question) == (
        "r-81",
        "post-contact",
        "overall",
    )
    assert (response.rating, response.scale, response.comment) == (2, Scale(1, 5), "Nobody called me back.")
    assert response.answered_at == response.revised_at == AT
    assert response.answered_at.tzinfo is UTC
    person = response.customer
    assert (person.id, person.name, person.email) == ("c-17", "Ann Example", "ann@example.org")
    assert (person.phone, person.country, person.language) == ("+442071838750", "GB", "en-gb")
    assert (person.time_zone, person.segment) == ("Europe/London", "gold")
    assert (person.since, person.value) == (date(2019, 2, 23), 42.5)
    contact = response.interaction
    assert (contact.id, contact.channel, contact.queue, contact.reason) == (
        "conv-9",
        "voice",
        "billing",
        "invoice",
    )
    assert (contact.agent_id, contact.agent_team) == ("a7", "north")
    assert contact.started_at == AT - timedelta(minutes=20)
    assert contact.ended_at == AT - timedelta(minutes=10)
    assert response.attributes == {"any": ["json", 1]}
    assert response.flags == ()


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("content-type", b"application/cloudevents+json"),),
        (("Content-Type", b"Application/CloudEvents+JSON; charset=utf-8"),),
        (("content-type", b"application/cloudevents+json"), ("ce_id", b"e-1")),
    ],
)
def test_a_structured_event_is_the_same_answer(headers: RecordHeaders) -> None:
    assert decoded(structured(), headers).response == decoded(DATA).response


def test_what_is_optional_may_be_missing_null_or_empty() -> None:
    least = {"rating": 1, "answered_at": "2026-11-22T09:00:00Z", "interaction": {"id": "conv-9"}}
    nulls = {**dict.fromkeys(DATA), **least}
    empty = {
        **least,
        "comment": "",
        "response_id": "",
        "survey": {},
        "customer": {"id": "", "phone": ""},
        "attributes": {},
    }
    first = decoded(least).response
    assert first.response_id == "e-1"
    assert first.scale == Scale(1, 5)
    assert decoded(nulls).response == decoded(empty).response == first
    assert first.flags == ()


def test_a_header_may_be_repeated_by_a_relay_with_the_same_value() -> None:
    assert decoded(DATA, (*binary(), *binary(), JSON, JSON)).response == decoded(DATA).response


def test_headers_beside_a_structured_event_decide_nothing_that_they_do_not_identify() -> None:
    event = structured(sequence=1, sampled=True, time="2026-11-22T09:00:00Z")
    headers = (
        *(("ce_sequence", b"1"), ("ce_sampled", b"true"), ("ce_time", b"2026-11-22T10:00:00+01:00")),
        *(("ce_traceparent", b"00-1"), ("ce_id", b"e-1")),
    )
    assert decoded(event, (CLOUDEVENT, *headers)).response == decoded(event, (CLOUDEVENT,)).response


def test_a_header_without_a_value_is_as_if_not_there() -> None:
    nulls = (("ce_time", None), ("content-type", None), ("bottombox-source", None))
    assert decoded(DATA, (*binary(), *nulls)).response == decoded(DATA).response


def test_an_attribute_that_nobody_reads_may_be_anything() -> None:
    """Tracing puts its own beside the event, once for each hop (spring-projects/spring-kafka #2528)."""
    odd = (("ce_subject", b"caf\xe9"), ("ce_traceparent", b"00-1"), ("ce_traceparent", b"00-2"))
    assert read(DATA, (*binary(), *odd)) == read(DATA, binary())


@pytest.mark.parametrize("odd", [b"\xff", b"soon", b"2026-11-22T09:00:10Z"])
def test_a_time_in_headers_that_cannot_be_read_or_differs_is_dropped(odd: bytes) -> None:
    found = decoded(DATA, (*binary(time="2026-11-22T09:00:05Z"), ("ce_time", odd))).response
    assert found.flags == ("dropped:time",)
    assert found.revised_at == found.answered_at


def test_quotation_marks_that_a_client_writes_around_a_header_are_none_of_its_text() -> None:
    """Older Spring clients send each header as JSON."""
    quoted = tuple((name, b'"%s"' % value) for name, value in (*binary(), ("content-type", b"application/json")))
    assert decoded(DATA, quoted).response == decoded(DATA, binary()).response


@pytest.mark.parametrize("nothing", ["undefined", "null", "N/A", "{{response.id}}", "[object Object]", "0", "-"])
def test_an_id_that_names_no_answer_makes_no_revision_of_a_strangers(nothing: str) -> None:
    found = answer(response_id=nothing)
    assert (found.response_id, found.flags) == ("e-1", ("dropped:response_id",))


@pytest.mark.parametrize("blank", [" r-81", "r-81\u00a0", "r-81\u200b"])
def test_blanks_around_it_make_no_other_answer(blank: str) -> None:
    assert answer(response_id=blank).response_id == "r-81"


@pytest.mark.parametrize("unset", ["0001-01-01", "1900-01-01", "1899-12-30", "1970-01-01T00:00:00Z", "9999-12-31"])
def test_a_date_that_nobody_has_set_makes_no_old_customer(unset: str) -> None:
    found = decoded(customer(since=unset)).response
    assert (found.customer.since, found.flags) == (None, ("dropped:customer.since",))


def test_unknown_members_and_headers_are_ignored() -> None:
    more = {**DATA, "mood": {"deep": [1]}, "customer": {**DATA["customer"], "shoe": 43}}
    headers = (*binary(), ("traceparent", b"\xff"), ("ce_partitionkey", b"x"))
    assert decoded(more, headers).response == decoded(DATA).response


@pytest.mark.parametrize("scale", [{"worst": 0, "best": 10}, {"worst": 10, "best": 0}, {"worst": 1, "best": 7}])
def test_a_rating_may_stand_on_either_end_of_its_scale(scale: dict[str, int]) -> None:
    for rating in scale.values():
        assert answer(scale=scale, rating=rating).rating == rating


def test_answered_at_is_the_event_time_when_it_is_missing() -> None:
    found = decoded(data(answered_at=None), binary(time="2026-11-22T08:00:00Z")).response
    assert found.answered_at == found.revised_at == AT - timedelta(hours=1)


def test_revisions_are_ordered_by_the_event_time() -> None:
    assert decoded(DATA, binary(time="2026-11-22T08:30:00Z")).response.revised_at == AT - timedelta(minutes=30)


def test_an_answer_from_the_future_gets_the_time_of_its_record() -> None:
    on_time = decoded(DATA, at=AT - timedelta(minutes=5)).response
    ahead = decoded(DATA, at=AT - timedelta(minutes=5, seconds=1)).response
    assert (on_time.answered_at, on_time.flags) == (AT, ())
    assert ahead.answered_at == ahead.revised_at == AT - timedelta(minutes=5, seconds=1)
    assert ahead.flags == ("future_answer",)


def test_a_time_of_the_event_that_is_ahead_of_its_record_does_not_order_revisions() -> None:
    found = decoded(DATA, binary(time="2062-01-01T00:00:00Z")).response
    assert (found.answered_at, found.revised_at, found.flags) == (AT, AT, ("future_time",))
    both = decoded(data(answered_at=None), binary(time="9999-12-31T23:59:59-14:00")).response
    assert (both.answered_at, both.revised_at, both.flags) == (AT, AT, ("future_answer",))


@pytest.mark.parametrize(
    "timestamp_ms", [-1, 0, 1_795_338_000, 1_795_338_000_000_000, 1_795_338_000 * 10**9, 2**63 - 1, -(2**63)]
)
def test_a_record_whose_time_is_unknown_or_in_another_unit_counts_as_written_when_it_was_polled(
    timestamp_ms: int,
) -> None:
    body = json.dumps(DATA).encode()
    found = read_record(Record("t", 0, 0, timestamp_ms, None, body, binary()), CATALOGUE, NOW)
    assert isinstance(found, Answer)
    assert (found.address.timestamp, found.response.answered_at) == (NOW, AT)
    ahead = json.dumps(data(answered_at="2027-01-01T00:00:00Z")).encode()
    mended = read_record(Record("t", 0, 0, timestamp_ms, None, ahead, binary()), CATALOGUE, NOW)
    assert isinstance(mended, Answer)
    assert (mended.response.answered_at, mended.response.flags) == (NOW, ("future_answer",))
    aside = read_record(Record("t", 0, 0, timestamp_ms, None, b"{", binary()), CATALOGUE, NOW)
    assert aside.address.timestamp == NOW


def test_a_record_that_was_sent_again_stands_where_it_stood_first() -> None:
    earlier = AT - timedelta(days=1)
    origin = Origin("survey.responses", 2, 7, earlier).headers()
    again = decoded(DATA, (*binary(), *origin))
    assert (again.origin_partition, again.origin_offset) == (2, 7)
    assert (again.address.partition, again.address.offset) == (3, 41)
    assert (again.response.answered_at, again.response.flags) == (earlier, ("future_answer",)), "as it was judged then"
    first = decoded(DATA)
    assert (first.origin_partition, first.origin_offset) == (3, 41)


@pytest.mark.parametrize(
    "value", [None, b"", b"x", b"-1", b"1e3", b"99999999999999999999", "\N{ARABIC-INDIC DIGIT ONE}".encode(), b"\xff"]
)
@pytest.mark.parametrize("name", ["partition", "offset", "timestamp"])
def test_an_origin_that_cannot_be_read_is_none(name: str, value: bytes | None) -> None:
    origin = dict(Origin("survey.responses", 2, 7, AT).headers()) | {f"bottombox-origin-{name}": value}
    found = decoded(DATA, (*binary(), *origin.items()))
    assert (found.origin_partition, found.origin_offset) == (3, 41)


@pytest.mark.parametrize(
    "phone", ["12", "call me", "+4", 42, 10**400, 4.42071838750, True, ["+442071838750"], {"n": 1}, "9" * 9999]
)
def test_an_unusable_phone_number_makes_no_dead_letter(phone: Any) -> None:
    found = decoded(customer(phone=phone)).response
    assert (found.customer.phone, found.flags) == (None, ("bad_number",))


def test_a_blank_phone_number_is_none_and_no_bad_one() -> None:
    assert decoded(customer(phone=" \u00a0")).response.flags == ()


def test_a_phone_number_that_was_sent_as_a_fraction_is_read_as_its_text() -> None:
    assert decoded(customer(phone=442071838750.0)).response.customer.phone == "+442071838750"


def test_a_phone_number_that_was_sent_as_a_number_is_read_as_its_text() -> None:
    """codeforamerica/vita-min #1956, BookingSync/bookingsync-api-docs #300"""
    for phone in (442071838750, 2071838750):
        found = decoded(data(customer={"phone": phone, "country": "GB"}, interaction=None)).response
        assert (found.customer.phone, found.flags) == ("+442071838750", ())


@pytest.mark.parametrize("zone", ["Mars/Olympus", "CET+1", 5, ["Europe/London"], "../etc/passwd"])
def test_an_unusable_zone_makes_no_dead_letter(zone: Any) -> None:
    found = decoded(customer(time_zone=zone)).response
    assert (found.customer.time_zone, found.flags) == (None, ("dropped:customer.time_zone",))


def test_a_long_comment_is_cut_between_characters_and_flagged() -> None:
    found = answer(comment="\N{PILE OF POO}" * 20_001)
    assert found.comment == "\N{PILE OF POO}" * 20_000
    assert found.flags == ("cut:comment",)
    assert answer(comment="x" * 20_000).flags == ()


OPTIONAL: list[tuple[dict[str, Any], str]] = [
    (data(comment=5), "comment"),
    (data(comment={}), "comment"),
    (data(survey="csat"), "survey"),
    (data(survey={"id": 7}), "survey.id"),
    (data(interaction=7), "interaction"),
    (data(attributes=[]), "attributes"),
    (data(attributes="x"), "attributes"),
    (interaction(agent="a7"), "interaction.agent"),
    (interaction(agent={"id": []}), "interaction.agent.id"),
    (interaction(started_at="2026-11-22T10:00:00"), "interaction.started_at"),
    (interaction(started_at="1999-12-31T23:59:59Z"), "interaction.started_at"),
    (interaction(ended_at=5), "interaction.ended_at"),
    (interaction(ended_at="9999-12-31T23:59:59-14:00"), "interaction.ended_at"),
    (interaction(id=[]), "interaction.id"),
    (interaction(id="x" * 1025), "interaction.id"),
    (customer(name=["Ann"]), "customer.name"),
    (customer(language=5), "customer.language"),
    (customer(since="last year"), "customer.since"),
    (customer(since="0000-01-01"), "customer.since"),
    (customer(since=True), "customer.since"),
    (customer(value="42.50"), "customer.value"),
    (customer(value=True), "customer.value"),
    (customer(country="Atlantis"), "customer.country"),
    (customer(country=44), "customer.country"),
    (customer(email="\N{PILE OF POO}" * 512 + "@example.org"), "customer.email"),
    (customer(email=7), "customer.email"),
]


@pytest.mark.parametrize(("value", "path"), OPTIONAL)
def test_an_optional_member_that_cannot_be_used_costs_only_itself(value: dict[str, Any], path: str) -> None:
    whole, found = decoded(DATA).response, decoded(value).response
    assert found.flags == (f"dropped:{path}",)
    assert (found.rating, found.answered_at, found.customer.id) == (2, AT, "c-17")
    kept = msgspec.structs.asdict(found.customer)
    lost = {name for name, fact in msgspec.structs.asdict(whole.customer).items() if kept[name] != fact}
    assert lost == ({path.removeprefix("customer.")} if path.startswith("customer.") else set())


def test_a_customer_that_is_no_object_leaves_the_contact_to_find_the_customer_by() -> None:
    found = answer(customer="c-17")
    assert (found.customer.id, found.interaction.id, found.flags) == (None, "conv-9", ("dropped:customer",))


def test_every_wrong_member_is_flagged_at_once() -> None:
    found = decoded(customer(since="x", value="y", language=5) | {"survey": 3, "comment": 4}).response
    assert set(found.flags) == {
        *("dropped:customer.since", "dropped:customer.value", "dropped:customer.language"),
        *("dropped:survey", "dropped:comment"),
    }


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("", None),
        ("1985", date(1985, 1, 1)),
        (1985, date(1985, 1, 1)),
        ("1985-06", date(1985, 6, 1)),
        ("1985-06-07T23:00:00Z", date(1985, 6, 7)),
    ],
)
def test_since_when_may_be_a_year_and_may_be_long_ago(value: Any, read: date | None) -> None:
    found = decoded(customer(since=value)).response
    assert (found.customer.since, found.flags) == (read, ())


def test_what_is_empty_is_absent_whatever_it_should_have_been() -> None:
    empty = {"survey": "", "attributes": "", "comment": ""}
    found = decoded(customer(value="", since="", country="", language="") | empty).response
    assert found.flags == ()
    assert (found.customer.value, found.customer.country, found.survey_id) == (None, None, None)


@pytest.mark.parametrize(
    ("given", "text"),
    [(17, "17"), (17.0, "17"), (0, None), (2**63, str(2**63)), (1e23, None), (17.5, None), (True, None)],
)
def test_a_number_as_an_id_is_its_text_if_it_is_exact(given: Any, text: str | None) -> None:
    assert decoded(customer(id=given)).response.customer.id == text
    assert decoded(interaction(id=given)).response.interaction.id == text


@pytest.mark.parametrize("country", ["GBR", "UK", "United Kingdom", " gb"])
def test_a_country_is_read_however_it_is_written(country: str) -> None:
    found = decoded(customer(country=country, phone="020 7183 8750")).response
    assert (found.customer.country, found.customer.phone, found.flags) == ("GB", "+442071838750", ())


def test_a_country_is_read_from_its_number() -> None:
    assert decoded(customer(country=826)).response.customer.country == "GB"


def test_a_long_text_is_cut_and_a_long_handle_is_dropped() -> None:
    name = decoded(customer(name="\N{PILE OF POO}" * 513)).response
    assert (name.customer.name, name.flags) == ("\N{PILE OF POO}" * 512, ("cut:customer.name",))
    handle = decoded(customer(id="c" * 1025)).response
    assert (handle.customer.id, handle.flags) == (None, ("dropped:customer.id",))


def test_an_identifier_is_counted_in_bytes_also_once_it_is_composed() -> None:
    assert decoded(DATA, binary(id="\N{PILE OF POO}" * 256)).response.event_id == "\N{PILE OF POO}" * 256
    assert decoded(customer(id="x" * 1024)).response.flags == ()
    grows = "\N{MUSICAL SYMBOL EIGHTH NOTE}" * 100  # 400 bytes, and 1,200 in NFC
    assert decoded(customer(id=grows)).response.flags == ("dropped:customer.id",)


def test_a_time_of_the_event_that_cannot_be_right_is_left_out() -> None:
    for time in ("yesterday", "2026-11-22T10:00:00", "1999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"):
        found = decoded(DATA, binary(time=time)).response
        assert (found.revised_at, found.flags) == (AT, ("dropped:time",))
    assert decoded(DATA, binary(time="")).response.flags == ()
    assert decoded(structured(time=5), ()).response.flags == ("dropped:time",)


def test_nul_is_taken_out_of_a_comment_and_flagged() -> None:
    found = answer(comment="no\0body")
    assert (found.comment, found.flags) == ("nobody", ("nul_removed",))


def test_odd_text_is_kept_as_it_is() -> None:
    for text in ("=cmd()", "<b>", "\u202eabc", "\u200b", "\N{PILE OF POO}", "ለምን", 'a "quoted" \\ word'):
        assert answer(comment=text).comment == text


def test_a_record_without_a_value_is_a_tombstone_whatever_its_headers_say() -> None:
    for headers in ((), binary(), (("bottombox-source", b"nobody"),)):
        found = read(None, headers)
        assert isinstance(found, Passed)
        assert found.outcome is RecordOutcome.TOMBSTONE


UNRATED = """
name: calls
unrated: pass_over
map:
  event_id: id
  rating: {from: key, type: words, values: {"1": 1, "2": 2, n/a: null}}
  answered_at: at
  interaction: {id: id}
"""


@pytest.mark.parametrize("event", [{}, {"key": None}, {"key": ""}, {"key": "N/A"}])
def test_an_answer_without_a_rating_is_a_tombstone_where_its_source_file_says_so(event: dict[str, Any]) -> None:
    value, headers = json.dumps({"id": "c-1", **event}).encode(), (("bottombox-source", b"calls"),)
    record = Record("surveys", 0, 0, -1, None, value, headers)
    passing, strict = (
        Catalogue([read_document(Source, UNRATED.replace("pass_over", word), file="calls.yaml")])
        for word in ("pass_over", "dead_letter")
    )
    found = read_record(record, passing, NOW)
    assert isinstance(found, Passed)
    assert (found.outcome, found.unrated) == (RecordOutcome.TOMBSTONE, "calls")
    kept = read_record(record, strict, NOW)
    assert isinstance(kept, DeadLettered)
    assert (kept.reason, kept.field) == (DeadLetterReason.INVALID_RATING, "rating")


def test_a_rating_that_cannot_be_read_is_never_passed_over() -> None:
    value, headers = b'{"id": "c-1", "key": "#"}', (("bottombox-source", b"calls"),)
    catalogue = Catalogue([read_document(Source, UNRATED, file="calls.yaml")])
    found = read_record(Record("surveys", 0, 0, -1, None, value, headers), catalogue, NOW)
    assert isinstance(found, DeadLettered)


def test_an_event_that_names_a_source_counts_under_it() -> None:
    headers = (*binary(), ("bottombox-source", b"shopzilla"))
    assert decoded(DATA, headers).response.source == "shopzilla"
    assert decoded(structured(), (("bottombox-source", b"shopzilla"),)).response.source == "shopzilla"


@pytest.mark.parametrize(
    ("headers", "topic"),
    [
        ((("bottombox-source", b"tickets"),), "survey.responses"),
        ((), "tickets"),
        ((("content-type", b"application/json"),), "tickets"),
        (binary(type="com.example.rated"), "tickets"),
    ],
)
def test_a_platforms_own_event_is_mapped_by_its_source_file(headers: RecordHeaders, topic: str) -> None:
    found = decoded(TICKET, headers, topic=topic).response
    assert (found.source, found.event_source, found.event_id) == ("tickets", "/sources/tickets", "t-1")
    assert (found.rating, found.scale, found.customer.id) == (3, Scale(0, 10), "c-1")
    assert found.attributes == {"size": 3}


def test_a_canonical_event_on_a_platforms_topic_needs_no_mapping() -> None:
    assert decoded(DATA, binary(), topic="tickets").response.source == "cloudevents"


def test_the_same_event_serialised_anew_has_the_same_content() -> None:
    plan = {"name": "fibre", "months": 12}
    first = decoded(data(attributes=plan))
    turned = dict(reversed(data(attributes=dict(reversed(plan.items()))).items()))
    again = decoded(json.dumps(turned, indent=1).encode(), at=AT - timedelta(days=1))
    assert (len(first.value_hash), len(first.content_hash)) == (32, 32)
    assert again.value_hash != first.value_hash
    assert again.content_hash == first.content_hash
    assert decoded(structured(data=data(attributes=plan)), ()).content_hash == first.content_hash


@pytest.mark.parametrize(
    "changed",
    [
        data(rating=1),
        data(comment="Nobody called me."),
        data(answered_at="2026-11-22T09:00:01Z"),
        data(attributes={"any": ["json", 2]}),
        customer(segment="vip"),
        interaction(queue="sales"),
        data(scale={"worst": 5, "best": 1}),
        data(response_id="r-82"),
    ],
)
def test_another_content_has_another_hash(changed: dict[str, Any]) -> None:
    assert decoded(changed).content_hash != decoded(DATA).content_hash


def test_the_headers_of_binary_mode_are_part_of_the_value() -> None:
    assert decoded(DATA, binary(time="2026-11-22T09:30:00Z")).value_hash != decoded(DATA).value_hash
    assert decoded(DATA, (*binary(), ("traceparent", b"1"))).value_hash == decoded(DATA).value_hash


NO_RATINGS: list[Any] = [None, True, False, "2", 1.0, 2.5, 0, 6, -1, 10**30, [1], {}]
JSON = ("content-type", b"application/json")
CLOUDEVENT = ("content-type", b"application/cloudevents+json")
BAD: list[tuple[DeadLetterReason, str | None, Any, RecordHeaders]] = [
    # the text
    (DeadLetterReason.MALFORMED, None, b"", binary()),
    (DeadLetterReason.MALFORMED, None, b"\xff\xfe", binary()),
    (DeadLetterReason.MALFORMED, None, b'{"rating":', binary()),
    (DeadLetterReason.MALFORMED, None, b"\xef\xbb\xbf{}", binary()),
    (DeadLetterReason.MALFORMED, None, b"[]", binary()),
    (DeadLetterReason.MALFORMED, None, b"2", binary()),
    (DeadLetterReason.MALFORMED, None, b'{"rating":5,"rating":1}', binary()),
    (DeadLetterReason.MALFORMED, None, json.dumps(data(rating=float("nan"))).encode(), binary()),
    (DeadLetterReason.MALFORMED, None, b'{"rating":1e400}', binary()),
    (DeadLetterReason.MALFORMED, None, b'{"comment":"\\ud800"}', binary()),
    (DeadLetterReason.TOO_DEEP, None, b'{"attributes":' * 33 + b"1" + b"}" * 33, binary()),
    (DeadLetterReason.TOO_LARGE, None, data(comment="x" * 1024 * 1024), binary()),
    (DeadLetterReason.UNSUPPORTED_FORMAT, None, b"\x00\x00\x00\x00\x07avro", binary()),
    (DeadLetterReason.UNSUPPORTED_FORMAT, None, DATA, (*binary(), ("content-type", b"application/avro"))),
    (DeadLetterReason.UNSUPPORTED_FORMAT, None, structured(), (("content-type", b"application/cloudevents+avro"),)),
    (DeadLetterReason.UNSUPPORTED_FORMAT, None, b"[]", (("content-type", b"application/cloudevents-batch+json"),)),
    (DeadLetterReason.UNSUPPORTED_FORMAT, None, structured(data=None, data_base64="e30="), (CLOUDEVENT,)),
    (DeadLetterReason.UNSUPPORTED_FORMAT, None, structured(datacontenttype="text/xml"), (CLOUDEVENT,)),
    # the envelope
    *((DeadLetterReason.INVALID_ENVELOPE, name, DATA, binary(**{name: None})) for name in ENVELOPE),
    *((DeadLetterReason.INVALID_ENVELOPE, name, DATA, binary(**{name: " "})) for name in ENVELOPE),
    *(
        (DeadLetterReason.INVALID_ENVELOPE, name, DATA, binary(**{name: "x" * 1025}))
        for name in ("id", "source", "specversion")
    ),
    *(
        (DeadLetterReason.INVALID_ENVELOPE, name, DATA, binary(**{name: "\N{PILE OF POO}" * 257}))
        for name in ("id", "source")
    ),
    *((DeadLetterReason.INVALID_ENVELOPE, name, structured(**{name: None}), (CLOUDEVENT,)) for name in ENVELOPE),
    *((DeadLetterReason.INVALID_ENVELOPE, name, structured(**{name: 1}), (CLOUDEVENT,)) for name in ENVELOPE),
    (DeadLetterReason.INVALID_ENVELOPE, "ce_id", DATA, (*binary(), ("ce_id", b"e-2"))),
    (DeadLetterReason.INVALID_ENVELOPE, "ce_id", DATA, (*binary(id=None), ("ce_id", b"\xff"))),
    (DeadLetterReason.INVALID_ENVELOPE, "id", DATA, binary(id="a\0b")),
    (DeadLetterReason.INVALID_ENVELOPE, "id", structured(), (CLOUDEVENT, ("ce_id", b"e-2"))),
    (DeadLetterReason.INVALID_ENVELOPE, "type", DATA, binary(type="com.example.other")),
    *(
        (DeadLetterReason.INVALID_ENVELOPE, "id", DATA, binary(id=nothing))
        for nothing in ("undefined", "null", "[object Object]", "{{event.id}}", "00000000-0000-0000-0000-000000000000")
    ),
    (DeadLetterReason.INVALID_ENVELOPE, "data", structured(data=None), (CLOUDEVENT,)),
    (DeadLetterReason.INVALID_ENVELOPE, "data", structured(data=[1]), (CLOUDEVENT,)),
    (DeadLetterReason.INVALID_ENVELOPE, "specversion", DATA, ()),
    (DeadLetterReason.INVALID_ENVELOPE, "specversion", structured(), (JSON,)),
    (DeadLetterReason.UNSUPPORTED_VERSION, "specversion", DATA, binary(specversion="0.3")),
    (DeadLetterReason.UNSUPPORTED_VERSION, "specversion", DATA, binary(specversion="2.0")),
    (DeadLetterReason.UNSUPPORTED_VERSION, "type", DATA, binary(type="survey.response.submitted.v2")),
    # the rating and its scale
    *((DeadLetterReason.INVALID_RATING, "rating", {**DATA, "rating": rating}, binary()) for rating in NO_RATINGS),
    (DeadLetterReason.INVALID_RATING, "rating", data(rating=None), binary()),
    (
        DeadLetterReason.INVALID_RATING,
        "rating",
        json.dumps(DATA).replace('"rating": 2', '"rating": 2e0').encode(),
        binary(),
    ),
    *(
        (DeadLetterReason.UNKNOWN_SCALE, "scale", data(scale=scale), binary())
        for scale in (
            {},
            {"worst": 1},
            {"best": 9},
            {"worst": 5, "best": 5},
            {"worst": "1", "best": 5},
            "1-5",
            [1, 5],
            5,
        )
    ),
    (DeadLetterReason.UNKNOWN_SCALE, "scale", data(scale={"worst": True, "best": 5}), binary()),
    (DeadLetterReason.UNKNOWN_SCALE, "scale", data(scale={"worst": 0, "best": 10**12}), binary()),
    # times
    (DeadLetterReason.INVALID_TIME, "answered_at", data(answered_at=None), binary()),
    *(
        (DeadLetterReason.INVALID_TIME, "answered_at", data(answered_at=time), binary())
        for time in (
            "2026-11-22T10:00:00",
            "2026-11-22",
            "now",
            "",
            1795338000,
            True,
            "0001-01-01T00:00:00+14:00",
            "1970-01-01T00:00:00Z",
            "1999-12-31T23:59:59Z",
        )
    ),
    # handles
    (DeadLetterReason.NO_HANDLE, "customer", data(customer=None, interaction=None), binary()),
    (DeadLetterReason.NO_HANDLE, "customer", data(customer={"id": " ", "email": ""}, interaction={"id": ""}), binary()),
    (DeadLetterReason.NO_HANDLE, "customer", data(customer={"phone": "12"}, interaction=None), binary()),
    (DeadLetterReason.NO_HANDLE, "customer", data(customer={"id": "x" * 1025}, interaction=None), binary()),
    # the answer's own identity
    (DeadLetterReason.INVALID_FIELD, "response_id", data(response_id="x" * 1025), binary()),
    (DeadLetterReason.INVALID_FIELD, "response_id", data(response_id="\N{PILE OF POO}" * 257), binary()),
    (DeadLetterReason.INVALID_FIELD, "response_id", data(response_id=81), binary()),
    # source files
    (DeadLetterReason.UNKNOWN_SOURCE, "bottombox-source", DATA, (*binary(), ("bottombox-source", b"nobody"))),
    (DeadLetterReason.UNKNOWN_SOURCE, "bottombox-source", TICKET, (("bottombox-source", b""),)),
    *(
        (reason, field, {**TICKET, **changes}, (("bottombox-source", b"tickets"),))
        for reason, field, changes in (
            (DeadLetterReason.MAPPING_FAILED, "when", {"kind": "opened"}),
            (DeadLetterReason.MAPPING_FAILED, "event_id", {"id": None}),
            (DeadLetterReason.MAPPING_FAILED, "event_id", {"id": 5}),
            (DeadLetterReason.INVALID_RATING, "rating", {"score": "good"}),
            (DeadLetterReason.INVALID_RATING, "rating", {"score": None}),
            (DeadLetterReason.INVALID_RATING, "rating", {"score": "3.5"}),
            (DeadLetterReason.INVALID_RATING, "rating", {"score": True}),
            (DeadLetterReason.INVALID_RATING, "rating", {"score": "11"}),
            (DeadLetterReason.INVALID_TIME, "answered_at", {"at": "soon"}),
            (DeadLetterReason.INVALID_TIME, "answered_at", {"at": 1e300}),
            (DeadLetterReason.INVALID_TIME, "answered_at", {"at": 0}),
            (DeadLetterReason.NO_HANDLE, "customer", {"who": ""}),
        )
    ),
]


@pytest.mark.parametrize(("reason", "field", "value", "headers"), BAD)
def test_a_bad_record_is_set_aside_with_its_reason_and_field(
    reason: DeadLetterReason, field: str | None, value: Any, headers: RecordHeaders
) -> None:
    given_record = record(value, headers)
    found = read_record(given_record, CATALOGUE, NOW)
    assert isinstance(found, DeadLettered)
    assert (found.reason, found.field) == (reason, field), found.detail
    assert found.address == Address("survey.responses", 3, 41, AT)
    assert found.kept_at is None
    assert found.detail


def test_every_reason_that_reading_can_give_is_in_the_table() -> None:
    assert {row[0] for row in BAD} == set(DeadLetterReason) - {
        DeadLetterReason.HYDRATE_FAILED,
        DeadLetterReason.NOT_STORABLE,
    }


def test_a_detail_never_quotes_the_record() -> None:
    secrets = {"answered_at": "hidden", "rating": "hidden", "response_id": ["hidden"], "scale": "hidden"}
    for name, value in secrets.items():
        found = read({**DATA, name: value})
        assert isinstance(found, DeadLettered)
        assert "hidden" not in f"{found.detail} {found.field}"


BYTES = st.binary(max_size=60)
NAMES = st.sampled_from(
    ["ce_id", "ce_type", "ce_source", "ce_time", "ce_specversion", "content-type", "bottombox-source", "x"]
)
HEADER = st.tuples(NAMES, BYTES | st.sampled_from([b"1.0", b"tickets", EVENT_TYPE.encode(), CLOUDEVENT[1]]))
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(list(DATA.values())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from([*DATA, *ENVELOPE, *TICKET, "data", "time"])


@settings(deadline=None)
@given(
    BYTES | ANY_JSON | st.dictionaries(MEMBERS, ANY_JSON, max_size=6),
    st.lists(HEADER, max_size=6) | st.just(list(binary())),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(["survey.responses", "tickets"]),
)
@example({**DATA, "attributes": {"n": 10**300}}, list(binary()), -1, "t")
def test_reading_never_raises_whatever_comes(value: Any, headers: list[tuple[str, bytes]], at: int, topic: str) -> None:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    found = read_record(Record(topic, 0, 0, at, None, body, tuple(headers)), CATALOGUE, NOW)
    assert isinstance(found, (Answer, DeadLettered))


@settings(deadline=None)
@given(st.dictionaries(MEMBERS, ANY_JSON, max_size=3), st.sampled_from(["customer", "interaction", "survey", ""]))
def test_a_good_event_with_anything_in_some_members_is_read_or_set_aside(changes: dict[str, Any], inside: str) -> None:
    value = {**DATA, inside: {**DATA[inside], **changes}} if inside else {**DATA, **changes}
    assert isinstance(read(value), (Answer, DeadLettered))
