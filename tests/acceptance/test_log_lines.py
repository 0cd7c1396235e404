"""What the log says of an answer, from the request that brought it to the resolve, and that nobody waits for its reader."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from alerts.ledger.access.keys import create_key
from alerts.ledger.database import open_engine
from tests.acceptance.test_main_job import claimed, noon
from tests.parts.clock import Clock
from tests.parts.service import Service, bottombox
from tests.parts.town import Town, answer, eventually

TRACE, POISONED, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7"
TRACEPARENT, OF_POISON = f"00-{TRACE}-{PARENT}-01", f"00-{POISONED}-{PARENT}-00"
DONE = {"cause": {"kind": "skill", "driver": "courtesy"}, "outcome": "recovered", "note": "apologised"}
SMALL = 4096  # bytes of a pipe, some twenty lines


async def key(town: Town, scope: str, **more: Any) -> dict[str, str]:
    """The header of a fresh API key."""
    engine = open_engine(town.database, pool_size=1)
    _, secret = await create_key(engine, name=scope, scopes=[scope], **more)
    await engine.dispose()
    return {"Authorization": f"Bearer {secret}"}


def lines(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log.splitlines()]


async def test_one_trace_leads_from_the_request_to_the_callback_and_its_id_to_the_resolve(
    town: Town, clock: Clock
) -> None:
    await noon(clock)
    ann, platform = await key(town, "callbacks:work", advisor="ann"), await key(town, "events:ingest")
    with Service.start("run", {**town.env, "BOTTOMBOX_LOG_FORMAT": "json"}) as service:
        async with httpx.AsyncClient(base_url=f"{service.http}/v1", headers=ann) as client:
            told = {"Content-Type": "application/cloudevents+json", "traceparent": TRACEPARENT}
            sent = await client.post("/survey-events", json=answer("e1", 1), headers={**platform, **told})
            assert sent.status_code == 202, sent.text
            callback = await claimed(client)
            path, token = f"/callbacks/{callback['id']}", callback["lease"]["token"]
            called = await client.post(f"{path}/attempts", json={"lease_token": token, "result": "connected"})
            assert called.status_code in (200, 201), called.text
            resolved = await client.post(f"{path}/resolve", json={"lease_token": token, **DONE})
            assert resolved.status_code == 200, resolved.text
            wanted = {"Accept": "application/openmetrics-text; version=1.0.0"}
            page = (await client.get(f"{service.http}/metrics", headers=wanted)).text
    said = lines(service)
    [passed_on] = [line for line in said if line["message"] == "events are passed on"]
    assert (passed_on["trace"], passed_on["event"], passed_on["source"]) == (TRACE, "e1", "cloudevents")
    about = [line for line in said if line.get("callback") == callback["id"]]
    kinds = [line["message"].removeprefix("callback ") for line in about]
    assert kinds[:2] == ["opened", "claimed"]
    assert kinds[-1] == "resolved"
    assert (about[0]["trace"], about[0]["event"]) == (TRACE, "e1")
    assert {(line["event"], line["source"], line["origin"]) for line in about} == {("e1", "cloudevents", TRACE)}
    requests = {line["request"] for line in about[1:]}
    assert len(requests) == 3, "the claim, the attempt and the resolve"
    assert all(line["trace"] == line["request"].replace("-", "") for line in about[1:])
    assert [line["version"] for line in about] == sorted({line["version"] for line in about})
    assert f'trace_id="{TRACE}"' in page
    assert f'trace_id="{about[-1]["trace"]}"' in page
    assert said[-1]["message"] == "ended, with nothing left to do"


@pytest.fixture
def unread() -> Iterator[tuple[int, int]]:
    """Both ends of a small pipe from which nobody reads."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, SMALL)
    yield reading, writing
    os.close(writing)
    os.close(reading)


async def test_a_process_whose_log_nobody_reads_goes_on_answering_and_ends(town: Town, unread: tuple[int, int]) -> None:
    platform = await key(town, "events:ingest")
    reading, writing = unread
    service = Service.start("api", town.env, errors=writing)
    async with httpx.AsyncClient(base_url=f"{service.http}/v1", headers=platform, timeout=30) as client:
        for number in range(100):
            headers = {"Content-Type": "application/cloudevents+json"}
            sent = await client.post("/survey-events", json=answer(f"e{number}", 1), headers=headers)
            assert sent.status_code == 202
            assert (await client.get(f"{service.metrics}/livez")).status_code == 200
    assert service.stop() == 0
    assert len(os.read(reading, 2 * SMALL)) > SMALL // 2, "the pipe was full"


async def test_a_trace_goes_with_a_dead_letter_and_comes_again_with_it(town: Town) -> None:
    headers = [("traceparent", OF_POISON.encode())]
    await town.send_raw([b"{"], partition=0, headers=headers)
    await town.send_raw([b"{"], partition=0, headers=[("traceparent", OF_POISON.upper().encode())])
    with Service.start("consume", {**town.env, "BOTTOMBOX_LOG_FORMAT": "json"}) as service:
        await eventually(town.accounted, lambda done: done == 2)
        dead = await town.dead_letters(2)
        assert [dict(letter.headers)["traceparent"] for letter in dead] == [
            OF_POISON.encode(),
            OF_POISON.upper().encode(),
        ]
        said = [line for line in lines(service) if line["message"] == "a record is set aside"]
        assert [line.get("trace") for line in said] == [POISONED, None]
        assert [line["record"] for line in said] == [f"{town.topic}-0@0", f"{town.topic}-0@1"]
        assert {line["reason"] for line in said} == {"malformed"}
        bottombox("dead-letters", "redrive", "--reason", "malformed", "--limit", "1", env=town.env)
    assert (await sent_again(town)).headers[0] == headers[0]


async def sent_again(town: Town) -> Any:
    """The first record of the survey topic that says where it stood before; without a key it may be in any partition."""
    consumer = AIOKafkaConsumer(
        town.topic, bootstrap_servers=town.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    async with consumer:
        async for record in consumer:
            if "bottombox-origin-offset" in dict(record.headers):
                return record
    raise AssertionError("the records have no end")
