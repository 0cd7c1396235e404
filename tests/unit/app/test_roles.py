"""A process says that it is ready once what the first answers need is loaded, and loads it beside its event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app import roles
from app.settings import Settings
from app.wiring import build

ROOT = Path(__file__).parents[3]
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


def test_a_process_without_an_api_does_not_load_it() -> None:
    told = "import sys, app.roles; print(*sorted(name for name in sys.modules if name.startswith('app.api.')))"
    loaded = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "app.api.app" in loaded
    assert not {"app.api.routers", "app.api.presenting", "app.api.schemas.callback"} & {*loaded}
