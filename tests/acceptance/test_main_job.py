"""The main job, from Kafka to the phone: a bad answer becomes a callback, an advisor works it, metrics show how fast."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.parts.checks import check_alerts, check_conservation
from tests.parts.clock import Clock
from tests.parts.reconcile import check_counters
from tests.parts.service import Service, bottombox
from tests.parts.town import Town, answer, eventually


def key(town: Town, name: str, *scopes: str, advisor: str | None = None) -> dict[str, str]:
    """The header of a fresh API key."""
    arguments = [part for scope in scopes for part in ("--scope", scope)]
    arguments += ["--advisor", advisor] if advisor else []
    made = bottombox("keys", "create", name, *arguments, env=town.env)
    return {"Authorization": f"Bearer {made['key']}"}


async def noon(clock: Clock) -> datetime:
    """The ledger's clock at the next noon in London, when everybody there may be called."""
    now = datetime.now(UTC)
    moment = (now + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    await clock.set(moment)
    return moment


async def test_a_bad_answer_is_called_back_and_resolved_and_the_metrics_say_so(town: Town, clock: Clock) -> None:
    await noon(clock)
    ann = key(town, "ann", "callbacks:work", advisor="ann")
    with Service.start("run", town.env) as service:
        async with httpx.AsyncClient(base_url=f"{service.http}/v1", headers=ann) as client:
            await town.send(
                [
                    answer(
                        "e1",
                        1,
                        customer="c1",
                        comment="Nobody called me back.",
                        interaction={"id": "conv-9", "channel": "voice", "queue": "billing"},
                    ),
                    answer("e2", 2, customer="c1"),
                    answer("e3", 5, customer="c2"),
                ],
                partition=0,
            )
            callback = await claimed(client)
            assert callback["state"] == "leased"
            assert callback["customer"]["name"] == "Vera Example"
            assert {alert["rating"] for alert in callback["alerts"]} == {1, 2}
            token = callback["lease"]["token"]
            path = f"/callbacks/{callback['id']}"

            called = await client.post(
                f"{path}/attempts", json={"lease_token": token, "result": "connected", "note": "long talk"}
            )
            assert called.status_code in (200, 201), called.text
            done = {
                "lease_token": token,
                "cause": {"kind": "skill", "driver": "courtesy"},
                "outcome": "recovered",
                "note": "apologised",
            }
            resolved = await client.post(f"{path}/resolve", json=done)
            assert resolved.status_code == 200, resolved.text
            assert resolved.json()["state"] == "resolved"

            again = await client.post(f"{path}/resolve", json=done)
            assert again.status_code == 409
            assert again.json()["code"] == "already-resolved"
            empty = await client.post("/callbacks/claim", json={})
            assert empty.status_code == 204
            assert int(empty.headers["Retry-After"]) >= 1

            await check_counters(town, service)
            page = (await client.get(f"{service.http}/metrics")).text
    assert 'bottombox_callbacks_opened_total{queue="general"} 1.0' in page
    assert 'bottombox_callbacks_joined_total{queue="general"} 1.0' in page
    assert 'bottombox_responses_total{box="bottom",source="cloudevents"} 2.0' in page
    assert 'bottombox_alert_latency_seconds_count{source="cloudevents"} 2.0' in page
    for name in ("time_to_claim", "time_to_first_attempt", "time_to_contact", "time_to_resolution"):
        for clock_name in ("wall", "callable"):
            assert f'bottombox_{name}_seconds_count{{clock="{clock_name}",queue="general"}} 1.0' in page
    assert re.search(r'bottombox_resolutions_total{cause="skill",outcome="recovered",queue="general"} 1.0', page)
    assert await town.value("SELECT count(*) FROM callbacks") == 1
    await check_alerts(town, {"e1", "e2"})
    await check_conservation(town)


async def claimed(client: httpx.AsyncClient) -> dict[str, Any]:
    """The next callback, once there is one."""

    async def claim() -> httpx.Response:
        return await client.post("/callbacks/claim", json={"wait_seconds": 1})

    response = await eventually(claim, lambda answered: answered.status_code == 200)
    return dict(response.json())


async def test_a_lease_that_ran_out_is_taken_over_and_its_late_holder_is_refused(town: Town, clock: Clock) -> None:
    await noon(clock)
    ann = key(town, "ann", "callbacks:work", advisor="ann")
    ben = key(town, "ben", "callbacks:work", advisor="ben")
    with Service.start("run", town.env) as service:
        async with httpx.AsyncClient(base_url=f"{service.http}/v1", headers=ann) as client:
            await town.send([answer("e1", 1)])
            slow = await claimed(client)
            await clock.advance(timedelta(minutes=16))
            client.headers.update(ben)
            quick = await claimed(client)
            assert quick["id"] == slow["id"]
            late = {
                "lease_token": slow["lease"]["token"],
                "cause": {"kind": "skill", "driver": "other"},
                "outcome": "recovered",
                "note": "too late",
            }
            client.headers.update(ann)
            refused = await client.post(f"/callbacks/{slow['id']}/resolve", json=late)
        await check_counters(town, service)
    assert refused.status_code == 409
    assert refused.json()["code"] == "lease-lost"
    assert refused.headers["content-type"].startswith("application/problem+json")


async def test_answers_sent_over_http_take_the_same_way(town: Town, clock: Clock) -> None:
    await noon(clock)
    platform = key(town, "platform", "events:ingest")
    batch = [answer("h1", 1), answer("h2", "2"), answer("h3", 4)]
    with Service.start("run", town.env) as service:
        async with httpx.AsyncClient(base_url=f"{service.http}/v1", headers=platform) as client:
            sent = await client.post(
                "/survey-events", json=batch, headers={"Content-Type": "application/cloudevents-batch+json"}
            )
            await eventually(town.accounted, lambda done: done == 2)
        await check_counters(town, service)
    assert sent.status_code == 202, sent.text
    assert [item["status"] for item in sent.json()["items"]] == ["accepted", "rejected", "accepted"]
    await check_alerts(town, {"h1"})


async def test_a_stop_in_mid_stream_ends_cleanly_and_the_next_start_goes_on(town: Town) -> None:
    answers = [answer(f"e{number}", 1) for number in range(400)]
    consumer = Service.start("consume", town.env)
    await town.send(answers[:200])
    await eventually(town.accounted, lambda done: done > 0)
    await town.send(answers[200:])
    assert consumer.stop() == 0
    with Service.start("consume", town.env):
        await eventually(town.accounted, lambda done: done == 400)
    await check_alerts(town, {each["id"] for each in answers})
    await check_conservation(town)
    assert await town.value("SELECT sum(seen_again) FROM partitions") == 0
