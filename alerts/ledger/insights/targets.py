"""Whether customers were tried, reached and helped in time: counted, and from the durations that were stored."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Target
from alerts.insights.quantiles import Quantiles
from alerts.insights.question import Question
from alerts.ledger.insights.counted import of_callbacks


class TargetFigures(Struct, frozen=True, kw_only=True):
    """Callbacks of one queue and priority. `pending`: still open and undecided. Durations in seconds, of those reached."""

    queue: str
    priority: int
    target: Target
    met: int
    missed: int
    pending: int
    wall: Quantiles
    callable: Quantiles


# How did the callbacks that were opened then keep each target, and after how long was it reached? Of one that was reopened
# the durations since then count, as its targets do.
TARGETS = """
WITH opened AS (
    SELECT c.id, c.queue, c.priority, c.state, c.targets, c.targets_since
    FROM callbacks AS c {joins} WHERE c.opened_at >= :since AND c.opened_at < :until AND {where}
), counted AS (
    SELECT o.queue, o.priority, t.place, t.target,
        count(*) FILTER (WHERE o.targets ->> t.target = 'met') AS met,
        count(*) FILTER (WHERE o.targets ->> t.target = 'missed') AS missed,
        count(*) FILTER (WHERE o.targets ->> t.target IS NULL AND o.state IN ('waiting', 'leased', 'scheduled')) AS pending
    FROM opened AS o CROSS JOIN (VALUES (1, 'first_attempt'), (2, 'contact'), (3, 'resolution')) AS t(place, target)
    GROUP BY 1, 2, 3, 4
), reached AS (
    SELECT o.queue, o.priority, e.name, count(e.value ->> 'wall') AS reached,
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY (e.value ->> 'wall')::float8) AS wall,
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY (e.value ->> 'callable')::float8) AS callable
    FROM opened AS o JOIN history AS h ON h.callback_id = o.id AND h.at >= o.targets_since AND h.at >= :since
    CROSS JOIN jsonb_each(h.measured) AS e(name, value)
    WHERE h.measured <> '{{}}'
    GROUP BY 1, 2, 3
)
SELECT c.queue, c.priority, c.target, c.met, c.missed, c.pending, coalesce(r.reached, 0) AS reached, r.wall, r.callable
FROM counted AS c
LEFT JOIN reached AS r ON r.queue = c.queue AND r.priority = c.priority AND r.name = 'time_to_' || c.target
ORDER BY c.queue, c.priority, c.place
"""


async def count_targets(connection: AsyncConnection, question: Question) -> list[TargetFigures]:
    chosen = of_callbacks(question)
    rows = await connection.execute(text(TARGETS.format(joins=chosen.joins, where=chosen.where)), chosen.values)
    return [
        TargetFigures(
            queue=row.queue,
            priority=row.priority,
            target=Target(row.target),
            met=row.met,
            missed=row.missed,
            pending=row.pending,
            wall=_quantiles(row.reached, row.wall),
            callable=_quantiles(row.reached, row.callable),
        )
        for row in rows
    ]


def _quantiles(of: int, found: Sequence[float | None] | None) -> Quantiles:
    p50, p90 = found or (None, None)
    return Quantiles(of, p50, p90)
