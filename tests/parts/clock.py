"""Moves the database's clock, `ledger_now()`, which every lease, target and retry looks at."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg

# Takes the place of the ledger's own function in the template of all tests; production has no such table.
MOVABLE_CLOCK = """
    CREATE TABLE test_clock (ahead interval NOT NULL);
    INSERT INTO test_clock VALUES ('0');
    CREATE OR REPLACE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        $$ SELECT clock_timestamp() + (SELECT ahead FROM test_clock) $$;
"""


class Clock:
    """Moves the clock of one test's database. It goes on ticking from wherever it is put."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection

    async def now(self) -> datetime:
        moment: datetime = await self._connection.fetchval("SELECT ledger_now()")
        return moment

    async def set(self, moment: datetime) -> None:
        await self._connection.execute("UPDATE test_clock SET ahead = $1::timestamptz - clock_timestamp()", moment)

    async def advance(self, delta: timedelta) -> None:
        await self._connection.execute("UPDATE test_clock SET ahead = ahead + $1", delta)
