"""Survey events over HTTP: judged as the consumer would, and acknowledged by Kafka before they are accepted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from alerts.arrival import Answer
from alerts.identity import Handle, record_key
from app.api.schemas.event import EventItems
from consumers.intake.record import Record, read_record
from consumers.sources.catalogue import load_catalogue
from tests.integration.api.front import COMMENT, EMAIL, NAME, PHONE, SECRET, Front, good, leaks, problem

URL = "/v1/survey-events"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVENT, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


def event(id: str = "e-1", **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": "survey.response.submitted.v1",
        "source": "/surveys",
        "id": id,
        "time": "2026-11-24T11:00:00Z",
        "data": {
            "rating": 1,
            "comment": COMMENT,
            "answered_at": "2026-11-24T11:00:00Z",
            "customer": {"id": "c-1", "name": NAME, "phone": PHONE, "email": EMAIL},
            **data,
        },
    }


async def _post(client: httpx.AsyncClient, content: Any, media: str = EVENT, **headers: str) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await client.post(URL, content=body, headers={"Content-Type": media, **headers})


async def test_an_event_goes_to_the_survey_topic_as_it_was_sent(front: Front) -> None:
    client = await front.key("events:ingest")
    response = await _post(client, event())
    items = EventItems.model_validate(good(response, 202))
    assert [(item.id, item.status) for item in items.items] == [("e-1", "accepted")]
    (record,) = front.sent
    assert record.value is not None
    assert json.loads(record.value) == event()
    assert record.key == record_key(Handle("id", "cloudevents", "c-1"), SECRET)
    read = read_record(Record("t", 0, 0, -1, record.key, record.value, record.headers), load_catalogue(), NOW)
    assert isinstance(read, Answer), "the consumer reads what the front door accepted"
    assert leaks(response) == []


async def test_plain_json_and_binary_mode_are_events_too(front: Front) -> None:
    client = await front.key("events:ingest")
    good(await _post(client, event(), "application/json"), 202)
    attributes = {f"ce-{name}": value for name, value in event("e-2").items() if name != "data"}
    attributes["ce-source"] = "/surveys/caf%C3%A9"
    good(await _post(client, event()["data"], "application/json", **attributes), 202)
    record = front.sent[1]
    read = read_record(Record("t", 0, 0, -1, None, record.value, record.headers), load_catalogue(), NOW)
    assert isinstance(read, Answer)
    assert (read.response.event_id, read.response.event_source) == ("e-2", "/surveys/café")


async def test_a_batch_is_judged_event_by_event(front: Front) -> None:
    client = await front.key("events:ingest")
    batch = [event("a"), event("b", rating=True), event("c", answered_at="yesterday"), event("d", rating=2)]
    response = await _post(client, batch, BATCH)
    items = good(response, 202)["items"]
    assert [item["status"] for item in items] == ["accepted", "rejected", "rejected", "accepted"]
    assert [error["code"] for item in items for error in item["errors"]] == ["invalid_rating", "invalid_time"]
    assert [error["pointer"] for item in items for error in item["errors"]] == ["/data/rating", "/data/answered_at"]
    assert [json.loads(record.value or b"")["id"] for record in front.sent] == ["a", "d"]
    assert leaks(response) == []


async def test_when_none_was_accepted_every_mistake_is_named(front: Front) -> None:
    client = await front.key("events:ingest")
    lone = event()
    del lone["time"], lone["data"]["answered_at"], lone["data"]["customer"]
    mistakes: list[tuple[dict[str, Any], str, str]] = [
        (event(rating=6), "/data/rating", "invalid_rating"),
        (event(rating="2"), "/data/rating", "invalid_rating"),
        (event(rating=2.0), "/data/rating", "invalid_rating"),
        (event(scale={"worst": 1, "best": 1}), "/data/scale", "unknown_scale"),
        (event(customer={}), "/data/customer", "no_handle"),
        (event(response_id=7), "/data/response_id", "invalid_field"),
        (event(answered_at="1970-01-01T00:00:00Z"), "/data/answered_at", "invalid_time"),
        ({**event(), "specversion": "0.3"}, "/specversion", "unsupported_version"),
        ({**event(), "type": "other"}, "/type", "invalid_envelope"),
        ({**event(), "id": ""}, "/id", "invalid_envelope"),
        ({**event(), "id": "\N{PILE OF POO}" * 512}, "/id", "invalid_envelope"),
        (lone, "/data/answered_at", "invalid_time"),
        ({"rating": 1}, "/specversion", "invalid_envelope"),
    ]
    for sent, pointer, code in mistakes:
        body = problem(await _post(client, sent), 422, "validation")
        assert [(error["pointer"], error["code"]) for error in body["errors"]] == [(pointer, code)], sent
        assert body["items"][0]["status"] == "rejected"
    body = problem(await _post(client, [each for each, _, _ in mistakes], BATCH), 422, "validation")
    assert [error["pointer"] for error in body["errors"]] == [
        f"/{number}{pointer}" for number, (_, pointer, _) in enumerate(mistakes)
    ]
    assert front.sent == []


async def test_what_is_no_event_at_all_is_refused_before_it_is_judged(front: Front) -> None:
    client = await front.key("events:ingest")
    problem(await _post(client, b"{"), 400, "malformed")
    problem(await _post(client, b""), 400, "malformed")
    problem(await _post(client, b'{"a": NaN}'), 400, "malformed")
    problem(await _post(client, b'{"a": "\\ud800"}'), 400, "malformed")
    problem(await _post(client, event(), BATCH), 400, "malformed")
    problem(await _post(client, [], BATCH), 422, "validation")
    problem(await _post(client, b"[" * 100_000, BATCH), 400, "malformed")
    problem(await _post(client, event(), "text/plain"), 415, "unsupported-media-type")
    problem(await client.post(URL), 415, "unsupported-media-type")
    problem(await _post(client, b"[" + b" " * (4 * 1024 * 1024) + b"]", BATCH), 413, "body-too-large")
    mixed = b'[{"a": 1, "a": 2}, ' + json.dumps(event("good")).encode() + b"]"
    items = good(await _post(client, mixed, BATCH), 202)["items"]
    assert [item["status"] for item in items] == ["rejected", "accepted"]


async def test_a_value_that_is_not_json_is_refused_whatever_its_headers(front: Front) -> None:
    client = await front.key("events:ingest")
    problem(await _post(client, b"\0\0\0\0\x07avro"), 422, "validation")
    problem(await _post(client, b"\0{}", "application/json"), 422, "validation")
    twice = [("Content-Type", "application/json"), ("ce-id", "a"), ("ce-id", "b")]
    for body in (b"[]", b"{", b"5", b"\0"):
        items = problem(await client.post(URL, content=body, headers=twice), 422, "validation")["items"]
        assert [item["id"] for item in items] == ["b"]
    assert front.sent == []


@pytest.mark.parametrize(
    ("header", "id"),
    [
        ("e-1", "e-1"),
        ('"e-1"', "e-1"),
        ('"e \\"1\\" \\\\"', 'e "1" \\'),
        ("e%20%C3%A9", "e é"),
        ('"e%20%C3%A9"', "e é"),
        ("%22e%22", '"e"'),
        ("e 100%", "e 100%"),
    ],
)
async def test_headers_are_read_as_the_binding_says(front: Front, header: str, id: str) -> None:
    client = await front.key("events:ingest")
    attributes = {f"ce-{name}": value for name, value in event().items() if name != "data"}
    sent = await _post(client, event()["data"], "application/json", **{**attributes, "ce-id": header})
    assert [item["id"] for item in good(sent, 202)["items"]] == [id]


async def test_headers_that_are_not_utf_8_are_refused_and_no_two_become_one(front: Front) -> None:
    client = await front.key("events:ingest")
    attributes = {f"ce-{name}": value for name, value in event().items() if name != "data"}
    for bad in ("a%ff", "a%fe", "%ed%a0%80"):
        sent = await _post(client, event()["data"], "application/json", **{**attributes, "ce-id": bad})
        problem(sent, 422, "validation")
    assert front.sent == []


async def test_nothing_is_accepted_that_kafka_has_not_acknowledged(front: Front) -> None:
    client = await front.key("events:ingest")
    front.kafka_is_away = True
    keyed = {"Idempotency-Key": "k"}
    response = await _post(client, event(), **keyed)
    problem(response, 503, "temporarily-unavailable")
    assert response.headers["retry-after"]
    front.kafka_is_away = False
    good(await _post(client, event(), **keyed), 202)
    again = await _post(client, event(), **keyed)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(front.sent) == 1
