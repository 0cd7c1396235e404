"""How quickly bad news became a callback, and how far the callbacks have come: read off the record."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.ledger.database import transaction


class Tally(Struct, frozen=True, kw_only=True):
    """How many there are of each, all time. `answers` are those that were stored; `set_aside` are dead letters.

    `ready` of those waiting may be called now; `next_callable_at` is when the first of the others may be.
    """

    answers: int
    bottom_box: int
    set_aside: int
    opened: int
    joined: int
    waiting: int
    ready: int
    leased: int
    resolved: int
    next_callable_at: datetime | None


# How long did each of the latest alerts take, from the Kafka record's timestamp to the transaction that raised it?
LATENCIES = text("""
SELECT extract(epoch FROM a.raised_at - r.recorded_at)::float8
FROM alerts AS a JOIN responses AS r ON r.id = a.response_id
ORDER BY a.response_id DESC
LIMIT :last
""")

# How many answers came in, and what became of the bad ones?
TALLY = text("""
SELECT r.answers, r.bottom_box, d.set_aside, a.alerts - c.opened AS joined, c.*
FROM (SELECT count(*) AS answers, count(*) FILTER (WHERE box = 'bottom') AS bottom_box FROM responses) AS r,
     (SELECT count(*) AS set_aside FROM dead_letters) AS d,
     (SELECT count(*) AS alerts FROM alerts) AS a,
     (SELECT count(*) AS opened, count(*) FILTER (WHERE state = 'waiting') AS waiting,
             count(*) FILTER (WHERE state = 'waiting' AND ready) AS ready,
             count(*) FILTER (WHERE state = 'leased') AS leased,
             count(*) FILTER (WHERE state = 'resolved') AS resolved,
             min(callable_from) FILTER (WHERE state = 'waiting' AND NOT ready) AS next_callable_at
      FROM callbacks) AS c
""")


async def alert_latencies(engine: AsyncEngine, *, last: int | None = None) -> list[float]:
    """Seconds from the Kafka record's timestamp to the transaction that raised the alert, newest first.

    The commit follows within milliseconds and is not in it. `last`: only so many of the newest; all without it.
    Raises Unavailable.
    """
    async with transaction(engine) as connection:
        return [float(seconds) for seconds in (await connection.execute(LATENCIES, {"last": last})).scalars()]


async def count_so_far(engine: AsyncEngine) -> Tally:
    """Counts whole tables: for a look at a small ledger, not for a large one. Raises Unavailable."""
    async with transaction(engine) as connection:
        row = (await connection.execute(TALLY)).one()
    return Tally(**row._mapping)
