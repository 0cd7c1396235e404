"""The loop around every step: it waits while a part is away, survives faults, and stops when told."""

from __future__ import annotations

import asyncio

import pytest

from alerts.errors import Unavailable
from consumers import loop
from consumers.loop import run_periodically, wait_or_stop


async def test_a_step_is_done_until_the_stop() -> None:
    stop, done = asyncio.Event(), 0

    async def step() -> bool:
        nonlocal done
        done += 1
        if done == 5:
            stop.set()
        return True

    await asyncio.wait_for(run_periodically(step, stop, idle=60, name="a step"), 5)
    assert done == 5


async def test_a_part_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FIRST_WAIT", 0.001)
    stop, tries = asyncio.Event(), 0

    async def step() -> bool:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise Unavailable("the database is away")
        stop.set()
        return True

    await asyncio.wait_for(run_periodically(step, stop, idle=60, name="a step"), 5)
    assert tries == 4


async def test_a_fault_of_ours_is_told_and_the_step_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop, "LONGEST_WAIT", 0.001)
    stop, tries = asyncio.Event(), 0

    async def step() -> bool:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ZeroDivisionError
        stop.set()
        return True

    await asyncio.wait_for(run_periodically(step, stop, idle=60, name="the timers"), 5)
    assert "the timers: failed" in caplog.text


async def test_a_pause_ends_with_the_stop() -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(wait_or_stop(stop, 3600))
    stop.set()
    await asyncio.wait_for(waiting, 5)
