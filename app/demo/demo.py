"""Runs the demo: sets the stage, lets answers stream in and advisors work, and says what happened."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from collections.abc import Awaitable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from alerts.errors import BottomboxError, Unavailable
from alerts.ledger.reading.demo_figures import alert_latencies, count_so_far
from app import wiring
from app.cli.output import print_json
from app.cli.sources import find_source
from app.demo import feed
from app.demo.advisor import Advisor
from app.demo.show import Show, latency_of, lines_of, night_of, summary_of
from app.demo.stage import LEAD, PLAYED, VISITOR, Stage, open_stage
from app.logs import set_up_logs
from app.roles import Addresses, Role, run
from consumers.kafka.producer import OutRecord
from consumers.loop import wait_or_stop

READY_SECONDS = 60.0
LATEST = 1000  # alerts, for the latency in the live line


async def run_demo(*, rate: float, seconds: float | None, file: Path | None, source: str | None, as_json: bool) -> None:
    """`rate` answers a second, for `seconds` or until a signal; those of `file` as `source` reads it, else made-up ones.

    Raises Misconfigured, Unavailable; with `seconds`, BottomboxError when a callback was ready and none could be worked.
    """
    stop, interrupted = asyncio.Event(), asyncio.Event()
    _stop_on_signals(stop, interrupted)
    with Show(to_stderr=as_json) as show:
        # only now: the show has put a standard error in place that spares its line
        set_up_logs("WARNING", "text", logging.StreamHandler())
        async with open_stage(show.doing) as stage:
            play = _Play(stage, show, stop, seconds)
            await play.run(await _records(stage, file, source), rate)
            tally, latency = await count_so_far(stage.engine), latency_of(await alert_latencies(stage.engine))
    if as_json:
        print_json({"answers": tally.answers, "callbacks": tally.opened, "latency_ms": msgspec.structs.asdict(latency)})
    else:
        show.say(summary_of(tally, latency, play.lasted))
    night = night_of(tally)
    if night and not play.worked:
        show.say(f"No callback was worked: {night}.")
    elif seconds is not None and not play.worked and not interrupted.is_set():
        raise BottomboxError(f"no callback could be worked within {seconds:.0f} s; give it longer")


def _stop_on_signals(stop: asyncio.Event, interrupted: asyncio.Event) -> None:
    def hear() -> None:
        interrupted.set()
        stop.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, hear)


async def _records(stage: Stage, file: Path | None, source: str | None) -> Iterator[OutRecord]:
    if file is None or source is None:
        return feed.made_up(stage.settings)
    reader = find_source(stage.catalogue, source)
    return await asyncio.to_thread(feed.from_file, stage.settings, stage.catalogue, reader, file)


class _Play:
    """What happens on the stage, from the first answer to the stop. `worked`: our own claim ended in a resolve."""

    def __init__(self, stage: Stage, show: Show, stop: asyncio.Event, seconds: float | None) -> None:
        self.worked = False
        self.lasted = 0.0
        self._stage, self._show, self._stop, self._seconds = stage, show, stop, seconds

    async def run(self, records: Iterator[OutRecord], rate: float) -> None:
        """Starts the house, plays in it, and returns when all has ended."""
        self._show.doing("starting the API, the consumer and the worker")
        listening: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
        house = asyncio.ensure_future(run(self._stage.settings, frozenset(Role), self._stop, listening.set_result))
        either: tuple[asyncio.Future[Any], ...] = (house, listening)
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if house.done():
            house.result()  # it has failed, and says why
        await _together(self._stop, house, self._perform(listening.result().http or "", records, rate))

    async def _perform(self, address: str, records: Iterator[OutRecord], rate: float) -> None:
        async with (
            wiring.open_producer(self._stage.settings) as producer,
            httpx.AsyncClient(base_url=address, timeout=30.0) as http,
        ):
            await self._until_closed(self._until_ready(http))
            if self._stop.is_set():
                return
            self._show.say(*_introduction(address, self._stage.keys))
            parts = [feed.send_all(records, producer, rate, self._stop), self._watch()]
            parts += [self._work(http)]
            if self._seconds is not None:
                parts += [self._end_after(self._seconds)]
            await _together(self._stop, *(self._until_closed(each) for each in parts))

    async def _until_ready(self, http: httpx.AsyncClient) -> None:
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while not self._stop.is_set() and not (await http.get("/readyz")).is_success:
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"the service was not ready within {READY_SECONDS:.0f} s; try again")
            await wait_or_stop(self._stop, 0.1)

    def _as_advisor(self, http: httpx.AsyncClient, name: str) -> Advisor:
        return Advisor(http, self._stage.keys[name], random.Random(name))  # noqa: S311 - a play, no secret

    async def _watch(self) -> None:
        """Shows the figures until the end, and once more at the end."""
        clock = asyncio.get_running_loop().time
        started = clock()
        while True:
            stopping = self._stop.is_set()
            self.lasted = clock() - started
            tally = await count_so_far(self._stage.engine)
            latency = latency_of(await alert_latencies(self._stage.engine, last=LATEST))
            left = None if self._seconds is None else self._seconds - self.lasted
            self._show.figures(lines_of(tally, latency, left))
            if stopping:
                return
            await wait_or_stop(self._stop, self._show.every_seconds)

    async def _work(self, http: httpx.AsyncClient) -> None:
        """A demo with an end works one callback itself, before the played advisors take what there is."""
        if self._seconds is not None:
            await self._work_one(http)
        await _together(self._stop, *(self._as_advisor(http, name).work(self._stop) for name in PLAYED))

    async def _work_one(self, http: httpx.AsyncClient) -> None:
        self.worked = await self._as_advisor(http, VISITOR).work_one(self._stop)
        if self.worked:
            self._show.say(f"{VISITOR} has claimed a callback, reached the customer and resolved it.")

    async def _end_after(self, seconds: float) -> None:
        await wait_or_stop(self._stop, seconds)
        self._stop.set()

    async def _until_closed(self, part: Awaitable[None]) -> None:
        """Once the stop has come, a closed connection is no fault."""
        try:
            await part
        except httpx.TransportError:
            if not self._stop.is_set():
                raise


async def _together(stop: asyncio.Event, *parts: asyncio.Future[None] | Coroutine[Any, Any, None]) -> None:
    """Runs parts that all end soon after `stop`. If one fails, the others are stopped and its error is raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]

    def hear(task: asyncio.Future[None]) -> None:
        if task.exception() is not None:
            stop.set()

    for task in tasks:
        task.add_done_callback(hear)
    await asyncio.wait(tasks)
    for task in tasks:
        task.result()


def _introduction(address: str, keys: dict[str, str]) -> list[str]:
    curl = (
        f"curl -sS {address}/v1/callbacks/claim -H 'Authorization: Bearer {keys[VISITOR]}'"
        """ -H 'Content-Type: application/json' -d '{"wait_seconds": 10}'"""
    )
    return [
        "Bottombox runs on this machine alone. PostgreSQL and the broker are embedded; the data is gone afterwards.",
        "",
        f"  API docs  {address}/docs",
        f"  metrics   {address}/metrics",
        f"  API keys  {keys[VISITOR]} ({VISITOR}, an advisor)",
        f"            {keys[LEAD]} ({LEAD}, a lead)",
        "",
        f"Claim a callback as {VISITOR}:",
        "",
        f"  {curl}",
        "",
    ]
