"""What is still owed in each queue, and how fast the last hours went."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct, field
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import State
from alerts.insights.forecast import Owed
from alerts.insights.workday import LAST_HOURS
from alerts.ledger.insights.counted import COUNTED_CALLBACKS

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
AHEAD_OF_ALL = timedelta(days=36_525)
"""A promise goes before everything that merely waits."""


class Load(Struct, kw_only=True):
    """One queue. `owed` wait or are promised; `recent` were opened in the last hours; `handled` had an attempt in them."""

    owed: list[Owed] = field(default_factory=list)
    recent: list[Owed] = field(default_factory=list)
    handled: int = 0


# What waits or is promised: since when it may be called, its place in the order, and its next due time?
OWED = text(f"""
SELECT c.queue, c.state, c.opened_at, c.rank_at, c.callable_from, c.promise_at,
    CASE WHEN c.first_attempt_at IS NULL THEN c.due_first_attempt
         WHEN c.contacted_at IS NULL THEN c.due_contact ELSE c.due_resolution END AS due
FROM callbacks AS c
WHERE c.state IN ('waiting', 'scheduled') AND {COUNTED_CALLBACKS}
""")

# Which were opened in the last hours, whatever has become of them?
RECENT = text(f"""
SELECT c.queue, c.opened_at, c.rank_at, c.due_first_attempt AS due
FROM callbacks AS c WHERE c.opened_at > :since AND c.opened_at <= :now AND {COUNTED_CALLBACKS}
""")

# How many callbacks of each queue did somebody try to reach in the last hours?
HANDLED = text(f"""
SELECT c.queue, count(DISTINCT c.id) AS handled
FROM history AS h JOIN callbacks AS c ON c.id = h.callback_id
WHERE h.kind = 'attempted' AND h.at > :since AND h.at <= :now AND {COUNTED_CALLBACKS}
GROUP BY 1
""")


async def load_queue_loads(connection: AsyncConnection, now: datetime) -> dict[str, Load]:
    """By queue; one that owes nothing and had nothing to do is not there."""
    loads: dict[str, Load] = defaultdict(Load)
    for row in await connection.execute(OWED):
        if row.due is not None:
            loads[row.queue].owed.append(Owed(*_place(row), row.due))
    lately = {"since": now - LAST_HOURS, "now": now}
    for row in await connection.execute(RECENT, lately):
        loads[row.queue].recent.append(Owed(row.opened_at, row.rank_at, row.due))
    for row in await connection.execute(HANDLED, lately):
        loads[row.queue].handled = row.handled
    return dict(loads)


def _place(row: Row[Any]) -> tuple[datetime, datetime]:
    """When it can be handed out, and its place then. One that may not be called at all never can."""
    if row.state == State.SCHEDULED:
        return row.promise_at, row.promise_at - AHEAD_OF_ALL
    return row.callable_from or NEVER, row.rank_at
