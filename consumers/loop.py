"""Does one step again and again until told to stop, and waits politely while something it needs is away."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from alerts.errors import Unavailable, safe_traceback

logger = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds between tries while a part is away: doubled each time, with jitter, so replicas do not knock together."""

Step = Callable[[], Awaitable[bool]]


async def run_periodically(step: Step, stop: asyncio.Event, *, idle: float, name: str) -> None:
    """Runs `step` until `stop` is set. True from a step means there is more to do at once; else it rests `idle` seconds.

    Unavailable is waited out, and its reason told once. Any other error is a fault of ours: it is logged and the step
    tried again, for a timer that has died in silence is worse than one that complains.
    """
    wait, told = FIRST_WAIT, ""
    while not stop.is_set():
        try:
            more = await step()
            wait, told = FIRST_WAIT, ""
        except Unavailable as error:
            if str(error) != told:
                logger.warning("%s: waiting, for %s", name, error)
            told = str(error)
            more, wait = await _rest(stop, wait), min(LONGEST_WAIT, 2 * wait)
        except Exception as error:  # noqa: BLE001 - a fault of ours, and the step must go on
            logger.error("%s: failed, tried again in %.1f s: %s", name, LONGEST_WAIT, safe_traceback(error))
            more = await _rest(stop, LONGEST_WAIT)
        if not more:
            await wait_or_stop(stop, idle)


async def _rest(stop: asyncio.Event, seconds: float) -> bool:
    await wait_or_stop(stop, seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
    return True


async def wait_or_stop(stop: asyncio.Event, seconds: float) -> None:
    """Returns after `seconds`, or as soon as `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
