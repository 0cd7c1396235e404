"""Looks whether the promises hold, a little each minute: at what moved last, at the next piece of a walk over all customers,
and again at whatever was found broken. So a ledger of any size is seen whole in time, and no look costs more than another.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.ledger.checks.catalogue import OF_ALL, OF_SOME
from alerts.ledger.checks.check import Broken, Kind, find_broken
from alerts.ledger.database import ledger_now, transaction

RECENT = 500
"""So many of the newest events and of the newest answers lead to the customers who are looked at first."""

WALKED = 1000
"""So many customers further the walk goes with each look."""

GRACE = timedelta(minutes=1)
"""How late the timers may be; they come round twice a second, and have many to wake when windows open."""

AT_MOST = text("SET LOCAL statement_timeout = '5s'")

# Who is next on the walk?
NEXT = text("SELECT id FROM customers WHERE id > :after ORDER BY id LIMIT :walked")

# Whose answers came, or whose callbacks moved, last?
NEWEST = text("""
SELECT customer_id FROM (SELECT customer_id FROM responses ORDER BY id DESC LIMIT :recent) AS answered
UNION
SELECT customer_id FROM callbacks WHERE id IN (SELECT callback_id FROM history ORDER BY id DESC LIMIT :recent)
""")

# Whose were those?
SUSPECTS = text("""
SELECT customer_id FROM callbacks WHERE id = ANY(CAST(:callbacks AS uuid[]))
UNION SELECT customer_id FROM responses WHERE id = ANY(CAST(:responses AS bigint[]))
UNION SELECT id FROM customers WHERE id = ANY(CAST(:customers AS bigint[]))
""")


def _each(table: str, of: str, which: str) -> str:
    """The rows of `table` that belong to each of the rows `of`, looked up one by one.

    OFFSET keeps the look-ups apart: for the planner a join by a scan of all of a large table is sometimes cheaper, by a hair,
    and then the audit's cost would grow with the ledger.
    """
    found = f"SELECT * FROM {table} WHERE {which} OFFSET 0"
    return f"{table} AS MATERIALIZED (SELECT found.* FROM {of} CROSS JOIN LATERAL ({found}) AS found)"


# The tables as if these customers were all there are: the names of tables mean these rows to whatever follows.
OF_CUSTOMERS = "WITH people AS MATERIALIZED (SELECT unnest(CAST(:people AS bigint[])) AS id), " + ", ".join(
    (
        _each("customers", "people", "id = people.id"),
        _each("callbacks", "people", "customer_id = people.id"),
        _each("responses", "people", "customer_id = people.id"),
        _each("alerts", "responses AS r", "response_id = r.id"),
        _each("history", "callbacks AS c", "callback_id = c.id"),
        _each("attempts", "callbacks AS c", "callback_id = c.id"),
        _each("outbox", "callbacks AS c", "subject = c.id::text"),
    )
)


class Audit(Struct, frozen=True):
    """What one look found, at a moment on the ledger's clock."""

    at: datetime
    broken: tuple[Broken, ...]


class Auditor:
    """Remembers how far its walk has come, and whom it found broken; both are lost with the process, and found again."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._after = 0
        self._suspects: frozenset[int] = frozenset()

    async def look(self) -> Audit:
        """One transaction that changes nothing. Raises Unavailable, also when a statement takes too long."""
        async with transaction(self._engine) as connection:
            await connection.execute(AT_MOST)
            return await self.ask(connection)

    async def ask(self, connection: AsyncConnection) -> Audit:
        """The look itself, in the caller's transaction."""
        people = self._suspects | await self._next(connection) | await _ids(connection, NEWEST, recent=RECENT)
        given = {"grace": GRACE, "people": sorted(people)}
        broken = await find_broken(connection, OF_ALL, given={"grace": GRACE})
        broken += await find_broken(connection, OF_SOME, within=OF_CUSTOMERS, given=given)
        self._suspects = await _ids(connection, SUSPECTS, **_by_kind(broken))
        return Audit(await ledger_now(connection), tuple(broken))

    async def _next(self, connection: AsyncConnection) -> frozenset[int]:
        """Goes on even if the look fails, so that one piece that cannot be judged does not hide all others."""
        people = await _ids(connection, NEXT, after=self._after, walked=WALKED)
        self._after = max(people) if len(people) == WALKED else 0
        return people


async def _ids(connection: AsyncConnection, query: Any, **given: Any) -> frozenset[int]:
    return frozenset((await connection.execute(query, given)).scalars())


def _by_kind(broken: Iterable[Broken]) -> dict[str, list[Any]]:
    found: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    for each in broken:
        if each.check not in OF_ALL:
            found[each.check.finds].append(each.id)
    return {
        "callbacks": found[Kind.CALLBACK],
        "responses": [int(id_) for id_ in found[Kind.RESPONSE]],
        "customers": [int(id_) for id_ in found[Kind.CUSTOMER]],
    }
