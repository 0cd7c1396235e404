"""From a platform's signed notice to a callback, through every process, one of which dies on the way."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx

from consumers.sources.catalogue import load_catalogue
from tests.integration.test_lag import consuming
from tests.parts.checks import check_alerts, check_conservation
from tests.parts.effort import EFFORT, FULL
from tests.parts.killed import killed_at
from tests.parts.platform import Platform
from tests.parts.service import Service
from tests.parts.town import Town, eventually

FILE = """\
name: thin
webhook: {scheme: token, secrets: [THIN]}
hydrate: {url: "http://127.0.0.1:%d/answers/{id}", as: answer}
map: {event_id: id, rating: answer.score, answered_at: answer.at, customer: {phone: answer.phone}}
"""


async def test_a_worker_that_is_killed_while_it_fetches_costs_nothing(town: Town, tmp_path: Path) -> None:
    answer = {"score": 1, "at": datetime.now(UTC).isoformat(), "phone": "+442079460067"}
    async with Platform().open() as platform:
        platform.says(200, json.dumps(answer).encode())
        platform.answers.clear()
        (tmp_path / "thin.yaml").write_text(FILE % platform.port)
        more = {"SOURCES_DIR": str(tmp_path), "SECRET_THIN": "s3cret", "HYDRATE_HOSTS": "127.0.0.1"}
        env = {**town.env, **{f"BOTTOMBOX_{name}": value for name, value in more.items()}}
        with Service.start("api", env) as api, Service.start("consume", env):
            with Service.start("work", env) as work:
                async with httpx.AsyncClient(base_url=api.http, headers={"Authorization": "Bearer s3cret"}) as client:
                    taken = await client.post("/v1/sources/thin/events", json={"id": "n-1"}, timeout=60)
                assert (taken.status_code, taken.json()) == (202, {"accepted": 1})
                await eventually(lambda: _asked(platform), lambda asked: asked == 1)
                work.kill()
            platform.answers.set()
            await town.ledger.execute("UPDATE test_clock SET ahead = ahead + interval '3 minutes'")
            with Service.start("work", env):
                await eventually(lambda: town.value("SELECT count(*) FROM callbacks"), lambda count: count == 1)
        outcomes = await town.rows(
            "SELECT outcomes->>'deferred' AS deferred, outcomes->>'bottom_box' AS bottom FROM partitions"
        )
    assert sorted((row["deferred"] or "", row["bottom"] or "") for row in outcomes if any(row.values())) in (
        [("", "1"), ("1", "")],
        [("1", "1")],
    )
    assert await town.value("SELECT state FROM notices") == "fetched"
    assert await town.value("SELECT count(*) FROM dead_letters") == 0


STATES = {
    "leased": ("fetch", 200, 1),
    "answered": ("_json", 200, 2),
    "published": ("end_fetched", 200, 1),
    "failed": ("put_off", 503, 2),
    "set-aside": ("end_failed", 404, 2),
}
"""What a worker that is killed has done with its notice; what it would have called next, how the platform answers, and how
often it is asked in the end."""

DYING = [*STATES] if EFFORT >= FULL else ["answered", "published", "set-aside"]


async def test_a_worker_that_is_killed_in_any_state_leaves_nothing_undone_and_nothing_done_twice(
    town: Town, tmp_path: Path
) -> None:
    answer = {"score": 1, "at": datetime.now(UTC).isoformat(), "phone": "+442079460067"}
    whole = json.dumps(answer).encode()
    folder = tmp_path / "sources"
    folder.mkdir()
    async with Platform().open() as platform:
        (folder / "thin.yaml").write_text(FILE % platform.port)
        more = {"SOURCES_DIR": str(folder), "SECRET_THIN": "s3cret", "HYDRATE_HOSTS": "127.0.0.1"}
        env = {**town.env, **{f"BOTTOMBOX_{name}": value for name, value in more.items()}}
        async with consuming(town, town.database, load_catalogue(folder)):
            for state in DYING:
                place, status, _ = STATES[state]
                platform.at[f"/answers/{state}"] = (status, {}, whole)
                notice = json.dumps({"id": state}).encode()
                await town.send_raw([notice], headers=[("bottombox-source", b"thin")], partition=0)
                worker = Service.start("work", killed_at(f"consumers.fetching.fetcher:{place}", tmp_path, env))
                assert await asyncio.to_thread(worker.wait) == -signal.SIGKILL, state
            await eventually(lambda: town.value("SELECT count(*) FROM responses"), lambda count: count == 1)
            platform.at["/answers/failed"] = (200, {}, whole)
            await town.ledger.execute("UPDATE test_clock SET ahead = ahead + interval '3 minutes'")
            with Service.start("work", env):
                await eventually(
                    lambda: town.value("SELECT count(*) FROM responses"), lambda count: count == len(DYING) - 1
                )
                await eventually(lambda: town.value("SELECT count(*) FROM dead_letters"), lambda count: count == 1)
                await eventually(
                    lambda: town.value("SELECT count(*) FROM notices WHERE state = 'waiting'"), lambda left: left == 0
                )
    asked = Counter(path.removeprefix("/answers/") for path, _ in platform.asked)
    assert asked == {state: STATES[state][2] for state in DYING}
    assert await town.value("SELECT reason FROM dead_letters") == "hydrate_failed"
    await check_alerts(town, {*DYING} - {"set-aside"})
    await check_conservation(town)


async def _asked(platform: Platform) -> int:
    return len(platform.asked)
