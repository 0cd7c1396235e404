"""The list of callbacks, one callback, and what may be seen of a customer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.api.schemas.callback import CallbackDetail, CallbackList
from tests.integration.api.front import NOON, Front, good, leaks, problem


async def test_a_bad_answer_stands_in_the_list_with_everything_masked(front: Front) -> None:
    moved = await front.bad_answer()
    client = await front.key("callbacks:read")
    response = await client.get("/v1/callbacks")
    listed = CallbackList.model_validate_json(response.text)
    assert [item.id for item in listed.items] == [moved.callback.id]
    item = listed.items[0]
    assert (item.state, item.priority, item.severity) == ("waiting", 2, 80)
    assert (item.customer.phone, item.customer.name, item.customer.email) == ("+44******67", "Z. Q.", "z***")
    assert item.customer.masked
    assert item.alerts[0].comment is None
    assert item.alerts[0].attributes is None
    assert item.lease is None
    assert leaks(response) == []
    assert response.headers["cache-control"] == "no-store"


async def test_one_callback_tells_all_that_an_advisor_wants_to_know_before_dialling(front: Front) -> None:
    await front.answers([front.answer("c-1", rating=5)])
    moved = await front.bad_answer("c-1")
    client = await front.key("callbacks:read")
    response = await client.get(f"/v1/callbacks/{moved.callback.id}")
    detail = CallbackDetail.model_validate_json(response.text)
    assert response.headers["etag"].startswith('"')
    assert [each.kind for each in detail.history] == ["opened"]
    assert [each.rating for each in detail.earlier_answers] == [5]
    assert detail.local_time[0].time_zone == "Europe/London"
    assert detail.local_time[0].time.startswith("2026-11-24T12:00")
    assert detail.window.open_now
    assert [each.target for each in detail.targets] == ["first_attempt", "contact", "resolution"]
    assert leaks(response) == []


async def test_the_customers_earlier_callbacks_are_told(front: Front) -> None:
    first = await front.bad_answer("c-1")
    await _resolve(await front.advisor(), first.callback.id)
    second = await front.bad_answer("c-1")
    client = await front.key("callbacks:read")
    detail = good(await client.get(f"/v1/callbacks/{second.callback.id}"))
    assert [(each["id"], each["outcome"]) for each in detail["earlier_callbacks"]] == [(first.callback.id, "recovered")]
    assert detail["links"]["previous"] == f"/v1/callbacks/{first.callback.id}"


FILTERS = [
    ("", {"one", "two", "late", "held", "done"}),
    ("state=waiting", {"one", "two", "late"}),
    ("state=waiting&state=leased", {"one", "two", "late", "held"}),
    ("state=resolved", {"done"}),
    ("queue=general", {"one", "two", "late", "held", "done"}),
    ("queue=billing", set()),
    ("priority=3", {"two"}),
    ("advisor=me", {"held"}),
    ("advisor=bob", set()),
    ("cause=operations", {"done"}),
    ("cause=billing", {"done"}),
    ("cause=skill", set()),
    ("overdue=true", {"late"}),
    ("overdue=false", {"one", "two", "held", "done"}),
    ("flag=no_number", {"one"}),
    ("opened_before=2026-11-24T11:59:00Z", {"late"}),
    ("opened_after=2026-11-24T11:59:00Z", {"one", "two", "held", "done"}),
    ("customer=nobody", set()),
    ("q=nothing-has-this-id", set()),
]


async def test_each_filter_lets_through_what_it_says(front: Front) -> None:
    names, client = await _five_callbacks(front)
    for query, found in FILTERS:
        listed = good(await client.get(f"/v1/callbacks?{query}"))
        assert {names[item["id"]] for item in listed["items"]} == found, query


async def test_a_callback_is_found_by_its_own_id_its_customers_and_its_answers(front: Front) -> None:
    names, client = await _five_callbacks(front)
    for item in good(await client.get("/v1/callbacks"))["items"]:
        for text in (item["id"], item["customer"]["ref"], item["alerts"][0]["response_id"]):
            (hit,) = good(await client.get("/v1/callbacks", params={"q": text}))["items"]
            assert names[hit["id"]] == names[item["id"]]
        (hit,) = good(await client.get("/v1/callbacks", params={"customer": item["customer"]["ref"]}))["items"]
        assert hit["id"] == item["id"]


async def _five_callbacks(front: Front) -> tuple[dict[str, str], httpx.AsyncClient]:
    await front.clock.set(NOON - timedelta(hours=2))
    late = await front.bad_answer()
    await front.clock.set(NOON)
    held, done = await front.bad_answer(), await front.bad_answer()
    client = await front.advisor()
    good(await client.post(f"/v1/callbacks/{held.callback.id}/claim", json={}))
    await _resolve(client, done.callback.id)
    one, two = await front.bad_answer(phone=None), await front.bad_answer(rating=2)
    made = {"one": one, "two": two, "late": late, "held": held, "done": done}
    return {moved.callback.id: name for name, moved in made.items()}, client


async def _resolve(client: httpx.AsyncClient, callback_id: str) -> dict[str, Any]:
    claimed = good(await client.post(f"/v1/callbacks/{callback_id}/claim", json={}))
    cause = {"kind": "operations", "driver": "billing"}
    body = {"lease_token": claimed["lease"]["token"], "cause": cause, "outcome": "recovered", "note": "done"}
    return good(await client.post(f"/v1/callbacks/{callback_id}/resolve", json=body))


@pytest.mark.parametrize("sort", ["work_order", "opened_at", "due_at"])
async def test_pages_hold_every_callback_once_although_others_arrive_meanwhile(front: Front, sort: str) -> None:
    mixed = [front.answer(rating=1 + number % 2) for number in range(230)]
    there = {moved.callback.id for moved in await front.answers(mixed)}
    client = await front.key("callbacks:read")
    seen: list[str] = []
    url: str | None = f"/v1/callbacks?sort={sort}&limit=50&state=waiting"
    pages = 0
    while url is not None:
        response = await client.get(url)
        page = good(response)
        seen += [item["id"] for item in page["items"]]
        pages += 1
        url = response.links.get("next", {}).get("url")
        assert (url is None) == (page["next"] is None)
        await front.answers([front.answer(rating=2) for _ in range(3)])
    assert len(seen) == len(set(seen)), "no callback is shown twice"
    assert there <= set(seen), "none is left out"
    assert pages == 5


async def test_the_order_of_work_is_the_order_of_claims(front: Front) -> None:
    await front.answers([front.answer(rating=1 + number % 2) for number in range(6)])
    reader, dialer = await front.key("callbacks:read"), await front.key("callbacks:work", "callbacks:dial")
    listed = [item["id"] for item in good(await reader.get("/v1/callbacks"))["items"]]
    claimed = good(await dialer.post("/v1/callbacks/claim", json={"count": 6, "advisor": "ann"}))
    assert [item["id"] for item in claimed["items"]] == listed


async def test_a_cursor_that_was_changed_or_belongs_elsewhere_is_refused(front: Front) -> None:
    await front.answers([front.answer() for _ in range(3)])
    client = await front.key("callbacks:read")
    cursor = good(await client.get("/v1/callbacks?limit=1"))["next"]
    good(await client.get(f"/v1/callbacks?limit=2&cursor={cursor}"))
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for query in (
        f"cursor={changed}",
        f"cursor={cursor}&state=waiting",
        f"cursor={cursor}&sort=opened_at",
        "cursor=%00",
        "cursor=x",
        "cursor=é",
    ):
        response = await client.get(f"/v1/callbacks?{query}")
        assert response.status_code in (400, 422), query
        if "%00" not in query:
            problem(response, 400, "invalid-cursor")
    problem(await client.get(f"/v1/responses?cursor={cursor}"), 400, "invalid-cursor")


MISTAKES = [
    *("limit=0", "limit=-1", "limit=201", "limit=many", "limit=true", "state=sleeping", "sort=name", "unknown=1"),
    *("opened_after=yesterday", "opened_after=2026-11-24T12:00:00", "priority=9", "overdue=perhaps", "q="),
]


async def test_a_filter_that_cannot_be_right_is_named_and_not_repeated(front: Front) -> None:
    client = await front.key("callbacks:read")
    for query in MISTAKES:
        response = await client.get(f"/v1/callbacks?{query}")
        (error,) = problem(response, 422, "validation")["errors"]
        name, _, value = query.partition("=")
        assert error["in"] == "query"
        assert error["pointer"].startswith("" if name == "unknown" else f"/{name}"), query
        assert len(value) < 4 or value not in response.text, query


async def test_me_is_nobody_for_a_key_without_an_advisor(front: Front) -> None:
    client = await front.key("callbacks:read")
    problem(await client.get("/v1/callbacks?advisor=me"), 422, "validation")


async def test_the_holder_finds_the_lease_again_after_a_reload_and_nobody_else_does(front: Front) -> None:
    moved = await front.bad_answer()
    ann, bob, lead = await front.advisor("ann"), await front.advisor("bob"), await front.lead()
    claimed = good(await ann.post("/v1/callbacks/claim", json={}))
    own = await ann.get("/v1/callbacks?advisor=me")
    assert good(own)["items"][0]["lease"] == claimed["lease"]
    assert leaks(own) == [], "a list is masked even for the holder"
    for other in (bob, lead):
        response = await other.get("/v1/callbacks")
        assert good(response)["items"][0]["lease"] is None
        assert good(response)["items"][0]["advisor"] == "ann"
        assert claimed["lease"]["token"] not in (await other.get(f"/v1/callbacks/{moved.callback.id}")).text


async def test_the_holder_sees_all_of_it_and_each_look_is_on_record(front: Front) -> None:
    moved = await front.bad_answer()
    ann, bob = await front.advisor("ann"), await front.advisor("bob")
    claimed = await ann.post("/v1/callbacks/claim", json={})
    assert good(claimed)["customer"]["phone"] == "+442079463367"
    seen = good(await ann.get(f"/v1/callbacks/{moved.callback.id}"))
    assert seen["customer"]["name"] == "Zebedee Quillfeather"
    assert seen["customer"]["masked"] is False
    assert seen["alerts"][0]["comment"]
    assert leaks(await bob.get(f"/v1/callbacks/{moved.callback.id}")) == []
    actions = [row.action for row in await front.sql("SELECT action FROM audit ORDER BY id")]
    assert actions == ["claim", "view"]


async def test_after_the_lease_has_run_out_the_holder_sees_no_more_than_others(front: Front) -> None:
    moved = await front.bad_answer()
    ann = await front.advisor("ann")
    good(await ann.post("/v1/callbacks/claim", json={"lease_seconds": 60}))
    await front.clock.advance(timedelta(seconds=61))
    response = await ann.get(f"/v1/callbacks/{moved.callback.id}")
    assert good(response)["lease"] is None
    assert leaks(response) == []


async def test_outside_the_window_the_number_stays_masked_even_for_the_holder(front: Front) -> None:
    moved = await front.bad_answer()
    ann = await front.advisor("ann")
    await front.clock.set(NOON.replace(hour=19, minute=55))
    good(await ann.post("/v1/callbacks/claim", json={}))
    await front.clock.set(NOON.replace(hour=20, minute=1))
    seen = good(await ann.get(f"/v1/callbacks/{moved.callback.id}"))
    assert seen["customer"]["phone"] == "+44******67"
    assert seen["customer"]["name"] == "Zebedee Quillfeather"


async def test_an_unknown_id_and_an_impossible_one_are_equally_unknown(front: Front) -> None:
    client = await front.key("callbacks:read")
    for unknown in ("0198c0de-0000-7000-8000-000000000001", "7", "null", "%00", "é", "a" * 300):
        body = problem(await client.get(f"/v1/callbacks/{unknown}"), 404, "not-found")
        assert body["detail"] == "there is no such callback"
