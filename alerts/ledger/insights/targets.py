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
# the durations since then count, as its targets do. Most are alike, and the few kinds are told apart by target. What was measured
# is read by name, which costs less than to take documents apart.
TARGETS = """
WITH opened AS (
    SELECT c.id, c.queue, c.priority, c.state IN ('waiting', 'leased', 'scheduled') AS is_open, c.targets, c.targets_since
    FROM callbacks AS c {joins} WHERE c.opened_at >= :since AND c.opened_at < :until AND {where}
), alike AS (
    SELECT queue, priority, is_open, targets, count(*) AS callbacks FROM opened GROUP BY 1, 2, 3, 4
), counted AS (
    SELECT a.queue, a.priority, t.place, t.target,
        sum(a.callbacks) FILTER (WHERE a.targets ->> t.target = 'met') AS met,
        sum(a.callbacks) FILTER (WHERE a.targets ->> t.target = 'missed') AS missed,
        sum(a.callbacks) FILTER (WHERE a.targets ->> t.target IS NULL AND a.is_open) AS pending
    FROM alike AS a CROSS JOIN (VALUES (1, 'first_attempt'), (2, 'contact'), (3, 'resolution')) AS t(place, target)
    GROUP BY 1, 2, 3, 4
), measured AS MATERIALIZED (
    SELECT o.queue, o.priority, {measured}
    FROM opened AS o JOIN history AS h ON h.callback_id = o.id AND h.at >= o.targets_since AND h.at >= :since
    WHERE h.measured <> '{{}}'
), reached AS (
    SELECT queue, priority, target, count(*) AS reached,
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY (taken ->> 'wall')::float8) AS wall,
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY (taken ->> 'callable')::float8) AS callable
    FROM ({reached}) AS each
    GROUP BY 1, 2, 3
)
SELECT c.queue, c.priority, c.target, r.wall, r.callable, CAST(coalesce(r.reached, 0) AS int) AS reached,
    CAST(coalesce(c.met, 0) AS int) AS met, CAST(coalesce(c.missed, 0) AS int) AS missed,
    CAST(coalesce(c.pending, 0) AS int) AS pending
FROM counted AS c LEFT JOIN reached AS r USING (queue, priority, target)
ORDER BY c.queue, c.priority, c.place
"""
_MEASURED = ", ".join(f"h.measured -> 'time_to_{target}' AS {target}" for target in Target)
_REACHED = " UNION ALL ".join(
    f"SELECT queue, priority, '{target}' AS target, {target} AS taken FROM measured WHERE {target} IS NOT NULL"
    for target in Target
)


async def count_targets(connection: AsyncConnection, question: Question) -> list[TargetFigures]:
    chosen = of_callbacks(question)
    statement = TARGETS.format(joins=chosen.joins, where=chosen.where, measured=_MEASURED, reached=_REACHED)
    rows = await connection.execute(text(statement), chosen.values)
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
