"""Survey events over HTTP: judged as the consumer would, and acknowledged by Kafka before they are accepted."""

from __future__ import annotations

import json
from typing import Any

import httpx

from alerts.identity import Handle, record_key
from app.api.schemas import told
from consumers.record import Decoded, Record, read_record
from consumers.sources.catalogue import load_catalogue
from tests.integration.api.front import COMMENT, EMAIL, NAME, PHONE, SECRET, Front, good, leaks, problem

URL = "/v1/survey-events"
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
    items = told.EventItems.model_validate(good(response, 202))
    assert [(item.id, item.status) for item in items.items] == [("e-1", "accepted")]
    (record,) = front.sent
    assert json.loads(record.value) == event()
    assert record.key == record_key(Handle("id", "cloudevents", "c-1"), SECRET)
    read = read_record(Record("t", 0, 0, -1, record.key, record.value, record.headers), load_catalogue())
    assert isinstance(read, Decoded), "the consumer reads what the front door accepted"
    assert leaks(response) == []


async def test_plain_json_and_binary_mode_are_events_too(front: Front) -> None:
    client = await front.key("events:ingest")
    good(await _post(client, event(), "application/json"), 202)
    attributes = {f"ce-{name}": value for name, value in event("e-2").items() if name != "data"}
    attributes["ce-source"] = "/surveys/caf%C3%A9"
    good(await _post(client, event()["data"], "application/json", **attributes), 202)
    record = front.sent[1]
    read = read_record(Record("t", 0, 0, -1, None, record.value, record.headers), load_catalogue())
    assert isinstance(read, Decoded)
    assert (read.response.event_id, read.response.event_source) == ("e-2", "/surveys/café")


async def test_a_batch_is_judged_event_by_event(front: Front) -> None:
    client = await front.key("events:ingest")
    batch = [event("a"), event("b", rating=True), event("c", answered_at="yesterday"), event("d", rating=2)]
    response = await _post(client, batch, BATCH)
    items = good(response, 202)["items"]
    assert [item["status"] for item in items] == ["accepted", "rejected", "rejected", "accepted"]
    assert [error["code"] for item in items for error in item["errors"]] == ["invalid_rating", "invalid_time"]
    assert [error["pointer"] for item in items for error in item["errors"]] == ["/data/rating", "/data/answered_at"]
    assert [json.loads(record.value)["id"] for record in front.sent] == ["a", "d"]
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
        (event(customer={"id": 7}), "/data/customer/id", "invalid_field"),
        ({**event(), "specversion": "0.3"}, "/specversion", "unsupported_version"),
        ({**event(), "type": "other"}, "/type", "invalid_envelope"),
        ({**event(), "id": ""}, "/id", "invalid_envelope"),
        ({**event(), "time": "noon"}, "/time", "invalid_time"),
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
