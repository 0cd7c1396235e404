"""What is waiting right now, counted from the rows; for the gauges and the queues' overview."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.callback import State, Target
from alerts.ledger.database import transaction


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
