"""What runs without being asked: callbacks whose moment has come are woken, in any number of replicas."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import Transition
from alerts.ledger.callbacks.timers import wake_due
from alerts.policy import Policy


class Timers:
    """`run_once` wakes one small batch; True means that there may be more at once."""

    IDLE_SECONDS = 0.5
    BATCH = 500

    def __init__(self, engine: AsyncEngine, policy: Policy, announce: Callable[[Sequence[Transition]], None]) -> None:
        self._engine = engine
        self._policy = policy
        self._announce = announce

    async def run_once(self) -> bool:
        moved = await wake_due(self._engine, self._policy, limit=self.BATCH)
        self._announce(moved)
        return len(moved) == self.BATCH
