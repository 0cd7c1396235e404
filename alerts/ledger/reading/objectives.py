"""How often the company has kept what it promises itself, counted from the record: what the objectives are judged by.

A counter in the memory of the process that did the work lacks whatever was committed and not yet counted when that process
died. Here every process begins at the first row and comes to the same figures (docs/decisions/0081).
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.ledger.database import transaction

HEARD_WITHIN = timedelta(seconds=5)
"""From the Kafka record's timestamp to the alert on a callback (docs/operations.md)."""

SETTLED = timedelta(minutes=2)
"""Only what is older is counted: longer than a transaction of ours lives between its moment and its commit."""

AT_ONCE = 100_000
"""So many rows of each table are walked over in one transaction."""


class Objective(StrEnum):
    ALERT_LATENCY = "alert_latency"
    FIRST_ATTEMPT = "first_attempt"
    CONTACT = "contact"
    RESOLUTION = "resolution"


class Kept(StrEnum):
    MET = "met"
    MISSED = "missed"


Totals = Counter[tuple[Objective, Kept]]


class CountedUpTo(Struct, frozen=True):
    """The last row of each table that is counted."""

    history: int = 0
    alerts: int = 0

    def further(self, ends: CountedUpTo) -> CountedUpTo:
        return CountedUpTo(min(self.history + AT_ONCE, ends.history), min(self.alerts + AT_ONCE, ends.alerts))


# How far may be counted? Rows are numbered in the transactions that write them, so behind the newest settled row none is missing.
ENDS = text("""
SELECT coalesce((SELECT id FROM history WHERE at <= clock.settled ORDER BY id DESC LIMIT 1), 0) AS history,
    coalesce((SELECT response_id FROM alerts WHERE raised_at <= clock.settled ORDER BY response_id DESC LIMIT 1), 0) AS alerts
FROM (SELECT ledger_now() - CAST(:settled AS interval) AS settled) AS clock
""")

TARGETS = text("""
SELECT data ->> 'target' AS objective, data ->> 'result' AS result, count(*) AS number
FROM history WHERE id > :after AND id <= :until AND kind IN ('target_met', 'target_missed')
GROUP BY 1, 2
""")

ALERTS = text("""
SELECT 'alert_latency' AS objective, CASE WHEN a.raised_at - r.recorded_at <= :within THEN 'met' ELSE 'missed' END AS result,
    count(*) AS number
FROM alerts AS a JOIN responses AS r ON r.id = a.response_id
WHERE a.response_id > :after AND a.response_id <= :until
GROUP BY 1, 2
""")


class ObjectiveCounts:
    """`totals` since the first row of the ledger, as far as `count` has come."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._place = CountedUpTo()
        self.totals: Totals = Counter()

    async def count(self) -> bool:
        """One step; whether it has come to the end of what is settled. Raises Unavailable; then it has not moved."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(ENDS, {"settled": SETTLED})).one()
            ends = CountedUpTo(max(row.history, self._place.history), max(row.alerts, self._place.alerts))  # never back
            place = self._place.further(ends)
            found = await _between(connection, self._place, place)
        self.totals.update(found)
        self._place = place
        return place == ends


async def _between(connection: AsyncConnection, after: CountedUpTo, until: CountedUpTo) -> Totals:
    rows = [
        *await connection.execute(TARGETS, {"after": after.history, "until": until.history}),
        *await connection.execute(ALERTS, {"after": after.alerts, "until": until.alerts, "within": HEARD_WITHIN}),
    ]
    return Counter({(Objective(row.objective), Kept(row.result)): row.number for row in rows})
