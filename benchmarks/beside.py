"""Claims over REST, quietly and while ten clients ask for insights, in rounds beside each other.

The `bottombox api` process, the database and those who ask are processes of their own; claims come at a steady pace.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TypeAlias

import asyncpg
import httpx

from alerts.ledger.access.keys import create_key
from alerts.ledger.database import open_engine
from benchmarks.desk import PUT_BACK
from benchmarks.pace import ticks
from benchmarks.results import Cell, Table
from benchmarks.rounds import interleave, median, percentile, ratios, undisturbed
from tests.parts.service import Service, environment

CLIENTS = 10
PACE = 20  # claims a second
CLAIMS = 100  # of each kind in a round
ROUNDS, ROUNDS_QUICK = 6, 2
NOBODY = "127.0.0.1:9"  # claims and insights need no Kafka
Answered: TypeAlias = "Synchronized[int]"
SPAWN = multiprocessing.get_context("spawn")


async def beside(url: str, paths: Sequence[str], *, quick: bool) -> tuple[Table, float]:
    """The median of a claim in both, and the ratio of the medians; the ratio again, to compare with a goal."""
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.yaml"
        policy.write_text("team_insights: on\n")
        env = environment(
            database=url, kafka=NOBODY, topics="none", dead_letters="none", group="none", POLICY_FILE=str(policy)
        )
        with Service.start("api", env) as service:
            lead, advisors = await _keys(url)
            with _askers(service.http, lead, paths) as (go, answered):
                desk = _Desk(service.http, advisors, await asyncpg.connect(url), go)
                try:
                    await desk.claim_some()  # warm
                    variants = {"quiet": desk.quiet, "asked": desk.asked}
                    rounds = undisturbed(await interleave(variants, ROUNDS_QUICK if quick else ROUNDS))
                finally:
                    await desk.close()
                questions = answered.value
    found = ratios(rounds, "asked", "quiet")
    ratio = found[len(found) // 2]
    rows: list[tuple[Cell, ...]] = [
        ("nobody asks", median(rounds, "quiet"), median(rounds, "quiet p95"), None),
        (f"{CLIENTS} clients ask", median(rounds, "asked"), median(rounds, "asked p95"), ratio),
    ]
    title = f"Milliseconds of a claim over REST, {PACE} a second; {questions:,} insights were answered meanwhile"
    return Table(title=title, columns=("", "p50", "p95", "p50 x quiet"), rows=rows), ratio


async def _keys(url: str) -> tuple[str, list[str]]:
    engine = open_engine(url, pool_size=1)
    try:
        _, lead = await create_key(engine, name="beside lead", scopes=["callbacks:lead"])
        secrets = []
        for number in range(50):
            name = f"beside-{number}"
            secrets.append((await create_key(engine, name=name, scopes=["callbacks:work"], advisor=name))[1])
    finally:
        await engine.dispose()
    return lead, secrets


class _Desk:
    """Claims for one advisor after the other, and puts back what was claimed."""

    def __init__(self, http: str, keys: Sequence[str], other: asyncpg.Connection[asyncpg.Record], go: Event) -> None:
        self._client = httpx.AsyncClient(base_url=http, timeout=30)
        self._keys, self._other, self._go = keys, other, go

    async def quiet(self) -> dict[str, float]:
        return _told("quiet", await self.claim_some())

    async def asked(self) -> dict[str, float]:
        self._go.set()
        try:
            return _told("asked", await self.claim_some())
        finally:
            self._go.clear()
            await asyncio.sleep(1)  # until the last questions are answered

    async def claim_some(self) -> list[float]:
        taken = []
        async for number in ticks(PACE, CLAIMS):
            key = self._keys[number % len(self._keys)]
            begin = time.perf_counter()
            response = await self._client.post(
                "/v1/callbacks/claim", json={}, headers={"Authorization": f"Bearer {key}"}
            )
            taken.append((time.perf_counter() - begin) * 1000)
            assert response.status_code == 200, response.text
            assert await self._other.execute(PUT_BACK, response.json()["id"]) == "UPDATE 1"
        return taken

    async def close(self) -> None:
        await self._client.aclose()
        await self._other.close()


def _told(name: str, taken: Sequence[float]) -> dict[str, float]:
    return {name: percentile(taken, 0.5), f"{name} p95": percentile(taken, 0.95)}


@contextmanager
def _askers(http: str, key: str, paths: Sequence[str]) -> Iterator[tuple[Event, Answered]]:
    """A process of clients that ask while the event is set, and how many answers they had so far."""
    go, stop, answered = SPAWN.Event(), SPAWN.Event(), SPAWN.Value("i", 0)
    process = SPAWN.Process(target=_ask, args=(http, key, list(paths), go, stop, answered), daemon=True)
    process.start()
    try:
        yield go, answered
    finally:
        stop.set()
        process.join(30)


def _ask(http: str, key: str, paths: list[str], go: Event, stop: Event, answered: Answered) -> None:
    asyncio.run(_ask_on(http, key, paths, go, stop, answered))


async def _ask_on(http: str, key: str, paths: list[str], go: Event, stop: Event, answered: Answered) -> None:
    async with (
        httpx.AsyncClient(base_url=http, timeout=60, headers={"Authorization": f"Bearer {key}"}) as client,
        asyncio.TaskGroup() as clients,
    ):
        for seed in range(CLIENTS):
            clients.create_task(_ask_one(client, random.Random(seed), paths, go, stop, answered))


async def _ask_one(
    client: httpx.AsyncClient, dice: random.Random, paths: list[str], go: Event, stop: Event, answered: Answered
) -> None:
    while not stop.is_set():
        if not go.is_set():
            await asyncio.sleep(0.02)
            continue
        response = await client.get(dice.choice(paths))
        assert response.status_code == 200, response.text
        answered.value += 1
