"""What each advisor did, read off the history."""

from __future__ import annotations

from collections import defaultdict

from msgspec import Struct, structs
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.buckets import Grain, buckets
from alerts.insights.question import Question
from alerts.insights.share import Count
from alerts.insights.team import HARD_SEVERITY, Deeds
from alerts.ledger.insights.counted import Selection, of_callbacks

# What has each advisor done in this time?
DEEDS = """
SELECT h.actor AS advisor,
    count(*) FILTER (WHERE h.kind = 'claimed') AS claimed,
    count(*) FILTER (WHERE h.kind = 'released') AS skipped,
    count(*) FILTER (WHERE h.kind = 'attempted') AS attempts,
    count(*) FILTER (WHERE h.kind = 'attempted' AND h.data ->> 'result' IN ('connected', 'refused')) AS contacted,
    count(*) FILTER (WHERE h.kind = 'resolved') AS resolved,
    count(*) FILTER (WHERE h.kind = 'resolved' AND h.data ->> 'outcome' = 'recovered') AS recovered,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY (h.measured -> 'time_to_first_attempt' ->> 'wall')::float8)
        AS first_attempt_p50_seconds
FROM history AS h JOIN callbacks AS c ON c.id = h.callback_id {joins}
WHERE h.at >= :since AND h.at < :until AND h.actor <> 'system' AND {where}
    AND (h.kind IN ('claimed', 'attempted', 'resolved') OR (h.kind = 'released' AND h.data ->> 'reason' = 'skipped'))
GROUP BY 1
"""

# How were the promises decided that each advisor had made?
PROMISES = """
SELECT made.actor AS advisor, h.data ->> 'result' AS result, count(*) AS promises
FROM history AS h JOIN callbacks AS c ON c.id = h.callback_id {joins}
CROSS JOIN LATERAL (
    SELECT s.actor FROM history AS s WHERE s.callback_id = h.callback_id AND s.kind = 'scheduled' AND s.id < h.id
    ORDER BY s.id DESC LIMIT 1) AS made
WHERE h.at >= :since AND h.at < :until AND h.kind = 'promise_decided' AND {where}
GROUP BY 1, 2
"""

# How many callbacks, and how many hard ones, has each advisor taken from each queue, in each language, on each day? One
# that was handed back at once was not taken.
TAKEN = """
WITH claims AS (
    SELECT h.actor, h.kind, h.callback_id, h.at,
        lead(h.kind) OVER (PARTITION BY h.callback_id ORDER BY h.id) AS followed_by
    FROM history AS h
    WHERE h.at >= :since AND h.at < :until
        AND (h.kind = 'claimed' OR (h.kind = 'released' AND h.data ->> 'reason' = 'skipped'))
)
SELECT t.actor AS advisor, c.queue, c.language, width_bucket(t.at, CAST(:days AS timestamptz[])) AS day,
    count(DISTINCT c.id) AS taken, count(DISTINCT c.id) FILTER (WHERE c.severity >= {hard}) AS hard
FROM claims AS t JOIN callbacks AS c ON c.id = t.callback_id {joins}
WHERE t.kind = 'claimed' AND t.followed_by IS DISTINCT FROM 'released' AND {where}
GROUP BY 1, 2, 3, 4
"""


class TeamCounts(Struct, frozen=True, kw_only=True):
    """By advisor; what was taken also by pool: queue, language and day."""

    deeds: dict[str, Deeds]
    promises: dict[str, dict[str, int]]
    taken: dict[str, dict[str, Count]]


async def count_deeds(connection: AsyncConnection, question: Question) -> TeamCounts:
    chosen = of_callbacks(question)
    return TeamCounts(
        deeds=await _deeds(connection, chosen),
        promises=await _promises(connection, chosen),
        taken=await _taken(connection, chosen, question),
    )


async def _deeds(connection: AsyncConnection, chosen: Selection) -> dict[str, Deeds]:
    rows = await connection.execute(text(DEEDS.format(joins=chosen.joins, where=chosen.where)), chosen.values)
    names = structs.fields(Deeds)
    return {row.advisor: Deeds(**{field.name: row._mapping[field.name] for field in names}) for row in rows}


async def _promises(connection: AsyncConnection, chosen: Selection) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    statement = text(PROMISES.format(joins=chosen.joins, where=chosen.where))
    for row in await connection.execute(statement, chosen.values):
        found[row.advisor][row.result] = row.promises
    return dict(found)


async def _taken(connection: AsyncConnection, chosen: Selection, question: Question) -> dict[str, dict[str, Count]]:
    days = [day.start for day in buckets(question.since, question.until, Grain.DAY, question.clock)]
    statement = text(TAKEN.format(joins=chosen.joins, where=chosen.where, hard=HARD_SEVERITY))
    found: dict[str, dict[str, Count]] = defaultdict(dict)
    for row in await connection.execute(statement, {**chosen.values, "days": days}):
        found[row.advisor][f"{row.queue} {row.language or ''} {row.day}"] = Count(row.hard, row.taken)
    return dict(found)
