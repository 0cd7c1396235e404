"""Requests that cannot be right: each is answered with a problem document that repeats nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.integration.api.front import CANARIES, COMMENT, EMAIL, NAME, PHONE, Front, good, leaks, problem

NOTES = "/v1/callbacks/{}/notes"
JSON = {"Content-Type": "application/json"}


async def _somebody(front: Front) -> tuple[httpx.AsyncClient, str]:
    moved = await front.bad_answer()
    return await front.advisor(), NOTES.format(moved.callback.id)


async def test_a_body_that_is_no_strict_json_cannot_be_read(front: Front) -> None:
    client, url = await _somebody(front)
    for body in (
        *(b"{", b"nonsense", b"[]", b'"text"', b"null", b'{"note": NaN}', b'{"note": Infinity}'),
        *(b'{"note": "\\ud800"}', b'{"note": "a", "note": "b"}', b'{"note": ' + b"9" * 5000 + b"}"),
        *(b'{"note": "\xff"}', b'{"note":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"\xef\xbb\xbf{}"),
    ):
        problem(await client.post(url, content=body, headers=JSON), 400, "malformed")


async def test_a_nul_character_and_an_unknown_member_are_not_valid(front: Front) -> None:
    client, url = await _somebody(front)
    problem(await client.post(url, content=b'{"note": "a\\u0000b"}', headers=JSON), 422, "validation")
    body = problem(await client.post(url, json={"note": "a", PHONE: 1, "extra": 2}), 422, "validation")
    assert len(body["errors"]) == 2
    assert "extra" not in json.dumps(body)
    problem(await client.post(url, json={}), 422, "validation")
    problem(await client.post(url, json={"note": None}), 422, "validation")
    problem(await client.post(url, json={"note": "x" * 20_001}), 422, "validation")
    problem(await client.post(url), 422, "validation")
    problem(await client.post(url + "?dry=1", json={"note": "a"}), 422, "validation")
    problem(await client.get("/v1/callbacks?q=%00"), 422, "validation")


async def test_only_json_is_read(front: Front) -> None:
    client, url = await _somebody(front)
    for media in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonx", ""):
        response = await client.post(url, content=b'{"note": "a"}', headers={"Content-Type": media})
        problem(response, 415, "unsupported-media-type")
    good(await client.post(url, content=b'{"note": "a"}', headers={"Content-Type": "Application/JSON; charset=utf-8"}))


async def test_a_body_over_a_mebibyte_is_refused_whether_or_not_it_says_its_length(front: Front) -> None:
    client, url = await _somebody(front)
    large = b'{"note": "' + b"x" * 1024 * 1024 + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    for content in (large, chunks()):
        response = await client.post(url, content=content, headers=JSON)
        problem(response, 413, "body-too-large")
        assert response.headers["connection"] == "close"
    problem(await client.post("/v1/nowhere", content=large, headers=JSON), 413, "body-too-large")


async def test_what_is_not_here_is_404_and_what_may_not_be_done_here_is_405_with_allow(front: Front) -> None:
    client, url = await _somebody(front)
    for nowhere in ("/", "/v1", "/v1/callbacks/", "/v2/callbacks", "/v1/insights/wishes", "/%2e%2e/etc/passwd", "/é"):
        problem(await client.get(nowhere), 404, "not-found")
    for method, where, allow in (
        ("DELETE", url, "POST"),
        ("GET", "/v1/customers/lookup", "GET, HEAD, PATCH, POST"),
        ("POST", "/v1/customers/x", "GET, HEAD, PATCH"),
        ("GET", "/v1/customers/x/opt-out", "DELETE, PUT"),
        ("HEAD", "/v1/contacts", "POST"),
        ("OPTIONS", "/v1/callbacks", "GET, HEAD"),
    ):
        response = await client.request(method, where)
        if (method, where) == ("GET", "/v1/customers/lookup"):
            continue  # there `lookup` is a ref that nobody has
        assert response.headers["allow"] == allow
        if method != "HEAD":
            problem(response, 405, "method-not-allowed")


async def test_no_error_repeats_what_was_sent(front: Front) -> None:
    """Every route that takes a body gets one full of personal data, in members known and unknown."""
    moved = await front.bad_answer("c-1")
    client = await front.key("admin", "events:ingest", "callbacks:dial", advisor="ann")
    document = (await client.get("/openapi.json")).json()
    secrets: dict[str, Any] = {
        **dict.fromkeys(("note", "reason", "result", "lease_token", "advisor", "queue", "at", "kind"), COMMENT),
        **dict.fromkeys(("phone", "number", "time_zone", "language", "cause", "outcome", "ids"), PHONE),
        "customer": {"name": NAME, "email": EMAIL, PHONE: NAME},
        "checklist": {NAME: True, EMAIL: COMMENT},
        NAME: [EMAIL],
    }
    tried = 0
    for path, operations in document["paths"].items():
        url = path.replace("{callback_id}", moved.callback.id).replace("{ref}", moved.callback.id)
        url = url.replace("{name}", "general").replace("{id}", "1")
        for method in operations:
            for body in (secrets, {"customer": secrets}, [secrets]):
                keyed = {"Idempotency-Key": NAME, "If-Match": f'"{EMAIL}"'}
                response = await client.request(method, url, json=body, headers=keyed)
                assert response.status_code < 500, (method, url)
                if response.status_code >= 400:
                    assert response.headers["content-type"] == "application/problem+json"
                    assert leaks(response) == [], (method, url, response.text)
                    tried += 1
    assert tried > 50


async def test_an_unexpected_error_says_nothing_of_what_broke(front: Front, caplog: Any) -> None:
    client, url = await _somebody(front)
    await front.run("ALTER TABLE history ADD CONSTRAINT broken CHECK (text IS NULL OR text = '')")
    response = await client.post(url, json={"note": COMMENT})
    body = problem(response, 500, "internal-error")
    assert "broken" not in response.text
    assert body["instance"].startswith("urn:uuid:")
    assert "CheckViolationError" in caplog.text
    assert not any(canary in caplog.text for canary in CANARIES)
    assert front.observed[-1] == ("/v1/callbacks/{callback_id}/notes", 500)


async def test_an_absent_database_is_503_with_a_time_to_come_back(front: Front) -> None:
    client, _ = await _somebody(front)
    await front.run("ALTER TABLE callbacks RENAME TO gone")
    await front.run(
        "CREATE FUNCTION away() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '57P01'; END $$"
    )
    await front.run("CREATE VIEW callbacks AS SELECT * FROM gone WHERE away()")
    response = await client.get("/v1/callbacks")
    problem(response, 503, "temporarily-unavailable")
    assert int(response.headers["retry-after"]) >= 1


async def test_the_duration_of_every_request_is_told_under_its_routes_name(front: Front) -> None:
    client, url = await _somebody(front)
    front.observed.clear()
    await client.post(url, json={"note": "a"})
    await client.get("/v1/nowhere/at/all")
    await client.get("/livez")
    assert front.observed == [("/v1/callbacks/{callback_id}/notes", 200), ("unmatched", 404), ("/livez", 200)]
