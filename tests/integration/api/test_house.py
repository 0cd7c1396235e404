"""Health, documentation, the ledger's table, the policy, answers and dead letters."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from alerts.arrival import Address, DeadLettered, RecordOutcome
from alerts.ledger.reading.dead_letters import DeadLetterFilter, find_dead_letters, mark_redriven
from app.api.app import create_monitoring
from app.api.http.problems import PROBLEMS
from app.api.schemas.dead_letter import DeadLetterResource
from app.api.schemas.ledger import PartitionList
from app.api.schemas.policy import PolicyInForce
from app.api.schemas.response import ResponseList, SurveyResponseResource
from app.published import DOCUMENTS
from tests.integration.api.front import NOON, PHONE, Front, good, leaks, problem


async def test_a_process_lives_without_anybody_and_is_ready_when_nothing_is_missing(front: Front) -> None:
    anybody = front.stranger()
    assert good(await anybody.get("/livez")) == {"status": "alive"}
    assert good(await anybody.get("/readyz")) == {"status": "ready"}
    front.missing.append("the database cannot be reached")
    body = problem(await anybody.get("/readyz"), 503, "temporarily-unavailable")
    assert body["reasons"] == ["the database cannot be reached"]
    assert good(await anybody.get("/livez")) == {"status": "alive"}


async def test_metrics_are_public_unless_they_are_protected(front: Front) -> None:
    page = await front.stranger().get("/metrics")
    assert (page.text, page.headers["content-type"]) == ("# EOF\n", "text/plain; version=0.0.4")
    front.rebuild(metrics_protected=True)
    problem(await front.stranger().get("/metrics"), 401, "unauthorized")
    problem(await (await front.key("admin")).get("/metrics"), 403, "insufficient-scope")
    assert (await (await front.key("metrics:read")).get("/metrics")).status_code == 200


async def test_the_monitoring_port_has_health_and_metrics_and_nothing_else(front: Front) -> None:
    front.app = create_monitoring(front.parts())
    anybody = front.stranger()
    for path in ("/livez", "/readyz", "/metrics"):
        assert (await anybody.get(path)).status_code == 200
    problem(await anybody.get("/v1/callbacks"), 404, "not-found")


async def test_every_operation_is_documented_with_scope_problems_and_examples(front: Front) -> None:
    document: dict[str, Any] = good(await front.stranger().get("/openapi.json"))
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["x-scope"], where
            with_key = operation["x-scope"] not in ("public", "signature")
            assert with_key == ("security" in operation), where
            if path.startswith("/v1"):
                refusals = {"401", "429", "503"} | ({"403"} if with_key else set())
                assert refusals <= operation["responses"].keys(), where
            for response in operation["responses"].values():
                assert "HTTPValidationError" not in str(response), where
                for content in response.get("content", {}).values():
                    assert content.get("schema", {}).get("$ref", "").endswith("Problem") == ("examples" in content)
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                named = content["schema"].get("$ref", "").rsplit("/", 1)[-1]
                assert "example" in content or schemas[named]["examples"], f"{where} {media}"
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert named <= schemas.keys()


async def test_the_documented_problems_are_those_of_the_table(front: Front) -> None:
    document = (await front.stranger().get("/openapi.json")).json()
    told_of = {
        code
        for operations in document["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for content in response.get("content", {}).values()
        for code in content.get("examples", {})
    }
    everywhere = {"method-not-allowed", "internal-error"}
    assert told_of | everywhere == set(PROBLEMS)


async def test_the_documentation_page_lists_every_operation_and_loads_nothing_from_elsewhere(front: Front) -> None:
    anybody = front.stranger()
    page = await anybody.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "://" not in page.text
    document = (await anybody.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in page.text


async def test_anybody_may_read_the_schemas_of_what_travels_on_kafka(front: Front) -> None:
    anybody = front.stranger()
    for name, document in DOCUMENTS.items():
        response = await anybody.get(f"/schemas/{name}")
        assert (response.status_code, response.json()) == (200, document)
        assert "json" in response.headers["content-type"]
    assert (await anybody.get("/schemas/nothing.json")).status_code == 404


async def test_the_ledger_accounts_for_every_offset(front: Front) -> None:
    await front.answers([front.answer(), front.answer(rating=5)])
    client = await front.key("callbacks:read")
    response = await client.get("/v1/ledger")
    listed = PartitionList.model_validate_json(response.text)
    (account,) = listed.items
    assert {name: count for name, count in account.outcomes.items() if count} == {"bottom_box": 1, "not_bottom_box": 1}
    assert set(account.outcomes) == set(RecordOutcome)
    assert (account.next_offset - account.first_offset, account.difference) == (2, 0)


async def test_the_policy_in_force_has_a_version(front: Front) -> None:
    client = await front.key("callbacks:read")
    response = await client.get("/v1/policy")
    body = PolicyInForce.model_validate_json(response.text)
    assert response.headers["etag"] == f'"{body.version}"'
    assert body.policy["leases"]["seconds"] == 900
    other = front.policy.model_copy(update={"expire_after_days": 7})
    front.rebuild(policy=other)
    again = await (await front.key("callbacks:read")).get("/v1/policy")
    assert good(again)["version"] != body.version


async def _pages(client: httpx.AsyncClient, url: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    following: str | None = url
    while following is not None:
        response = await client.get(following)
        items += good(response)["items"]
        following = response.links.get("next", {}).get("url")
    return items


async def test_answers_are_listed_masked_the_newest_first_and_found_by_what_they_are(front: Front) -> None:
    moved = await front.bad_answer("c-1")
    await front.answers([front.answer("c-1", rating=5), front.answer(rating=3, source="olist")])
    client = await front.key("callbacks:read")
    response = await client.get("/v1/responses")
    listed = ResponseList.model_validate_json(response.text)
    assert [item.rating for item in listed.items] == [3, 5, 1]
    assert [item.callback for item in listed.items] == [None, None, moved.callback.id]
    assert leaks(response) == []
    customer = listed.items[-1].customer
    for query, ratings in (
        ("box=bottom", [1]),
        ("source=olist", [3]),
        (f"customer={customer}", [5, 1]),
        ("customer=nobody", []),
        ("outcome=not_bottom_box", [3, 5]),
        ("answered_after=2026-11-24T11:30:00Z", []),
        ("answered_before=2026-11-24T11:30:00Z&limit=1", [3, 5, 1]),
    ):
        assert [item["rating"] for item in await _pages(client, f"/v1/responses?{query}")] == ratings, query
    one = await client.get(f"/v1/responses/{listed.items[0].id}")
    assert SurveyResponseResource.model_validate_json(one.text) == listed.items[0]
    assert one.headers["etag"].startswith('"')
    for unknown in ("0", "999999", "9" * 30, "x", "-1", "１", "%00"):
        problem(await client.get(f"/v1/responses/{unknown}"), 404, "not-found")


def aside(number: int, reason: str, *, field: str = "rating", source: str | None = None) -> DeadLettered:
    kept = Address("surveys.dead", 0, number, NOON)
    return DeadLettered(Address("surveys", 0, number, NOON), reason, field, "send a number", source, kept)


async def test_dead_letters_are_counted_by_kind_and_chosen_by_what_is_wrong_with_them(front: Front) -> None:
    await front.answers(
        [
            aside(1, "invalid_rating", source="typeform"),
            aside(2, "invalid_rating", source="typeform"),
            aside(3, "invalid_time", field="answered_at", source="typeform"),
            aside(4, "malformed"),
        ]
    )
    admin = await front.key("admin")

    async def counts(query: str) -> list[tuple[str, str | None, str | None, int, int]]:
        items = good(await admin.get(f"/v1/dead-letters/counts{query}"))["items"]
        return [tuple(each[name] for name in ("reason", "source", "field", "count", "pending")) for each in items]

    async def offsets(query: str) -> list[int]:
        return [each["origin"]["offset"] for each in good(await admin.get(f"/v1/dead-letters{query}"))["items"]]

    assert await counts("") == [
        ("invalid_rating", "typeform", "rating", 2, 2),
        ("invalid_time", "typeform", "answered_at", 1, 1),
        ("malformed", None, "rating", 1, 1),
    ]
    [letter] = await find_dead_letters(front.engine, DeadLetterFilter(reason="malformed"))
    await mark_redriven(front.engine, letter.id, "root")
    assert await counts("?reason=malformed") == [("malformed", None, "rating", 1, 0)]
    assert await counts("?pending=true&field=rating") == [("invalid_rating", "typeform", "rating", 2, 2)]
    assert await offsets("?source=typeform") == [3, 2, 1]
    assert await offsets("?source=typeform&field=answered_at") == [3]
    assert await offsets("?pending=true") == [3, 2, 1]
    first = min(each.failed_at for each in await find_dead_letters(front.engine))
    moment = first.isoformat().replace("+00:00", "Z")
    assert await offsets(f"?failed_before={moment}") == []
    assert await offsets(f"?failed_after={moment}") == [4, 3, 2, 1]


async def test_dead_letters_are_told_without_their_value_and_sent_again(front: Front) -> None:
    await front.answers([aside(1, "malformed"), aside(2, "invalid_rating"), aside(3, "malformed")])
    admin = await front.key("admin", name="root")
    letters = await _pages(admin, "/v1/dead-letters?limit=2")
    assert [letter["origin"]["offset"] for letter in letters] == [3, 2, 1]
    assert len(await _pages(admin, "/v1/dead-letters?reason=malformed&limit=1")) == 2
    assert len(await _pages(admin, "/v1/dead-letters?topic=other")) == 0
    letter = DeadLetterResource.model_validate(letters[0])
    assert letter.address is not None
    assert (letter.reason, letter.field, letter.address.topic) == ("malformed", "rating", "surveys.dead")
    assert good(await admin.get(f"/v1/dead-letters/{letter.id}")) == letters[0]
    assert good(await admin.post(f"/v1/dead-letters/{letter.id}/redrive")) == {"redriven": 1}
    assert front.redriven == [([int(letter.id)], "root")]
    for unknown in ("0", "9" * 30, "x"):
        problem(await admin.get(f"/v1/dead-letters/{unknown}"), 404, "not-found")
        problem(await admin.post(f"/v1/dead-letters/{unknown}/redrive"), 404, "not-found")
    front.kafka_is_away = True
    again = await (await front.key("admin")).post(f"/v1/dead-letters/{letter.id}/redrive")
    problem(again, 503, "temporarily-unavailable")


async def test_dead_letters_of_a_kind_are_rehearsed_and_sent_again_some_at_a_time(front: Front) -> None:
    await front.answers(
        [
            *(aside(number, "invalid_rating", source="typeform") for number in range(5)),
            aside(5, "invalid_time", field="answered_at", source="typeform"),
            aside(6, "malformed", source="olist"),
        ]
    )
    admin = await front.key("admin", name="root")
    ids = [each.id for each in await find_dead_letters(front.engine)]
    path = "/v1/dead-letters/redrive"
    rehearsed = good(await admin.post(path, json={"source": "typeform", "dry_run": True}))
    items = rehearsed.pop("items")
    assert rehearsed == {"would_be_read": 5, "would_not": 1, "now": {"read": 5, "invalid_time": 1}, "left": 0}
    assert items[0] == {"id": str(ids[0]), "now": "read", "field": None, "detail": None}
    assert front.redriven == [], "a rehearsal sends nothing"

    some = {"reason": "invalid_rating", "limit": 3}
    once = {"Idempotency-Key": "once"}
    assert good(await admin.post(path, json=some, headers=once)) == {"redriven": 3, "gone": 0, "left": 2}
    again = await admin.post(path, json=some, headers=once)
    assert (good(again), again.headers["idempotency-replayed"]) == ({"redriven": 3, "gone": 0, "left": 2}, "true")
    assert front.redriven == [(ids[:3], "root")]
    assert good(await admin.post(path, json=some)) == {"redriven": 2, "gone": 0, "left": 0}
    assert good(await admin.post(path, json=some)) == {"redriven": 0, "gone": 0, "left": 0}
    assert good(await admin.post(path, json={"topic": "surveys", "field": "answered_at"}))["redriven"] == 1
    assert good(await admin.post(path, json={"failed_before": "2020-01-01T00:00:00Z"}))["redriven"] == 0

    for wrong in ({}, {"dry_run": True}, {**some, "limit": 501}, {**some, "limit": 0}, {**some, "pending": True}):
        problem(await admin.post(path, json=wrong), 422, "validation")
    front.kafka_is_away = True
    for more in ({}, {"dry_run": True}):
        problem(await admin.post(path, json={"source": "olist", **more}), 503, "temporarily-unavailable")


async def test_links_begin_with_the_public_address(front: Front) -> None:
    await front.answers([front.answer(), front.answer()])
    front.rebuild(public_url="https://callbacks.example.org/")
    client = await front.key("callbacks:read")
    response = await client.get("/v1/callbacks?limit=1")
    assert good(response)["items"][0]["links"]["self"].startswith("https://callbacks.example.org/v1/callbacks/")
    assert response.links["next"]["url"].startswith("https://callbacks.example.org/v1/callbacks?limit=1&cursor=")


async def test_a_listener_that_fails_spoils_no_success(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    def deaf(*heard: object) -> None:
        raise KeyError(PHONE)

    moved = await front.bad_answer()
    front.rebuild(announce=deaf, observe_http=deaf)
    ann = await front.advisor()
    claimed = good(await ann.post(f"/v1/callbacks/{moved.callback.id}/claim", json={}))
    assert claimed["state"] == "leased"
    assert "KeyError" in caplog.text
    assert PHONE not in caplog.text
