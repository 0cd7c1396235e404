"""Mass-event mode: many are unhappy for one reason; it is named once, read by whoever phones, and told when it is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from alerts.callback import Transition
from alerts.ledger.learning.problems import count_problems
from alerts.ledger.learning.sweeping import AT_ONCE, sweep_once
from alerts.policy import read_policy
from tests.integration.api.front import NOON, Front, good, problem

NOTE = "Nobody has to pay twice"
INVOICES = {"title": "Invoices went out twice", "match": {"segments": ["gold"]}, "note": NOTE}


async def named(client: httpx.AsyncClient, **members: Any) -> dict[str, Any]:
    response = await client.post("/v1/problems", json={**INVOICES, **members})
    body = good(response, 201)
    assert response.headers["location"] == f"/v1/problems/{body['id']}"
    return body


async def swept(front: Front) -> list[Transition]:
    moved: list[Transition] = []
    while True:
        found = await sweep_once(front.engine, front.policy)
        moved += found.moved
        if not found.more:
            return moved


async def ids(client: httpx.AsyncClient, problem_id: str, **query: Any) -> list[str]:
    found: list[str] = []
    params: dict[str, Any] | None
    url, params = f"/v1/problems/{problem_id}/callbacks", {"limit": 2, **query}
    while url:
        page = await client.get(url, params=params)
        found += [each["id"] for each in good(page)["items"]]
        url, params = page.links.get("next", {}).get("url", ""), None
    return found


async def test_new_bad_answers_are_explained_and_whoever_phones_reads_the_note(front: Front) -> None:
    lead, ann = await front.lead(), await front.advisor()
    made = await named(lead)
    assert (made["state"], made["version"], made["message"]) == ("open", 1, None)
    moved = await front.bad_answer("c-1", segment="Gold")
    other = await front.bad_answer("c-2", segment="basic")
    shown = {"id": made["id"], "title": INVOICES["title"], "note": NOTE, "state": "open", "message": None}
    claims = [good(await ann.post("/v1/callbacks/claim", json={})) for _ in range(2)]
    assert {each["id"]: each["problem"] for each in claims} == {moved.callback.id: shown, other.callback.id: None}
    assert good(await lead.get(f"/v1/callbacks/{moved.callback.id}"))["problem"] == shown
    assert await ids(lead, made["id"]) == [moved.callback.id]


async def test_callbacks_that_were_there_before_are_found_by_the_worker_all_of_them_and_once(front: Front) -> None:
    before = await front.answers(
        [front.answer(f"c-{number}", segment="gold" if number % 2 else "basic") for number in range(AT_ONCE + 9)]
    )
    lead = await front.lead()
    made = await named(lead)
    moved = await swept(front)
    assert len(moved) == (AT_ONCE + 9) // 2
    assert {event.kind for each in moved for event in each.events} == {"explained"}
    expected = {each.callback.id for each in before} & {each.callback.id for each in moved}
    assert set(await ids(lead, made["id"], limit=200)) == expected
    assert await swept(front) == []


async def test_a_batch_that_did_not_know_yet_is_found_a_minute_later(front: Front) -> None:
    lead = await front.lead()
    made = await named(lead)
    await swept(front)
    late = await front.bad_answer("c-1", segment="gold")
    await front.run("UPDATE callbacks SET problem_id = NULL")  # as if its batch had begun before
    assert await swept(front) == []
    await front.clock.advance(timedelta(seconds=61))
    assert [each.callback.id for each in await swept(front)] == [late.callback.id]
    assert (await front.sql("SELECT sweep_at FROM problems"))[0].sweep_at is None
    assert await ids(lead, made["id"]) == [late.callback.id]


async def test_the_policy_lowers_a_priority_and_the_call_is_made_all_the_same(front: Front) -> None:
    front.policy = read_policy("problems: {lower_priority_by: 3}", file="policy.yaml")
    front.rebuild()
    old = await front.bad_answer("c-0", segment="gold")
    lead, ann = await front.lead(), await front.advisor()
    await named(lead)
    explained, urgent = await front.bad_answer("c-1", segment="gold"), await front.bad_answer("c-2", segment="basic")
    await swept(front)
    order = [good(await ann.post("/v1/callbacks/claim", json={}))["id"] for _ in range(3)]
    assert order == [urgent.callback.id, old.callback.id, explained.callback.id]


async def test_once_it_is_solved_the_customers_still_to_be_told_are_a_list_to_work_through(front: Front) -> None:
    lead, ann = await front.lead(), await front.advisor()
    made = await named(lead)
    first, second, third, fourth = [await front.bad_answer(f"c-{number}", segment="gold") for number in range(4)]
    await resolved(ann, first, told=False)
    solved = await lead.post(f"/v1/problems/{made['id']}/solve", json={"message": "It was put right"})
    assert (good(solved)["state"], solved.json()["version"], solved.headers["etag"]) == ("solved", 2, '"2"')
    (seen,) = await front.sql("SELECT ref FROM customers WHERE key LIKE '%c-3'")
    assert (await lead.put(f"/v1/customers/{seen.ref}/opt-out")).status_code == 204
    await resolved(ann, second, told=True)
    assert await ids(lead, made["id"]) == [each.callback.id for each in (first, second, third, fourth)]
    assert await ids(lead, made["id"], told=True) == [second.callback.id]
    assert await ids(lead, made["id"], told=False) == [first.callback.id, third.callback.id]
    good(await lead.post(f"/v1/callbacks/{first.callback.id}/reopen", json={}))
    await resolved(ann, first, told=True)
    assert await ids(lead, made["id"], told=False) == [third.callback.id]
    shown = good(await lead.get(f"/v1/callbacks/{third.callback.id}"))["problem"]
    assert (shown["state"], shown["message"]) == ("solved", "It was put right")
    later = await front.bad_answer("c-9", segment="gold")
    assert later.callback.problem_id is None
    assert await count_problems(front.engine) == {"open": 0, "solved": 1}


async def resolved(client: httpx.AsyncClient, moved: Transition, *, told: bool) -> None:
    url = f"/v1/callbacks/{moved.callback.id}"
    token = good(await client.post(f"{url}/claim", json={}))["lease"]["token"]
    cause = {"kind": "operations", "driver": "billing"}
    body = {"lease_token": token, "cause": cause, "outcome": "recovered", "told": told}
    done = good(await client.post(f"{url}/resolve", json=body))
    assert (done["told_at"] is not None) is told


async def test_told_without_a_problem_is_refused(front: Front) -> None:
    ann = await front.advisor()
    held = good(await ann.post(f"/v1/callbacks/{(await front.bad_answer()).callback.id}/claim", json={}))
    cause = {"kind": "operations", "driver": "billing"}
    body = {"lease_token": held["lease"]["token"], "cause": cause, "outcome": "recovered", "told": True}
    refused = await ann.post(f"/v1/callbacks/{held['id']}/resolve", json=body)
    assert problem(refused, 422, "validation")["errors"][0]["pointer"] == "/told"


async def test_a_change_rests_on_the_version_that_was_read_and_another_condition_explains_more(front: Front) -> None:
    await front.bad_answer("c-1", segment="basic")
    lead, ann = await front.lead(), await front.advisor()
    made = await named(lead, note=None)
    url = f"/v1/problems/{made['id']}"
    assert await swept(front) == []
    problem(await lead.patch(url, json={"note": NOTE}), 428, "precondition-required")
    problem(await ann.patch(url, json={"note": NOTE}, headers={"If-Match": '"1"'}), 403, "insufficient-scope")
    tag = (await ann.get(url)).headers["etag"]
    changed = await lead.patch(url, json={"match": {"segments": ["basic"]}, "note": NOTE}, headers={"If-Match": tag})
    assert (good(changed)["note"], changed.json()["version"]) == (NOTE, 2)
    problem(await lead.patch(url, json={"note": None}, headers={"If-Match": tag}), 412, "stale-version")
    assert len(await swept(front)) == 1
    good(await lead.post(f"{url}/solve", json={"message": "over"}))
    refused = await lead.patch(url, json={"match": {"segments": ["x"]}}, headers={"If-Match": '"3"'})
    assert problem(refused, 422, "validation")["errors"][0]["pointer"] == "/match"
    audited = await front.sql(
        "SELECT action FROM audit WHERE subject = :about ORDER BY id", about=f"problem {made['id']}"
    )
    assert [row.action for row in audited] == ["problem_opened", "problem_changed", "problem_solved"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("match", {}),
        ("match", {"bottom_box_within_days": 3}),
        ("title", ""),
        ("signal", "none"),
        ("signal", "0198c0de-0000-7000-8000-000000000001"),
    ],
)
async def test_a_problem_that_cannot_be_right_names_the_member(front: Front, member: str, value: Any) -> None:
    lead = await front.lead()
    body = problem(await lead.post("/v1/problems", json={**INVOICES, member: value}), 422, "validation")
    assert body["errors"][0]["pointer"] == f"/{member}"


async def test_problems_are_listed_the_newest_first(front: Front) -> None:
    lead = await front.lead()
    made = [(await named(lead, title=title))["id"] for title in "abc"]
    await lead.post(f"/v1/problems/{made[1]}/solve", json={"message": "over"})
    assert [each["id"] for each in good(await lead.get("/v1/problems"))["items"]] == made[::-1]
    found = good(await lead.get("/v1/problems", params={"state": "solved"}))["items"]
    assert [each["id"] for each in found] == [made[1]]
    assert NOON.date().isoformat() in found[0]["solved_at"]
