"""Who counts waits for a turn, so that those who work are not held up; equal questions that wait are one."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from starlette.responses import Response

from alerts.errors import Unavailable
from app.api.insights import turn
from app.api.insights.turn import CountingTurn
from tests.integration.api.front import Front, good, problem
from tests.parts.town import eventually


class Counts:
    """How often each question was counted; a count goes on until `go` is set."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.at_once = self.most = 0
        self.go = asyncio.Event()
        self.turn = CountingTurn()

    def ask(self, question: str) -> asyncio.Task[Response]:
        async def count() -> Response:
            self.begun.append(question)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            await self.go.wait()
            self.at_once -= 1
            if question == "bad":
                raise Unavailable("the database is away")
            return Response(f"{question} {len(self.begun)}", headers={"Vary": "Accept"})

        return asyncio.create_task(self.turn.answer(question, count))

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_one_is_counted_at_a_time_and_equal_ones_that_wait_together() -> None:
    counts = Counts()
    first = counts.ask("hours")
    await counts.settle()
    later = [counts.ask("hours"), counts.ask("causes"), counts.ask("hours"), counts.ask("hours")]
    await counts.settle()
    assert counts.begun == ["hours"]
    counts.go.set()
    found = [bytes((await each).body) for each in (first, *later)]
    assert found == [b"hours 1", b"hours 2", b"causes 3", b"hours 2", b"hours 2"], "what came later was counted later"
    assert counts.most == 1
    assert (await later[0]).headers["vary"] == "Accept"


async def test_one_who_goes_away_takes_nothing_from_the_others() -> None:
    counts = Counts()
    busy = counts.ask("causes")
    await counts.settle()
    leaving, staying = counts.ask("hours"), counts.ask("hours")
    await counts.settle()
    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving
    counts.go.set()
    assert (await staying).body == b"hours 2"
    await busy


async def test_an_error_is_told_to_all_who_asked_and_the_next_one_has_its_turn() -> None:
    counts = Counts()
    asked = [counts.ask("bad"), counts.ask("hours")]
    counts.go.set()
    with pytest.raises(Unavailable):
        await asked[0]
    assert (await asked[1]).body == b"hours 2"


async def test_nobody_waits_for_ever(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "PATIENCE", 0.01)
    reader = await front.key("callbacks:read")
    lock = front.app.state.counting._turn
    async with lock:
        response = await reader.get("/v1/insights/hours")
    assert "counted at once" in problem(response, 503, "temporarily-unavailable")["detail"]
    good(await reader.get("/v1/insights/hours"))


async def test_what_only_leads_may_see_is_not_handed_to_a_reader(front: Front) -> None:
    lead, reader = await front.lead(), await front.key("callbacks:read")
    path = "/v1/insights/recovery?by=advisor"

    async def waiting() -> int:
        return len(front.app.state.counting._waiting)

    async with front.app.state.counting._turn:
        asked = [asyncio.create_task(each.get(path)) for each in (lead, reader)]
        await eventually(waiting, lambda found: found == 2)
    good(await asked[0])
    problem(await asked[1], 403, "insufficient-scope")
