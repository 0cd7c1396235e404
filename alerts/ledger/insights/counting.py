"""What the database gives to whoever counts, and what it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.ledger.database import transaction

# Memory for the answers of a month; and one core, for the others belong to those who work. What is counted is of late, and so
# in memory: to look up a row costs little more than to read on, and a month never costs what all years would.
FOR_COUNTING = text(
    "SELECT set_config('work_mem', '64MB', true), set_config('max_parallel_workers_per_gather', '0', true),"
    " set_config('random_page_cost', '1.1', true)"
)


@asynccontextmanager
async def counting(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction to count in. Raises Unavailable."""
    async with transaction(engine) as connection:
        await connection.execute(FOR_COUNTING)
        yield connection
