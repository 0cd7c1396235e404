"""What leads may do, and others may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from tests.integration.api.front import NOON, Front, good, leaks, problem


async def _resolved(front: Front, client: httpx.AsyncClient, customer: str = "c-1") -> str:
    moved = await front.bad_answer(customer)
    url = f"/v1/callbacks/{moved.callback.id}"
    claimed = good(await client.post(f"{url}/claim", json={}))
    cause = {"kind": "skill", "driver": "courtesy"}
    body = {"lease_token": claimed["lease"]["token"], "cause": cause, "outcome": "not_recovered"}
    good(await client.post(f"{url}/resolve", json=body))
    return url


async def test_a_reopened_callback_begins_anew(front: Front) -> None:
    lead = await front.lead()
    url = await _resolved(front, lead)
    answer = good(await lead.post(f"{url}/reopen", json={"reason": "it is broken again"}))
    assert (answer["state"], answer["cause"], answer["outcome"]) == ("waiting", None, None)
    assert "reopened" in answer["flags"]
    problem(await lead.post(f"{url}/reopen", json={}), 409, "not-claimable")


async def test_a_callback_is_not_reopened_beside_another_open_one_of_the_same_customer(front: Front) -> None:
    lead = await front.lead()
    url = await _resolved(front, lead)
    other = await front.bad_answer("c-1")
    body = problem(await lead.post(f"{url}/reopen", json={}), 409, "not-claimable")
    assert other.callback.id in body["detail"]


async def test_nobody_who_opted_out_is_called_again_by_reopening(front: Front) -> None:
    lead = await front.lead()
    closed = await front.bad_answer("c-2")
    resolved = await _resolved(front, lead)
    for customer in ("c-1", "c-2"):
        ref = good(await lead.post("/v1/customers/lookup", json={"customer": {"id": customer}}))["ref"]
        assert (await lead.put(f"/v1/customers/{ref}/opt-out")).status_code == 204
    for url in (resolved, f"/v1/callbacks/{closed.callback.id}"):
        problem(await lead.post(f"{url}/reopen", json={}), 409, "do-not-call")


async def test_an_assigned_callback_is_offered_to_nobody_else(front: Front) -> None:
    moved = await front.bad_answer()
    lead, ann, bob = await front.lead(), await front.advisor("ann"), await front.advisor("bob")
    url = f"/v1/callbacks/{moved.callback.id}"
    assert good(await lead.post(f"{url}/assign", json={"advisor": "ann"}))["owner"] == "ann"
    assert (await bob.post("/v1/callbacks/claim", json={})).status_code == 204
    problem(await bob.post(f"{url}/claim", json={}), 409, "not-claimable")
    good(await ann.post("/v1/callbacks/claim", json={}))


async def test_an_assigned_callback_that_its_owner_skips_is_offered_to_others(front: Front) -> None:
    moved = await front.bad_answer()
    lead, ann, bob = await front.lead(), await front.advisor("ann"), await front.advisor("bob")
    url = f"/v1/callbacks/{moved.callback.id}"
    good(await lead.post(f"{url}/assign", json={"advisor": "ann"}))
    claimed = good(await ann.post("/v1/callbacks/claim", json={}))
    skipped = good(await ann.post(f"{url}/skip", json={"lease_token": claimed["lease"]["token"], "reason": "break"}))
    assert skipped["owner"] is None
    assert good(await bob.post("/v1/callbacks/claim", json={}))["id"] == moved.callback.id


async def test_a_moved_callback_keeps_the_time_it_has_waited(front: Front) -> None:
    moved = await front.bad_answer()
    await front.run("INSERT INTO queues (name) VALUES ('billing')")
    lead = await front.lead()
    url = f"/v1/callbacks/{moved.callback.id}"
    before = good(await lead.get(url))
    after = good(await lead.post(f"{url}/move", json={"queue": "billing"}))
    assert (after["queue"], after["opened_at"], after["due"]) == ("billing", before["opened_at"], before["due"])
    body = problem(await lead.post(f"{url}/move", json={"queue": "nowhere"}), 422, "validation")
    assert body["errors"][0]["pointer"] == "/queue"


async def test_many_are_moved_at_once_and_each_says_what_became_of_it(front: Front) -> None:
    await front.run("INSERT INTO queues (name) VALUES ('billing')")
    lead = await front.lead()
    ended = (await _resolved(front, lead)).rsplit("/", 1)[-1]
    there = [moved.callback.id for moved in await front.answers([front.answer() for _ in range(3)])]
    unknown = "0198c0de-0000-7000-8000-000000000001"
    ids = [there[0], ended, unknown, there[1], "no id", there[2]]
    items = good(await lead.post("/v1/callbacks/move", json={"ids": ids, "queue": "billing"}))["items"]
    assert [item["id"] for item in items] == ids
    assert [item.get("code", "moved") for item in items] == [
        *("moved", "already-resolved", "not-found"),
        *("moved", "not-found", "moved"),
    ]
    listed = good(await lead.get("/v1/callbacks?queue=billing"))["items"]
    assert {item["id"] for item in listed} == set(there)
    for wrong in ([], ids * 40, "all"):
        problem(await lead.post("/v1/callbacks/move", json={"ids": wrong, "queue": "billing"}), 422, "validation")


async def test_an_escalation_can_be_taken_at_once(front: Front) -> None:
    moved = await front.bad_answer()
    lead = await front.lead()
    answer = good(await lead.post(f"/v1/callbacks/{moved.callback.id}/escalate", json={"reason": "the press"}))
    assert "escalated" in answer["flags"]
    history = good(await lead.get(f"/v1/callbacks/{moved.callback.id}"))["history"]
    assert [each["actor"] for each in history if each["kind"] == "escalated"] == ["lea"]


async def test_moving_many_costs_no_more_statements_than_moving_few(front: Front) -> None:
    await front.run("INSERT INTO queues (name) VALUES ('billing')")
    lead = await front.lead()
    costs = []
    for many in (2, 60):
        moved = await front.answers([front.answer() for _ in range(many)])
        ids = [each.callback.id for each in moved]
        front.announced.clear()
        with front.statements() as asked:
            items = good(await lead.post("/v1/callbacks/move", json={"ids": ids, "queue": "billing"}))["items"]
        assert [item["status"] for item in items] == ["moved"] * many
        assert [item["id"] for item in items] == ids
        assert len(front.announced) == many
        costs.append(len(asked))
    assert costs[0] == costs[1] <= 12
    rows = await front.sql("SELECT queue, count(*) AS n FROM callbacks GROUP BY queue")
    assert [(row.queue, row.n) for row in rows] == [("billing", 62)]


async def test_of_many_each_that_is_refused_says_why_and_the_others_move(front: Front) -> None:
    await front.run("INSERT INTO queues (name) VALUES ('billing')")
    lead = await front.lead()
    ended = (await _resolved(front, lead)).removeprefix("/v1/callbacks/")
    open_one = (await front.bad_answer("c-2")).callback.id
    ids = ["nonsense", ended, open_one, "0198c0de-0000-7000-8000-000000000001", open_one.upper(), open_one]
    items = good(await lead.post("/v1/callbacks/move", json={"ids": ids, "queue": "billing"}))["items"]
    codes = ["not-found", "already-resolved", None, "not-found", None, None]
    assert [(item["id"], item.get("code")) for item in items] == list(zip(ids, codes, strict=True))
    (row,) = await front.sql("SELECT count(*) AS n FROM history WHERE kind = 'moved'")
    assert row.n == 1, "however often it was named"


async def test_a_lead_reveals_with_a_reason_that_is_kept(front: Front) -> None:
    moved = await front.bad_answer()
    lead = await front.lead()
    url = f"/v1/callbacks/{moved.callback.id}"
    problem(await lead.post(f"{url}/reveal", json={}), 422, "validation")
    revealed = good(await lead.post(f"{url}/reveal", json={"reason": "a complaint came in"}))
    assert revealed["customer"]["phone"] == "+442079463367"
    assert revealed["alerts"][0]["comment"].startswith("My canary")
    (row,) = await front.sql("SELECT principal, action, reason, callback_id FROM audit")
    assert (row.principal, row.action, row.reason) == ("lea", "reveal", "a complaint came in")
    await front.clock.set(NOON + timedelta(hours=12))
    night = good(await lead.post(f"{url}/reveal", json={"reason": "again"}))
    assert night["customer"]["phone"] == "+44******67"
    assert night["customer"]["name"] == "Zebedee Quillfeather"


async def test_a_leads_own_view_without_a_reason_is_masked(front: Front) -> None:
    moved = await front.bad_answer()
    assert leaks(await (await front.lead()).get(f"/v1/callbacks/{moved.callback.id}")) == []


async def test_a_paused_queue_offers_nothing_until_it_is_resumed(front: Front) -> None:
    await front.bad_answer()
    lead, ann = await front.lead(), await front.advisor()
    paused = good(await lead.post("/v1/queues/general/pause", json={"reason": "the billing system is down"}))
    assert paused["paused"]["by"] == "lea"
    assert (await ann.post("/v1/callbacks/claim", json={})).status_code == 204
    assert good(await lead.post("/v1/queues/general/resume"))["paused"] is None
    good(await ann.post("/v1/callbacks/claim", json={}))
    for unknown in ("nowhere", "%00", "é"):
        problem(await lead.post(f"/v1/queues/{unknown}/pause", json={"reason": "x"}), 404, "not-found")
        problem(await lead.post(f"/v1/queues/{unknown}/resume"), 404, "not-found")


async def test_the_queues_say_how_they_stand(front: Front) -> None:
    reader, ann, lead = await front.key("callbacks:read"), await front.advisor(), await front.lead()
    empty: dict[str, Any] = good(await reader.get("/v1/queues"))["items"][0]
    assert (empty["name"], empty["waiting"], empty["oldest"]) == ("general", 0, None)
    first = await front.bad_answer()
    good(await ann.post("/v1/callbacks/claim", json={}))
    promised = await front.bad_answer()
    at = {"at": "2026-11-24T15:00:00Z"}
    good(await lead.post(f"/v1/callbacks/{promised.callback.id}/schedule", json=at))
    await front.bad_answer()
    await front.bad_answer(zone="Asia/Tokyo")
    await front.clock.advance(timedelta(hours=1, minutes=1))
    (queue,) = good(await reader.get("/v1/queues"))["items"]
    counts = {name: queue[name] for name in ("waiting", "ready", "leased", "scheduled", "overdue")}
    assert counts == {"waiting": 2, "ready": 1, "leased": 1, "scheduled": 1, "overdue": 4}
    assert queue["next_callable_at"] == "2026-11-24T15:00:00Z"
    assert queue["oldest"] > first.callback.opened_at.isoformat()[:19]
