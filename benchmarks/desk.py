"""Advisors who claim from one ledger, one after another, each with a limit of held callbacks as in the API."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.ledger.callbacks.claim_heads import known_heads
from alerts.ledger.callbacks.claims import CLAIM, Claimer, claim_next
from alerts.ledger.database import open_engine, transaction
from alerts.policy import shipped_policy

POLICY = shipped_policy()
ADVISORS = 200

# Resolved, and another has come: the row is waiting again, behind all others of its queue.
PUT_BACK = """
UPDATE callbacks SET state = 'waiting', ready = true, rank_at = rank_at + interval '1 day', wake_at = callable_until,
    lease_token = NULL, lease_holder = NULL, lease_claimed_at = NULL, lease_expires_at = NULL
WHERE id = $1
"""
EXPLAINED = {
    "advisor": "'advisor-0'",
    "key": "NULL",
    "queues": "NULL",
    "languages": "NULL",
    "count": "1",
    "depth": "9",
    "heads": "'[]'",
    "without": "'{}'",
}
"""A claim of one callback from all queues, as literals."""


class Desk:
    """`other` is a connection beside the advisors' own, for what is not measured."""

    def __init__(self, url: str, engine: AsyncEngine, other: asyncpg.Connection[asyncpg.Record]) -> None:
        self.url = url
        self._engine = engine
        self.other = other
        self._claims = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Desk]:
        engine = open_engine(url, pool_size=1)
        other = await asyncpg.connect(url)
        try:
            yield cls(url, engine, other)
        finally:
            await other.close()
            await engine.dispose()

    async def claim(self) -> tuple[float, bool]:
        """Milliseconds of one claim, from the transaction's beginning to its commit, and whether it found something.

        What was claimed goes to the end of its queue, so that their number stays; that is not measured.
        """
        self._claims += 1
        advisor = f"advisor-{self._claims % ADVISORS}"
        start = time.perf_counter()
        async with transaction(self._engine) as connection:
            who = Claimer(advisor=advisor, at_most=POLICY.leases.held_at_most)
            moved = await claim_next(connection, who, policy=POLICY)
        taken = (time.perf_counter() - start) * 1000
        for each in moved:
            assert await self.other.execute(PUT_BACK, each.callback.id) == "UPDATE 1"
        return taken, bool(moved)

    async def plan(self) -> str:
        """What EXPLAIN (ANALYZE, BUFFERS) says of the claim's statement now; nothing is claimed.

        With the plan for any parameters, which the server may keep for a prepared statement after its fifth use.
        """
        async with transaction(self._engine) as connection:
            literals = {**EXPLAINED, "heads": f"'{await known_heads(connection)}'"}
        async with self.other.transaction():
            await self.other.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            await self.other.execute(f"PREPARE claim AS {CLAIM.sql}")
            given = ", ".join(literals[name] for name in CLAIM.names)
            rows = await self.other.fetch(f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE claim ({given})")
            await self.other.execute("DEALLOCATE claim")
        return "\n".join(row[0] for row in rows)
