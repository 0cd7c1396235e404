"""A process says that it is ready once what the first answers need is loaded, and loads it beside its event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from app import roles
from app.settings import Settings
from app.wiring import build

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/none"


async def test_nothing_is_ready_before_calendars_are_loaded_and_they_are_loaded_in_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []
    monkeypatch.setattr(roles, "prepare", lambda policy, years: threads.append(threading.get_ident()))
    monkeypatch.setenv("BOTTOMBOX_DATABASE_URL", NOBODY_LISTENS)
    async with build(Settings(), asyncio.Event(), pool_size=1) as components:
        assert await roles._not_ready(components, None) == ["calendars and numbering plans are being loaded"]
        await roles._prepare(components)
        assert await roles._not_ready(components, None) != ["calendars and numbering plans are being loaded"]
    assert len(threads) == 1
    assert threads != [threading.get_ident()]
