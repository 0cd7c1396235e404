"""What the objectives are judged by stays true when a process dies between what it committed and what it counted (I30)."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

from alerts.ledger.reading.objectives import SETTLED
from tests.acceptance.test_faults import metric
from tests.parts.clock import Clock
from tests.parts.service import ROOT, Service
from tests.parts.topics import unique_name
from tests.parts.town import Town, answer, eventually

DIES_BEFORE_IT_COUNTS = """
import os, signal
from app.metrics.intake import IntakeMetrics
IntakeMetrics.batch = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from app.__main__ import main
main()
"""


async def judged(service: Service) -> float:
    """How many alerts this process says there were, in time or not."""
    names = [f'bottombox_objectives_total{{result="{result}",slo="alert_latency"}}' for result in ("met", "missed")]
    return sum([sum(await metric(service, name)) for name in names])


async def test_a_consumer_killed_between_commit_and_count_makes_no_judgement_wrong(town: Town, clock: Clock) -> None:
    await town.send([answer(f"e{number}", 1) for number in range(7)], partition=0)
    dying = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", DIES_BEFORE_IT_COUNTS, "consume", "--json"],
        cwd=ROOT, env=town.env, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert dying.returncode == -signal.SIGKILL, dying.stderr
    assert await town.value("SELECT count(*) FROM alerts") > 0, "it died after its commit"
    again = {**town.env, "BOTTOMBOX_CONSUMER_GROUP": unique_name("anew")}  # a group that need not wait for the dead one
    with Service.start("consume", again) as consume:
        await eventually(town.accounted, lambda done: done == 7)
        await eventually(lambda: metric(consume, "bottombox_records_seen_again_total"), lambda found: sum(found) > 0)
        counted = sum(await metric(consume, "bottombox_alert_latency_seconds_count"))
        assert counted < 7, "what the first one had committed, nobody counts any more"
    await clock.advance(SETTLED)
    work = Service.start("work", town.env)
    assert await eventually(lambda: judged(work), lambda found: found == 7) == 7
    work.kill()
    with Service.start("work", town.env) as another:
        assert await eventually(lambda: judged(another), lambda found: found > 0) == 7, "whole, or not there yet"
