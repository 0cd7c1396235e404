"""What one `bottombox api` process does for eight clients: claims and resolves beside what the database takes of the
same rows, and reads beside a constant of the same size under the same server."""

from __future__ import annotations

import itertools
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from alerts.ledger.access.keys import create_key
from alerts.ledger.database import open_engine
from benchmarks.backlog import open_backlog
from benchmarks.constant import constants
from benchmarks.goals import Figure
from benchmarks.knock import Asked, Knocker, Step, ask_for, knockers, request
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.moves import Ledger, Moves, counted, record_moves, replay_moves
from benchmarks.results import Findings, Table
from benchmarks.rounds import Round, Values, compared, figure, interleave, kept, median, percentile, undisturbed
from tests.parts.postgres import PostgresServer
from tests.parts.service import Service, environment

CLIENTS = 8
PAGE = 50  # callbacks of a list
NOBODY = "127.0.0.1:9"  # the API needs no Kafka for this
RESOLUTION = (
    b'{"lease_token": "%s", "cause": {"kind": "operations", "driver": "billing"}, "outcome": "recovered",'
    b' "note": "the invoice is corrected, the customer is content", "checklist": {"apologised": true}}'
)


class Lease(Struct):
    token: str


class Claimed(Struct):
    """What a claim's answer has that a resolve needs."""

    id: str
    lease: Lease


class Advisor:
    """Works callbacks with a key of their own."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def get(self, path: str) -> bytes:
        return request("GET", path, Authorization=f"Bearer {self._secret}")

    async def cycle(self, client: Knocker) -> None:
        """The next callback, claimed and resolved."""
        await self.resolve(client, await self.claim(client))

    async def work(self, client: Knocker) -> list[float]:
        """Milliseconds of each request: the next callback claimed, read and resolved."""
        moments = [time.perf_counter()]
        claimed = await self.claim(client)
        moments.append(time.perf_counter())
        await client.ask(self.get(f"/v1/callbacks/{claimed.id}"))
        moments.append(time.perf_counter())
        await self.resolve(client, claimed)
        moments.append(time.perf_counter())
        return [(end - start) * 1000 for start, end in pairwise(moments)]

    async def claim(self, client: Knocker, callback: str | None = None) -> Claimed:
        """The next one, or this one."""
        path = f"/v1/callbacks/{callback}/claim" if callback else "/v1/callbacks/claim"
        return msgspec.json.decode(await client.ask(self._post(path, b"{}")), type=Claimed)

    async def resolve(self, client: Knocker, claimed: Claimed) -> None:
        body = RESOLUTION % claimed.lease.token.encode()
        await client.ask(self._post(f"/v1/callbacks/{claimed.id}/resolve", body))

    def _post(self, path: str, body: bytes) -> bytes:
        return request("POST", path, body, Authorization=f"Bearer {self._secret}", Idempotency_Key=uuid.uuid4().hex)


class Counter(Struct, frozen=True):
    """Where the trials take place."""

    postgres: PostgresServer
    url: str
    ledger: Ledger
    api: str
    constant: str
    advisors: Sequence[Advisor]
    ids: Sequence[str]
    moves: Moves
    seconds: int


async def run(quick: bool) -> Findings:
    # more callbacks than all rounds take, the floor's too
    backlog, seconds, times = (20_000, 1, 2) if quick else (120_000, 4, 5)
    with durable_postgres() as postgres:
        await make_template(postgres)
        async with _open(postgres, backlog, seconds) as counter:
            rounds = await interleave(
                {
                    "cycle": lambda: _cycles(counter),
                    "pgbench": lambda: _pgbench(counter),
                    "one": lambda: _ask(counter, "one", counter.api, _paths(counter)),
                    "list": lambda: _ask(counter, "list", counter.api, [f"/v1/callbacks?limit={PAGE}"]),
                    "livez": lambda: _ask(counter, "livez", counter.api, ["/livez"]),
                    "raw one": lambda: _ask(counter, "raw one", counter.constant, ["/0"]),
                    "raw list": lambda: _ask(counter, "raw list", counter.constant, ["/1"]),
                },
                times,
            )
            notes = [kept(rounds), await conditions(postgres), *_told(counter, rounds)]
    return _findings(undisturbed(rounds), notes)


def _findings(good: Sequence[Round], notes: list[str]) -> Findings:
    columns = ("", "median", "lowest", "highest", "x floor", "lowest", "highest")
    moving = Table(
        title=f"Claims with their resolves a second, {CLIENTS} clients (medians and extremes of rounds)",
        columns=columns,
        rows=[
            compared(good, "F_claim: pgbench, the same rows", "pgbench", "pgbench"),
            compared(good, "claim and resolve over REST, one process", "cycle", "pgbench"),
        ],
    )
    reading = Table(
        title=f"Answers a second, {CLIENTS} clients (medians and extremes of rounds)",
        columns=columns,
        rows=[
            compared(good, "F_http: a constant as long as one callback", "raw one", "raw one"),
            compared(good, "GET one", "one", "raw one"),
            compared(good, "/livez", "livez", "raw one"),
            compared(good, f"F_http: a constant as long as a list of {PAGE}", "raw list", "raw list"),
            compared(good, f"list of {PAGE}", "list", "raw list"),
        ],
    )
    slow = Table(
        title="Milliseconds of one request, eight at a time (medians and extremes of rounds)",
        columns=("", "median", "lowest", "highest", "x p50", "lowest", "highest"),
        rows=[
            compared(good, f"{title}, {share}", f"{name} {share}", f"{name} p50")
            for name, title in (
                ("cycle", "claim and resolve together"),
                ("one", "GET one"),
                ("list", f"list of {PAGE}"),
            )
            for share in ("p50", "p99")
        ],
    )
    figures: dict[str, Figure] = {
        "rest.cycle": figure(good, "cycle", "pgbench"),
        "rest.one": figure(good, "one", "raw one"),
        "rest.list": figure(good, "list", "raw list"),
    }
    return Findings(name="rest", tables=[moving, reading, slow], notes=notes, figures=figures)


def _told(counter: Counter, rounds: Sequence[Round]) -> list[str]:
    good = undisturbed(rounds)
    return [
        f"pgbench runs {counter.moves.statements} prepared statements, which leave "
        + ", ".join(f"{number} {name}" for name, number in counter.moves.left.items())
        + " rows, as a claim and a resolve with an Idempotency-Key do; it looks up no key and no customer",
        "whoever asks is an asyncio protocol of our own; of one core it took "
        + ", ".join(f"{median(good, f'{name} asking'):.0%} ({name})" for name in ("cycle", "one", "list", "raw one")),
    ]


async def _cycles(counter: Counter) -> Values:
    before = await counted(counter.ledger)
    async with knockers(counter.api, CLIENTS) as clients:
        asked = await ask_for(counter.seconds, clients, [each.cycle for each in counter.advisors])
    await _check(counter, before, len(asked.taken))
    return _values("cycle", asked)


async def _pgbench(counter: Counter) -> Values:
    before = await counted(counter.ledger)
    done, rate = await replay_moves(
        counter.postgres, counter.url, counter.moves, clients=CLIENTS, seconds=counter.seconds
    )
    await _check(counter, before, done)
    return {"pgbench": rate}


async def _check(counter: Counter, before: Mapping[str, int], times: int) -> None:
    came = {name: number - before[name] for name, number in (await counted(counter.ledger)).items()}
    assert came == {name: times * number for name, number in counter.moves.left.items()}, f"{times} times left {came}"


async def _ask(counter: Counter, name: str, address: str, paths: Sequence[str]) -> Values:
    """Everybody asks for these in turn."""
    steps: list[Step] = []
    for number, advisor in enumerate(counter.advisors):
        own = [advisor.get(path) for path in (paths[number::CLIENTS] or paths)]
        steps.append(partial(_next, itertools.cycle(own)))
    async with knockers(address, CLIENTS) as clients:
        return _values(name, await ask_for(counter.seconds, clients, steps))


async def _next(wanted: itertools.cycle[bytes], client: Knocker) -> None:
    await client.ask(next(wanted))


def _values(name: str, asked: Asked) -> Values:
    shares = {f"{name} p50": percentile(asked.taken, 0.5), f"{name} p99": percentile(asked.taken, 0.99)}
    return {name: asked.a_second, f"{name} asking": asked.own_cpu, **shares}


def _paths(counter: Counter) -> list[str]:
    return [f"/v1/callbacks/{each}" for each in counter.ids]


@asynccontextmanager
async def _open(postgres: PostgresServer, backlog: int, seconds: int) -> AsyncIterator[Counter]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_ledger(postgres))
        await open_backlog(url, backlog)
        advisors = await make_advisors(url, CLIENTS)
        api = stack.enter_context(Service.start("api", api_environment(url))).http
        ledger = await asyncpg.connect(url)
        stack.push_async_callback(ledger.close)
        newest = "SELECT id::text FROM callbacks ORDER BY rank_at DESC, id DESC LIMIT 500"
        ids = [row[0] for row in await ledger.fetch(newest)]
        [client] = await stack.enter_async_context(knockers(api, 1))
        moves = await _moves(ledger, advisors[0], client)
        bodies = [
            await client.ask(advisors[0].get(path))
            for path in (f"/v1/callbacks/{ids[0]}", f"/v1/callbacks?limit={PAGE}")
        ]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = [folder / str(number) for number in range(len(bodies))]
        for file, body in zip(files, bodies, strict=True):
            file.write_bytes(body)
        constant = stack.enter_context(constants(files))
        yield Counter(postgres, url, ledger, api, constant, advisors, ids, moves, seconds)


async def _moves(ledger: Ledger, advisor: Advisor, client: Knocker) -> Moves:
    callback = await ledger.fetchval("SELECT id::text FROM callbacks ORDER BY priority_class, rank_at, id LIMIT 1")
    held: list[Claimed] = []

    async def claim() -> None:
        held.append(await advisor.claim(client, callback))

    return await record_moves(ledger, callback, claim, lambda: advisor.resolve(client, held[0]))


def api_environment(url: str) -> dict[str, str]:
    return environment(database=url, kafka=NOBODY, topics="none", dead_letters="none", group="none")


async def make_advisors(url: str, count: int) -> list[Advisor]:
    engine = open_engine(url, pool_size=1)
    try:
        return [
            Advisor((await create_key(engine, name=f"a{n}", scopes=["callbacks:work"], advisor=f"advisor-{n}"))[1])
            for n in range(count)
        ]
    finally:
        await engine.dispose()
