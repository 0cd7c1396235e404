"""What producers, relays and senders over HTTP do to an event on its way: none of it costs an answer, or mixes up two."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import httpx
import pytest

from tests.integration.api.front import good, problem
from tests.integration.cases.post import Post, event

URL = "/v1/survey-events"
EVENT = "application/cloudevents+json"


async def test_a_header_that_a_retry_topic_repeats_is_one_header(post: Post) -> None:
    """case-kafka-02"""
    same = [("content-type", b"application/cloudevents+json")] * 2
    other = [("content-type", b"application/cloudevents+json"), ("content-type", b"application/json")]
    await post.deliver(post.record(event("same"), same), post.record(event("other"), other))
    assert await post.outcome("same") == "bottom_box"
    assert post.set_aside == ["invalid_envelope"]


async def test_a_header_without_a_value_stays_so_in_the_dead_letter(post: Post) -> None:
    """case-kafka-06"""
    await post.deliver(post.record(b"no event", [("trace", None), ("empty", b"")]))
    headers = dict(post.shelf.kept[0].headers)
    assert (headers["trace"], headers["empty"]) == (None, b"")


async def test_a_source_and_an_id_of_rare_letters_are_stored_or_refused_by_the_reader(post: Post) -> None:
    """case-pg-05"""
    dice = Random(5)
    longest = ["".join(chr(dice.randrange(0x20000, 0x2A6DF)) for _ in range(256)) for _ in range(3)]
    await post.say(event(longest[0], source=f"{longest[1]}", response_id=longest[2]), event("x" * 1025), event("next"))
    assert await post.outcome(longest[0]) == "bottom_box"
    assert post.set_aside == ["invalid_envelope"]
    assert await post.outcome("next") == "bottom_box"
    claimed = await post.claim()
    assert claimed is not None
    assert claimed["alerts"][0]["event_source"] == longest[1]


OPTIONAL: list[tuple[dict[str, Any], str | None]] = [
    ({"country": "GBR"}, None),
    ({"since": ""}, None),
    ({"since": "2019-02"}, None),
    ({"value": "42.50"}, "dropped:customer.value"),
    ({"language": 5}, "dropped:customer.language"),
    ({"time_zone": "Mars/Base"}, "dropped:customer.time_zone"),
    ({"time_zone": "US/Pacific-New"}, "dropped:customer.time_zone"),
    ({"name": ["Ann"]}, "dropped:customer.name"),
    ({"segment": {"id": 1}}, "dropped:customer.segment"),
]


async def test_an_optional_member_that_cannot_be_used_costs_itself_and_no_bad_answer(post: Post) -> None:
    """Found beside the cases: CONTRACT section 3, dropped and flagged."""
    await post.say(
        *(event(f"{number}", customer={"id": f"c-{number}", **each}) for number, (each, _) in enumerate(OPTIONAL))
    )
    assert post.set_aside == []
    client = await post.front.key("callbacks:read")
    items = good(await client.get("/v1/responses?limit=50"))["items"]
    flags = {item["event_id"]: item["flags"] for item in items}
    assert flags == {f"{number}": [flag] if flag else [] for number, (_, flag) in enumerate(OPTIONAL)}
    assert await post.value("SELECT country FROM customers ORDER BY id LIMIT 1") == "GB"


async def test_a_structured_event_may_repeat_its_attributes_as_headers(post: Post) -> None:
    """case-ce-01"""
    sender = await post.front.key("events:ingest")
    headers = {
        "Content-Type": EVENT,
        "ce_sequence": "1",
        "ce-traceparent": "00-1",
        "ce-id": "e-1",
        "ce-time": "2026-11-24T11:00:00+00:00",
    }
    whole = {**event("e-1", time="2026-11-24T11:00:00Z"), "sequence": 1, "partial": True}
    good(await _post(sender, whole, **headers), 202)
    await _consumed(post)
    assert await post.outcome("e-1") == "bottom_box"


async def test_a_quoted_header_and_a_member_name_the_same_event(post: Post) -> None:
    """case-ce-03"""
    sender = await post.front.key("events:ingest")
    whole = event("e-1")
    binary = {f"ce-{name}": f'"{value}"' for name, value in whole.items() if name != "data"}
    good(await _post(sender, whole["data"], **{"Content-Type": "application/json", **binary}), 202)
    good(await _post(sender, whole, **{"Content-Type": EVENT}), 202)
    await _consumed(post)
    assert await post.value("SELECT count(*) FROM responses WHERE event_id = 'e-1'") == 1
    assert (await post.outcomes())["duplicate"] == 1


async def test_two_ids_that_are_no_utf_8_never_become_one(post: Post) -> None:
    """case-ce-04"""
    sender = await post.front.key("events:ingest")
    for spoilt in ("a%ff", "a%fe"):
        whole = event(spoilt)
        binary = {f"ce-{name}": value for name, value in whole.items() if name != "data"}
        sent = await _post(sender, whole["data"], **{"Content-Type": "application/json", **binary})
        problem(sent, 422, "validation")
    assert post.front.sent == []


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/openapi.json", "/v1/policy"])
async def test_a_probe_with_head_is_answered_like_get_without_a_body(post: Post, path: str) -> None:
    """case-http-01"""
    client = await post.front.key("callbacks:read")
    asked, got = await client.head(path), await client.get(path)
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    assert asked.headers["content-type"] == got.headers["content-type"]


async def test_a_key_for_repeats_may_be_any_text_and_is_no_fault_of_ours(post: Post) -> None:
    """paveg/hono-idempotency #93: letters that are not ASCII, and lengths in bytes"""
    sender = await post.front.key("events:ingest")
    for key in ("\N{GRINNING FACE}" * 128, "é" * 255, "k" * 5000, "\N{CYRILLIC SMALL LETTER KA}", " "):
        sent = await _post(sender, event(), **{"Content-Type": EVENT, "Idempotency-Key": key})
        assert sent.status_code < 500, sent.text
        assert sent.headers["content-type"] in ("application/json", "application/problem+json")


async def _post(client: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    return await client.post(URL, content=json.dumps(body).encode(), headers=sent)


async def _consumed(post: Post) -> None:
    """What the front door sent on, read as Kafka would deliver it."""
    sent = post.front.sent
    await post.deliver(*(post.record(each.value, each.headers) for each in sent if each.value is not None))
