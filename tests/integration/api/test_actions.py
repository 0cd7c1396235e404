"""Action plans: written down by leads, read by everybody, changed under their version, and asked whether they helped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from alerts.conditions import When
from alerts.insights.share import Count
from alerts.ledger.database import transaction
from alerts.ledger.learning.matched_answers import counts_by_day
from alerts.ledger.learning.plans import count_plans
from app.metrics import Metrics
from tests.integration.api.front import NOON, Front, good, problem

PLAN = {"title": "Say on the invoice what changed", "owner": "lea", "due_on": "2026-12-18"}
TODAY = NOON.date()


async def written(client: httpx.AsyncClient, **members: Any) -> dict[str, Any]:
    response = await client.post("/v1/actions", json={**PLAN, **members})
    body = good(response, 201)
    assert response.headers["location"] == f"/v1/actions/{body['id']}"
    return body


async def test_a_lead_writes_a_plan_down_and_everybody_reads_it(front: Front) -> None:
    evidence = (await front.bad_answer()).callback.id
    lead, reader = await front.lead(), await front.key("callbacks:read")
    cause = {"kind": "operations", "driver": "billing"}
    made = await written(lead, cause=cause, match={"channels": ["voice"]}, callbacks=[evidence, evidence])
    assert (made["state"], made["percent"], made["version"], made["overdue"]) == ("planned", 0, 1, False)
    assert (made["cause"], made["match"], made["callbacks"]) == (cause, {"channels": ["voice"]}, [evidence])
    assert made["created_by"] == "lea"
    shown = good(await reader.get(f"/v1/actions/{made['id']}"))
    assert shown == {**made, "effect": None}
    assert good(await reader.get("/v1/actions"))["items"] == [made]
    problem(await reader.post("/v1/actions", json=PLAN), 403, "insufficient-scope")
    ((by, action, about),) = await front.sql("SELECT principal, action, subject FROM audit WHERE subject IS NOT NULL")
    assert (by, action, about) == ("lea", "action_planned", f"action {made['id']}")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("due_on", "18.12.2026"),
        ("due_on", "0001-01-01"),
        ("cause", {"kind": "skill", "driver": "billing"}),
        ("match", {"channel": ["voice"]}),
        ("callbacks", ["0198c0de-0000-7000-8000-000000000001"]),
        ("callbacks", ["none"]),
        ("percent", 101),
        ("state", "done"),
        ("title", "  "),
    ],
)
async def test_a_plan_that_cannot_be_right_names_the_member(front: Front, member: str, value: Any) -> None:
    lead = await front.lead()
    body = problem(await lead.post("/v1/actions", json={**PLAN, member: value}), 422, "validation")
    assert body["errors"][0]["pointer"].startswith(f"/{member}")
    assert await front.sql("SELECT 1 FROM action_plans") == []


async def test_a_change_rests_on_the_version_that_was_read(front: Front) -> None:
    lead = await front.lead()
    made = await written(lead, note="first")
    url = f"/v1/actions/{made['id']}"
    problem(await lead.patch(url, json={"percent": 10}), 428, "precondition-required")
    tag = (await lead.get(url)).headers["etag"]
    begun = await lead.patch(url, json={"state": "in_progress", "note": None}, headers={"If-Match": tag})
    assert (good(begun)["state"], begun.json()["note"], begun.headers["etag"]) == ("in_progress", None, '"2"')
    problem(await lead.patch(url, json={"percent": 10}, headers={"If-Match": tag}), 412, "stale-version")
    emptied = await lead.patch(url, json={"owner": None}, headers={"If-Match": '"2"'})
    problem(emptied, 422, "validation")
    done = good(await lead.patch(url, json={"state": "complete"}, headers={"If-Match": '"2"'}))
    assert (done["percent"], done["ended_at"] is None) == (100, False)
    late = await lead.patch(url, json={"due_on": "2027-06-01"}, headers={"If-Match": '"3"'})
    assert problem(late, 422, "validation")["errors"][0]["pointer"] == "/due_on"
    said = await front.sql("SELECT reason FROM audit WHERE action = 'action_changed' ORDER BY id")
    assert [row.reason for row in said] == ["state, note", "state, percent"]


async def test_the_same_key_writes_one_plan(front: Front) -> None:
    lead = await front.lead()
    answers = [await lead.post("/v1/actions", json=PLAN, headers={"Idempotency-Key": '"k"'}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["location"] == answers[0].headers["location"]
    assert len(good(await lead.get("/v1/actions"))["items"]) == 1


async def test_plans_are_listed_by_their_due_day_and_found_by_state_owner_and_lateness(front: Front) -> None:
    lead = await front.lead()
    days = [str(TODAY + timedelta(days=number)) for number in (3, -2, 0, -1)]
    made = [await written(lead, due_on=day, owner=owner) for day, owner in zip(days, "abab", strict=True)]
    await lead.patch(f"/v1/actions/{made[1]['id']}", json={"state": "complete"}, headers={"If-Match": '"1"'})

    async def found(**query: Any) -> list[int]:
        items: list[int] = []
        url = "/v1/actions"
        while url:
            response = await lead.get(url, params=query if url == "/v1/actions" else None)
            items += [[each["id"] for each in made].index(item["id"]) for item in good(response)["items"]]
            url = response.links.get("next", {}).get("url", "")
        return items

    assert await found(limit=1) == [1, 3, 2, 0]
    assert await found(owner="a") == [2, 0]
    assert await found(state="planned") == [3, 2, 0]
    assert await found(overdue=True) == [3]
    assert await found(overdue=False) == [1, 2, 0]


async def test_open_late_and_punctual_plans_are_counted(front: Front) -> None:
    lead = await front.lead()
    for due, state in (
        (TODAY, "complete"),
        (TODAY - timedelta(days=1), "complete"),
        (TODAY - timedelta(days=1), "on_hold"),
        (TODAY - timedelta(days=1), "cancelled"),
        (TODAY, "planned"),
    ):
        await written(lead, due_on=str(due), state=state)
    metrics = Metrics()
    metrics.learning.prepare()
    async with transaction(front.engine) as connection:
        metrics.learning.plans(await count_plans(connection))
    value = metrics.registry.collectors.get_sample_value
    states = ("planned", "in_progress", "on_hold", "complete", "cancelled")
    assert [value("bottombox_actions", {"state": state}) for state in states] == [1, 0, 1, 2, 1]
    assert value("bottombox_actions_overdue") == 1
    results = [value("bottombox_actions_completed", {"result": result}) for result in ("on_time", "late")]
    assert results == [1, 1]


# -- did it help?

BEGAN = TODAY - timedelta(days=14)


async def answered(front: Front, *, bad_before: int, bad_after: int, channel: str = "voice") -> None:
    """A hundred answers a day for six weeks, the last two of them after the change."""
    await front.run(
        """
        INSERT INTO responses (event_source, event_id, source, response_id, customer_id, rating, worst, best, points, box,
            outcome, answered_at, revised_at, channel, value_hash, content_hash, topic, partition, "offset", recorded_at,
            origin_partition, origin_offset)
        SELECT '/made', known, 'made', known, customer.id, 3, 1, 5, 3,
            CASE WHEN n <= CASE WHEN day < 14 THEN bad_after ELSE bad_before END THEN 'bottom' ELSE 'middle' END,
            'not_bottom_box', moment, moment, channel, '', '', 't', 0, 0, moment, 0, 0
        FROM (SELECT CAST(:channel AS text), CAST(:before AS int), CAST(:after AS int), CAST(:today AS timestamptz))
                AS given(channel, bad_before, bad_after, today),
            (SELECT id FROM customers LIMIT 1) AS customer, generate_series(0, 41) AS day, generate_series(1, 100) AS n,
            LATERAL (SELECT today - interval '12 hours' - day * interval '1 day') AS at(moment),
            LATERAL (SELECT channel || day || '-' || n) AS named(known)
        """,
        before=bad_before,
        after=bad_after,
        channel=channel,
        today=NOON.replace(hour=0),
    )


@pytest.mark.parametrize(("bad_after", "verdict"), [(10, "better"), (20, "no_change_shown"), (30, "worse")])
async def test_a_plan_says_whether_it_helped(front: Front, bad_after: int, verdict: str) -> None:
    await front.bad_answer(answered_at=NOON - timedelta(days=300))
    await answered(front, bad_before=20, bad_after=bad_after)
    await answered(front, bad_before=5, bad_after=90, channel="chat")
    lead = await front.lead()
    made = await written(lead, match={"channels": ["VOICE"]}, effective_on=str(BEGAN))
    effect = good(await lead.get(f"/v1/actions/{made['id']}"))["effect"]
    assert (effect["before"]["count"], effect["before"]["of"]) == (20 * 28, 100 * 28)
    assert (effect["after"]["count"], effect["after"]["of"]) == (bad_after * 14, 100 * 14)
    assert (effect["days_before"], effect["days_after"], effect["verdict"]) == (28, 14, verdict)
    assert effect["difference"]["value"] == pytest.approx((bad_after - 20) / 100)
    all_ = await written(lead, effective_on=str(BEGAN))
    effect = good(await lead.get(f"/v1/actions/{all_['id']}"))["effect"]
    assert effect["before"]["of"] == 200 * 28
    early = await written(lead, effective_on=str(TODAY - timedelta(days=3)))
    assert good(await lead.get(f"/v1/actions/{early['id']}"))["effect"]["verdict"] == "too_early"


async def test_an_answer_counts_once_by_its_newest_revision_on_its_day(front: Front) -> None:
    first = front.answer("c-1", rating=1, answered_at=NOON - timedelta(days=2))
    better = front.answer("c-1", rating=5, answered_at=NOON - timedelta(days=1))
    said = replace(better.response, response_id=first.response.response_id, revised_at=NOON)
    revised = replace(better, response=said)
    await front.answers([first, revised, front.answer("c-2", segment="gold", answered_at=NOON - timedelta(days=1))])
    async with transaction(front.engine) as connection:
        since = TODAY - timedelta(days=2)
        every = await counts_by_day(connection, None, since, TODAY)
        gold = await counts_by_day(connection, When(segments=("GOLD",)), since, TODAY)
        mentioned = await counts_by_day(connection, When(comment_mentions=("canary died",)), since, TODAY)
    assert every == [Count(0, 0), Count(1, 2)]
    assert gold == [Count(0, 0), Count(1, 1)]
    assert mentioned == every
