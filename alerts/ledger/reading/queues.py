"""How the queues stand: what waits, is held and is promised in each, what is late, and when the next customer may be phoned."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.callback import State, Target
from alerts.errors import NotFound
from alerts.ledger.database import transaction


class QueueView(Struct, frozen=True, kw_only=True):
    """`ready` may be claimed now. `oldest`: when the one that waits longest was opened."""

    name: str
    paused_at: datetime | None
    paused_by: str | None
    paused_reason: str | None
    waiting: int
    ready: int
    leased: int
    scheduled: int
    overdue: int
    oldest: datetime | None
    next_callable_at: datetime | None


# How does each queue stand? `:names` are the policy's, which may have had no callback yet.
OVERVIEW = text("""
WITH clock AS MATERIALIZED (SELECT ledger_now() AS now),
open AS (
    SELECT c.queue,
        count(*) FILTER (WHERE c.state = 'waiting') AS waiting,
        count(*) FILTER (WHERE c.state = 'waiting' AND c.ready AND c.callable_until > clock.now) AS ready,
        count(*) FILTER (WHERE c.state = 'leased') AS leased,
        count(*) FILTER (WHERE c.state = 'scheduled') AS scheduled,
        count(*) FILTER (WHERE (c.first_attempt_at IS NULL AND c.due_first_attempt <= clock.now)
            OR (c.contacted_at IS NULL AND c.due_contact <= clock.now)
            OR c.due_resolution <= clock.now) AS overdue,
        min(c.opened_at) FILTER (WHERE c.state = 'waiting') AS oldest,
        least(min(c.callable_from) FILTER (WHERE c.state = 'waiting' AND NOT c.ready),
              min(c.promise_at) FILTER (WHERE c.state = 'scheduled')) AS next_callable_at
    FROM callbacks AS c CROSS JOIN clock
    WHERE c.state IN ('waiting', 'leased', 'scheduled')
    GROUP BY c.queue
)
SELECT name, q.paused_at, q.paused_by, q.paused_reason,
    coalesce(waiting, 0) AS waiting, coalesce(ready, 0) AS ready, coalesce(leased, 0) AS leased,
    coalesce(scheduled, 0) AS scheduled, coalesce(overdue, 0) AS overdue, oldest, next_callable_at
FROM (SELECT name FROM queues UNION SELECT unnest(CAST(:names AS text[]))) AS known(name)
LEFT JOIN queues AS q USING (name)
LEFT JOIN open ON open.queue = name
ORDER BY name
""")


async def load_queues(connection: AsyncConnection, names: tuple[str, ...]) -> list[QueueView]:
    rows = await connection.execute(OVERVIEW, {"names": list(names)})
    return [QueueView(**row._mapping) for row in rows]


async def load_queue(connection: AsyncConnection, name: str) -> QueueView:
    """Raises NotFound."""
    for queue in await load_queues(connection, ()):
        if queue.name == name:
            return queue
    raise NotFound("there is no such queue")


class QueueCount(Struct, frozen=True, kw_only=True):
    """Open callbacks of one queue in one state; `overdue` by target."""

    queue: str
    state: State
    callbacks: int
    oldest_opened_at: datetime | None
    overdue: dict[Target, int]


# How many open callbacks has each queue in each state, how old is the oldest, how many are past a promised time?
COUNTS = text("""
SELECT q.name, s.state, count(c.id) AS callbacks, min(c.opened_at) AS oldest,
       count(c.id) FILTER (WHERE c.first_attempt_at IS NULL AND c.due_first_attempt <= now.at) AS first_attempt,
       count(c.id) FILTER (WHERE c.contacted_at IS NULL AND c.due_contact <= now.at) AS contact,
       count(c.id) FILTER (WHERE c.due_resolution <= now.at) AS resolution
FROM queues AS q
CROSS JOIN (VALUES ('waiting'), ('leased'), ('scheduled')) AS s(state)
CROSS JOIN (SELECT ledger_now() AS at) AS now
LEFT JOIN callbacks AS c ON c.queue = q.name AND c.state = s.state AND c.wake_at IS NOT NULL
GROUP BY q.name, s.state
""")


async def count_queues(engine: AsyncEngine) -> list[QueueCount]:
    async with transaction(engine) as connection:
        rows = (await connection.execute(COUNTS)).all()
    return [
        QueueCount(
            queue=row.name,
            state=State(row.state),
            callbacks=row.callbacks,
            oldest_opened_at=row.oldest,
            overdue={target: getattr(row, target.value) for target in Target},
        )
        for row in rows
    ]
