"""What runs without being asked: one row for each duty, in any number of replicas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Transition
from alerts.calling_hours import public_holidays
from alerts.ledger.access.idempotency import forget_old
from alerts.ledger.callbacks.timers import wake_due
from alerts.ledger.checks.auditor import Audit, Auditor
from alerts.ledger.checks.check import Check
from alerts.ledger.intake.raw_records import forget_raw
from alerts.ledger.intake.received_webhooks import forget_received
from alerts.ledger.reading.queues import QueueCount, count_queues
from alerts.policy import Policy
from consumers.fetching.fetcher import Fetcher
from consumers.journal import tell_moved
from consumers.loop import Step, run_periodically

logger = logging.getLogger(__name__)

WAKE_AT_ONCE = 500
"""So many callbacks are woken in one transaction."""

TOLD_AT_MOST = 5
"""So many ids of one broken promise are written to the log."""


class Duty(Struct, frozen=True):
    """`step` does a little and says whether there may be more at once; else it rests `idle` seconds."""

    name: str
    idle: float
    step: Step


def worker_duties(
    engine: AsyncEngine,
    policy: Policy,
    *,
    fetchers: Sequence[Fetcher] = (),
    announce: Callable[[Sequence[Transition]], None],
    show_queues: Callable[[Iterable[QueueCount]], None],
    show_audit: Callable[[Audit], None],
) -> list[Duty]:
    """Those of the role `work`. The listeners hear what was done, counted and found."""
    auditor = Auditor(engine)

    async def wake() -> bool:
        moved = await wake_due(engine, policy, limit=WAKE_AT_ONCE)
        announce(moved)
        tell_moved(moved)
        return len(moved) == WAKE_AT_ONCE

    async def count() -> bool:
        show_queues(await count_queues(engine))
        return False

    async def forget() -> bool:
        return await forget_old(engine) > 0

    async def forget_webhooks() -> bool:
        return await forget_received(engine) > 0

    async def forget_records() -> bool:
        return await forget_raw(engine, days=policy.keep_raw_days) > 0

    async def audit() -> bool:
        seen = await auditor.look()
        _tell_broken(seen)
        show_audit(seen)
        return False

    return [
        Duty("the timers", 0.5, wake),
        Duty("the queue counts", 10.0, count),
        Duty("the audit", 60.0, audit),
        Duty("forgetting old request keys", 600.0, forget),
        Duty("forgetting old webhooks", 600.0, forget_webhooks),
        Duty("forgetting old raw records", 600.0, forget_records),
        *(Duty(f"fetching for {each.source.name}", 1.0, each.run_once) for each in fetchers),
    ]


def holidays_duty(policy: Policy) -> list[Duty]:
    """Reckons the public holidays of the years that matter, in a thread, so that no claim waits for them; in every process.

    None for a policy that keeps no holidays. A year at a time, and anew each day, for a process may live through New Year.
    """
    years: list[int] = []

    async def prepare() -> bool:
        if not years:
            now = datetime.now(UTC).year
            years.extend((now - 2, now - 1, now + 1, now))
        await asyncio.to_thread(public_holidays.prepare, [years.pop()])
        return bool(years)

    return [Duty("getting the public holidays ready", 86_400.0, prepare)] if policy.keeps_holidays else []


def _tell_broken(audit: Audit) -> None:
    """One line for each check that does not hold; ids are enough to begin with."""
    found: dict[Check, list[str]] = {}
    for each in audit.broken:
        found.setdefault(each.check, []).append(each.id)
    for check, ids in found.items():
        named = ", ".join(ids[:TOLD_AT_MOST]) + (", ..." if len(ids) > TOLD_AT_MOST else "")
        logger.error("the ledger breaks %s (%s): %s %s", check.number, check.says, check.finds, named)


async def keep(duties: Iterable[Duty], stop: asyncio.Event) -> None:
    """Until `stop` is set. What goes wrong in one of them is logged and tried again, and stops no other."""
    async with asyncio.TaskGroup() as tasks:
        for duty in duties:
            tasks.create_task(run_periodically(duty.step, stop, idle=duty.idle, name=duty.name))
