"""Platforms push their webhooks: who shares our secret is heard, and nobody else costs us anything."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from alerts.arrival import Answer
from alerts.ledger.database import open_engine
from alerts.ledger.intake.received_webhooks import forget_received
from consumers.intake.record import Record, read_record
from consumers.sources.catalogue import Catalogue
from consumers.sources.doors import open_doors
from consumers.sources.source import read_source
from tests.integration.api.front import COMMENT, NAME, PHONE, Front, good, problem

SECRET = "kiosk secret"
MAP = "map: {event_id: id, rating: rating, answered_at: at, comment: comment, customer: {phone: phone, name: name}}"
FILES = {
    "kiosk": """webhook:
  scheme: hmac
  secrets: [KIOSK, KIOSK_OLD]
  header: X-Kiosk-Signature
  id_header: x-kiosk-id
  timestamp_header: x-kiosk-time
  signed: "{id}.{timestamp}.{body}"
  handshake: {when: "type == 'hello'", answer: "{echo: word}"}
""",
    "form": "webhook: {scheme: twilio, secrets: [KIOSK]}\n",
    "paced": "webhook: {scheme: token, secrets: [KIOSK], per_second: 1}\n",
    "slack": "webhook: {scheme: slack, secrets: [KIOSK]}\n",
    "silent": "webhook: {scheme: typeform, secrets: [NOT_SET]}\n",
    "plain": "",
    "monkey": "webhook: {scheme: surveymonkey, secrets: [KIOSK]}\n",
    "hub": """webhook:
  scheme: typeform
  secrets: [KIOSK]
  handshake: {method: get, when: "\\"hub.verify_token\\" == 'moin'", answer: "\\"hub.challenge\\"", signed: false}
""",
    "tokens": "webhook: {scheme: token, secrets: [KIOSK], handshake: {method: get, answer: word}}\n",
}
CATALOGUE = Catalogue(
    [read_source(f"name: {name}\n{more}{MAP}\n", file=f"{name}.yaml") for name, more in FILES.items()]
)
ANSWER = {"id": "e-1", "rating": 1, "at": "2026-11-24T11:00:00Z", "comment": COMMENT, "phone": PHONE, "name": NAME}
BODY = json.dumps(ANSWER).encode()


@pytest.fixture
async def door(front: Front) -> httpx.AsyncClient:
    doors = open_doors(CATALOGUE, {"KIOSK": SECRET, "KIOSK_OLD": "older", "NOT_SET": " "})
    front.metrics.webhooks.prepare(FILES)
    front.rebuild(catalogue=CATALOGUE, doors=doors, rate_limit=5, public_url="https://alerts.example/up/")
    return front.stranger()


def signed(body: bytes = BODY, id: str = "k-1", at: datetime | None = None, secret: str = SECRET) -> dict[str, Any]:
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    signature = hmac.digest(secret.encode(), f"{id}.{stamp}.".encode() + body, "sha256").hex()
    headers = {"X-Kiosk-Signature": signature, "X-Kiosk-Id": id, "X-Kiosk-Time": stamp}
    return {"content": body, "headers": {"Content-Type": "application/json", **headers}}


def of_a_form(fields: dict[str, str]) -> dict[str, Any]:
    """As the platform signs it, which knows the public address."""
    text = f"https://alerts.example/up{url('form')}?lang=en" + "".join(key + fields[key] for key in sorted(fields))
    signature = base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), "sha1")).decode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return {"content": urlencode(fields).encode(), "headers": headers}


def url(name: str = "kiosk") -> str:
    return f"/v1/sources/{name}/events"


def counted(front: Front, source: str = "kiosk") -> dict[str, float]:
    """What the metrics say that came, without what did not."""
    found: dict[str, float] = {}
    for result in ("accepted", "bad_signature", "expired", "replayed", "refused"):
        labels = {"source": source, "result": result}
        count = front.metrics.registry.collectors.get_sample_value("bottombox_webhooks_received_total", labels)
        assert count is not None, "every label is there from the start"
        found |= {result: count} if count else {}
    return found


async def test_a_webhook_goes_to_the_survey_topic_as_it_came(front: Front, door: httpx.AsyncClient) -> None:
    assert good(await door.post(url(), **signed()), 202) == {"accepted": 1}
    (record,) = front.sent
    assert (record.topic, record.key, record.value) == ("survey.responses", None, BODY)
    *headers, (name, _) = record.headers
    assert headers == [("content-type", b"application/json"), ("bottombox-source", b"kiosk")]
    assert name == "traceparent"
    read = read_record(Record("t", 0, 0, -1, None, record.value, record.headers), CATALOGUE, datetime.now(UTC))
    assert isinstance(read, Answer)
    assert read.response.source == "kiosk"
    assert counted(front) == {"accepted": 1}


async def test_while_a_secret_is_changed_both_are_good(front: Front, door: httpx.AsyncClient) -> None:
    good(await door.post(url(), **signed(secret="older")), 202)
    problem(await door.post(url(), **signed(secret="oldest")), 401, "unauthorized")


async def test_a_stranger_is_turned_away_before_the_database_hears_of_it(front: Front, door: httpx.AsyncClient) -> None:
    stale = signed(at=datetime.now(UTC) - timedelta(seconds=400))
    with front.statements() as asked:
        problem(await door.post(url(), **signed(secret="guess")), 401, "unauthorized")
        problem(await door.post(url(), content=BODY, headers={"Content-Type": "application/json"}), 401, "unauthorized")
        refused = problem(await door.post(url(), **stale), 401, "unauthorized")
    assert "timestamp" in refused["detail"]
    assert (asked, front.sent) == ([], [])
    assert counted(front) == {"bad_signature": 2, "expired": 1}


async def test_a_header_or_a_field_twice_is_nobodys_signature(front: Front, door: httpx.AsyncClient) -> None:
    request = signed()
    headers = [*request["headers"].items(), ("X-Kiosk-Signature", request["headers"]["X-Kiosk-Signature"])]
    problem(await door.post(url(), content=BODY, headers=headers), 401, "unauthorized")
    twice = [("Authorization", f"Bearer {SECRET}"), ("Authorization", "Bearer x"), ("Content-Type", "application/json")]
    problem(await door.post(url("paced"), content=BODY, headers=twice), 401, "unauthorized")
    good(await door.post(url("form") + "?lang=en", **of_a_form({"Digits": "1", "From": PHONE})), 202)
    twice_there = of_a_form({"Digits": "1", "From": PHONE})
    twice_there["content"] += b"&Digits=1"
    problem(await door.post(url("form") + "?lang=en", **twice_there), 401, "unauthorized")


async def test_guesses_are_charged_to_their_address_and_never_to_a_platform_beside_it(
    front: Front, door: httpx.AsyncClient
) -> None:
    answers = [await door.post(url(), **signed(secret="guess")) for _ in range(40)]
    assert [each.status_code for each in answers[:5]] == [401] * 5
    too_many = [each for each in answers if each.status_code != 401]
    problem(too_many[0], 429, "quota-exceeded")
    assert int(too_many[0].headers["Retry-After"]) >= 1
    for number in range(8):
        good(await door.post(url(), **signed(id=f"k-{number}")), 202)
    assert counted(front) == {"bad_signature": 40, "accepted": 8}


async def test_a_delivery_that_comes_again_is_not_sent_on(front: Front, door: httpx.AsyncClient) -> None:
    good(await door.post(url(), **signed()), 202)
    assert good(await door.post(url(), **signed()), 202) == {"accepted": 0}
    other = json.dumps({**ANSWER, "rating": 2}).encode()
    assert good(await door.post(url(), **signed(other)), 202) == {"accepted": 1}, "the same id, another body"
    assert good(await door.post(url(), **signed(id="k-2")), 202) == {"accepted": 1}
    assert counted(front) == {"accepted": 3, "replayed": 1}
    await front.clock.advance(timedelta(hours=24))
    assert good(await door.post(url(), **signed()), 202) == {"accepted": 1}, "a day later it is news again"
    assert await forget_received(front.engine) == 2
    assert await front.sql("SELECT count(*) FROM received_webhooks") == [(1,)]


async def test_what_kafka_did_not_acknowledge_is_not_remembered(front: Front, door: httpx.AsyncClient) -> None:
    front.kafka_is_away = True
    problem(await door.post(url(), **signed()), 503, "temporarily-unavailable")
    front.kafka_is_away = False
    assert good(await door.post(url(), **signed()), 202) == {"accepted": 1}
    assert counted(front) == {"refused": 1, "accepted": 1}


async def test_a_database_that_is_away_costs_only_the_memory(front: Front, door: httpx.AsyncClient) -> None:
    doors = front.app.state.dependencies.doors
    away = open_engine("postgresql://nobody@127.0.0.1:1/nothing")
    front.rebuild(catalogue=CATALOGUE, doors=doors, engine=away)
    for _ in range(2):
        assert good(await front.stranger().post(url(), **signed()), 202) == {"accepted": 1}
    await away.dispose()


async def test_where_no_secret_is_set_there_is_no_door(front: Front, door: httpx.AsyncClient) -> None:
    for name in ("silent", "plain", "nowhere", "%00", "kiosk/events"):
        problem(await door.post(url(name), **signed()), 404, "not-found")
    assert counted(front, "silent") == {}


async def test_only_what_the_platform_sends_is_read(front: Front, door: httpx.AsyncClient) -> None:
    large = b'{"pad": "' + b"x" * 262_144 + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65_536):
            yield large[start : start + 65_536]

    problem(await door.post(url(), **signed(large)), 413, "body-too-large")
    problem(await door.post(url(), **{**signed(large), "content": chunks()}), 413, "body-too-large")
    form = signed()
    form["headers"]["Content-Type"] = "application/x-www-form-urlencoded"
    problem(await door.post(url(), **form), 415, "unsupported-media-type")
    problem(await door.post(url("form"), **signed()), 415, "unsupported-media-type")
    assert counted(front) == {"refused": 3}
    exactly = large[:9] + large[9 : 262_144 - 2] + b'"}'
    assert len(exactly) == 256 * 1024
    good(await door.post(url(), **signed(exactly)), 202)


async def test_what_cannot_be_read_goes_on_too_once_it_is_signed(front: Front, door: httpx.AsyncClient) -> None:
    """Its dead letter can be mended and sent again; a refused webhook is gone."""
    good(await door.post(url(), **signed(b"{not json")), 202)
    assert front.sent[0].value == b"{not json"


async def test_a_handshake_is_answered_and_sent_nowhere(front: Front, door: httpx.AsyncClient) -> None:
    hello = b'{"type": "hello", "word": "moin"}'
    assert good(await door.post(url(), **signed(hello))) == {"echo": "moin"}
    problem(await door.post(url(), **signed(hello, secret="guess")), 401, "unauthorized")
    body = b'{"type": "url_verification", "challenge": "3eZbrw1aB"}'
    stamp = str(int(datetime.now(UTC).timestamp()))
    signature = "v0=" + hmac.digest(SECRET.encode(), f"v0:{stamp}:".encode() + body, "sha256").hex()
    headers = {"Content-Type": "application/json", "X-Slack-Signature": signature, "X-Slack-Request-Timestamp": stamp}
    answer = await door.post(url("slack"), content=body, headers=headers)
    assert (answer.status_code, answer.text) == (200, "3eZbrw1aB")
    assert answer.headers["content-type"].startswith("text/plain")
    assert front.sent == []
    assert counted(front) == {"bad_signature": 1}


async def test_a_platform_that_looks_first_by_head_finds_somebody_there(front: Front, door: httpx.AsyncClient) -> None:
    for method in ("HEAD", "GET"):
        answer = await door.request(method, url("monkey"))
        assert (answer.status_code, answer.content) == (200, b"")
    body = b'{"event_type": "response_completed"}'
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha1")).decode()
    headers = {"Content-Type": "application/json", "Sm-Signature": signature}
    good(await door.post(url("monkey"), content=body, headers=headers), 202)
    headers["Sm-Signature"] = "A" + signature[1:] if signature[0] != "A" else "B" + signature[1:]
    problem(await door.post(url("monkey"), content=body, headers=headers), 401, "unauthorized")
    assert counted(front, "monkey") == {"accepted": 1, "bad_signature": 1}


async def test_a_platform_that_wants_its_word_back_by_get_gets_it(front: Front, door: httpx.AsyncClient) -> None:
    asked = {"hub.verify_token": "moin", "hub.challenge": "<b>17</b>"}
    answer = await door.get(url("hub"), params=asked)
    assert (answer.status_code, answer.text) == (200, "<b>17</b>")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    problem(await door.get(url("hub"), params={**asked, "hub.verify_token": "tschüs"}), 400, "malformed")
    signed_one = {"Authorization": f"Bearer {SECRET}"}
    assert (await door.get(url("tokens") + "?word=moin", headers=signed_one)).text == "moin"
    problem(await door.get(url("tokens") + "?word=moin"), 401, "unauthorized")
    assert front.sent == []
    assert (counted(front, "hub"), counted(front, "tokens")) == ({"refused": 1}, {"bad_signature": 1})


async def test_only_a_file_that_says_so_answers_by_get(front: Front, door: httpx.AsyncClient) -> None:
    for name in ("kiosk", "paced", "slack"):
        assert problem(await door.get(url(name)), 405, "method-not-allowed")
        assert (await door.head(url(name))).status_code == 405
    for name in ("silent", "plain", "nowhere"):
        problem(await door.get(url(name)), 404, "not-found")


async def test_a_file_may_say_how_much_a_platform_may_send(front: Front, door: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"bearer {SECRET}", "Content-Type": "application/json"}
    answers = [await door.post(url("paced"), content=BODY, headers=headers) for _ in range(12)]
    too_many = [each for each in answers if each.status_code != 202]
    problem(too_many[0], 429, "quota-exceeded")
    assert int(too_many[0].headers["Retry-After"]) >= 1
    assert counted(front, "paced") == {"accepted": 12 - len(too_many), "refused": len(too_many)}


async def test_no_key_opens_it_and_the_document_says_so(front: Front, door: httpx.AsyncClient) -> None:
    client = await front.key("admin", "events:ingest")
    problem(await client.post(url(), content=BODY, headers={"Content-Type": "application/json"}), 401, "unauthorized")
    document = (await door.get("/openapi.json")).json()
    operation = document["paths"]["/v1/sources/{name}/events"]["post"]
    assert operation["x-scope"] == "signature"
    assert "security" not in operation
    assert {"202", "401", "404", "413", "415", "429", "503"} <= operation["responses"].keys()
