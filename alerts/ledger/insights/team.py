"""What each advisor did, read off the history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.buckets import Grain, buckets
from alerts.insights.quantiles import quantiles
from alerts.insights.question import Question
from alerts.insights.share import Count
from alerts.insights.team import HARD_SEVERITY, Deeds
from alerts.ledger.insights.counted import Selection, of_callbacks

# What has each advisor done in this time, of the callbacks of each queue and language, on each day? The history is read once:
# first by callback, which an advisor takes once a day at most. One that was handed back at once was not taken.
DEEDS = """
WITH handed_back AS (
    SELECT (SELECT c.id FROM history AS c WHERE c.callback_id = h.callback_id AND c.kind = 'claimed' AND c.id < h.id
        ORDER BY c.id DESC LIMIT 1)
    FROM history AS h
    WHERE h.at >= :since AND h.at < :until AND h.kind = 'released' AND h.data ->> 'reason' = 'skipped'
), deeds AS (
    SELECT h.actor, h.callback_id, h.kind, h.at, h.data ->> 'result' AS result, h.data ->> 'outcome' AS outcome,
        (h.measured -> 'time_to_first_attempt' ->> 'wall')::float8 AS first_attempt_seconds,
        h.kind = 'claimed' AND h.id NOT IN (SELECT id FROM handed_back WHERE id IS NOT NULL) AS taken
    FROM history AS h
    WHERE h.at >= :since AND h.at < :until AND h.actor <> 'system'
        AND (h.kind IN ('claimed', 'attempted', 'resolved') OR (h.kind = 'released' AND h.data ->> 'reason' = 'skipped'))
    OFFSET 0  -- so a few words are carried on, and not the documents they are read from
), done AS (
    SELECT actor, callback_id, width_bucket(at, CAST(:days AS timestamptz[])) AS day,
        count(*) FILTER (WHERE kind = 'claimed') AS claimed,
        count(*) FILTER (WHERE kind = 'released') AS skipped,
        count(*) FILTER (WHERE kind = 'attempted') AS attempts,
        count(*) FILTER (WHERE kind = 'attempted' AND result IN ('connected', 'refused')) AS contacted,
        count(*) FILTER (WHERE kind = 'resolved') AS resolved,
        count(*) FILTER (WHERE kind = 'resolved' AND outcome = 'recovered') AS recovered,
        max(first_attempt_seconds) AS first_attempt_seconds,  -- a callback has one first attempt
        bool_or(taken) AS taken
    FROM deeds GROUP BY 1, 2, 3
)
SELECT d.actor AS advisor, concat_ws(' ', c.queue, coalesce(c.language, ''), d.day) AS pool, {sums},
    count(*) FILTER (WHERE d.taken) AS taken, count(*) FILTER (WHERE d.taken AND c.severity >= {hard}) AS hard,
    array_agg(d.first_attempt_seconds) FILTER (WHERE d.first_attempt_seconds IS NOT NULL) AS first_attempts_seconds
FROM done AS d JOIN callbacks AS c ON c.id = d.callback_id {joins}
WHERE {where}
GROUP BY 1, 2
"""
# Nothing here needs an order; to sort rows by the advisors' names, as the planner likes to, takes longer than to hash them.
UNSORTED = text("SELECT set_config('enable_sort', 'off', true)")

_COUNTED = ("claimed", "skipped", "attempts", "contacted", "resolved", "recovered")
_SUMS = ", ".join(f"CAST(sum(d.{name}) AS int) AS {name}" for name in _COUNTED)

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


class TeamCounts(Struct, frozen=True, kw_only=True):
    """By advisor; what was taken also by pool: queue, language and day."""

    deeds: dict[str, Deeds]
    promises: dict[str, dict[str, int]]
    taken: dict[str, dict[str, Count]]


async def count_deeds(connection: AsyncConnection, question: Question) -> TeamCounts:
    chosen = of_callbacks(question)
    by_advisor: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in await _by_pool(connection, chosen, question):
        by_advisor[row.advisor].append(row)
    return TeamCounts(
        deeds={advisor: _deeds(rows) for advisor, rows in by_advisor.items()},
        promises=await _promises(connection, chosen),
        taken={advisor: taken for advisor, rows in by_advisor.items() if (taken := _taken(rows))},
    )


async def _by_pool(connection: AsyncConnection, chosen: Selection, question: Question) -> Sequence[Row[Any]]:
    days = [day.start for day in buckets(question.since, question.until, Grain.DAY, question.clock)]
    statement = DEEDS.format(sums=_SUMS, hard=HARD_SEVERITY, joins=chosen.joins, where=chosen.where)
    await connection.execute(UNSORTED)
    return (await connection.execute(text(statement), {**chosen.values, "days": days})).all()


def _deeds(rows: Sequence[Row[Any]]) -> Deeds:
    first_attempts = [seconds for row in rows for seconds in row.first_attempts_seconds or ()]
    return Deeds(
        **{name: sum(row._mapping[name] for row in rows) for name in _COUNTED},
        first_attempt_p50_seconds=quantiles(first_attempts).p50,
    )


def _taken(rows: Sequence[Row[Any]]) -> dict[str, Count]:
    return {row.pool: Count(row.hard, row.taken) for row in rows if row.taken}


async def _promises(connection: AsyncConnection, chosen: Selection) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    statement = text(PROMISES.format(joins=chosen.joins, where=chosen.where))
    for row in await connection.execute(statement, chosen.values):
        found[row.advisor][row.result] = row.promises
    return dict(found)
