"""What a wall shows beside the live hour: what is open, and how the last weeks went."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.question import Question
from alerts.insights.share import Share, share_of
from alerts.ledger.insights.counted import of_callbacks


class OpenWork(Struct, frozen=True, kw_only=True):
    """Open callbacks, those past a due time, those with one in the next hour, and since when the oldest is there."""

    open: int
    overdue: int
    due_in_next_hour: int
    oldest: datetime | None


class Results(Struct, frozen=True, kw_only=True):
    """Of the question's time: shares of the resolved, and of the promises that were decided."""

    recovered: Share
    skill: Share
    operations: Share
    promises_kept: Share


# What is open now, and what of it is late or soon due?
OPEN = """
SELECT count(*) AS open,
    count(*) FILTER (WHERE (c.first_attempt_at IS NULL AND c.due_first_attempt <= :now)
        OR (c.contacted_at IS NULL AND c.due_contact <= :now) OR c.due_resolution <= :now) AS overdue,
    count(*) FILTER (WHERE (c.first_attempt_at IS NULL AND c.due_first_attempt > :now AND c.due_first_attempt <= :soon)
        OR (c.contacted_at IS NULL AND c.due_contact > :now AND c.due_contact <= :soon)
        OR (c.due_resolution > :now AND c.due_resolution <= :soon)) AS due_in_next_hour,
    min(c.opened_at) AS oldest
FROM callbacks AS c {joins}
WHERE c.state IN ('waiting', 'leased', 'scheduled') AND {where}
"""

# How did the callbacks end that were resolved then?
RESOLVED = """
SELECT count(*) AS resolved, count(*) FILTER (WHERE c.outcome = 'recovered') AS recovered,
    count(*) FILTER (WHERE c.cause_kind = 'skill') AS skill,
    count(*) FILTER (WHERE c.cause_kind = 'operations') AS operations
FROM callbacks AS c {joins}
WHERE c.ended_at >= :since AND c.ended_at < :until AND c.state = 'resolved' AND {where}
"""

# How many of the promises that were decided then were kept?
PROMISES_KEPT = """
SELECT count(*) AS decided, count(*) FILTER (WHERE h.data ->> 'result' = 'kept') AS kept
FROM history AS h JOIN callbacks AS c ON c.id = h.callback_id {joins}
WHERE h.at >= :since AND h.at < :until AND h.kind = 'promise_decided' AND {where}
"""


async def load_open_work(connection: AsyncConnection, question: Question, now: datetime, soon: datetime) -> OpenWork:
    chosen = of_callbacks(question)
    values = {name: value for name, value in chosen.values.items() if name in question.filters}
    statement = text(OPEN.format(joins=chosen.joins, where=chosen.where))
    row = (await connection.execute(statement, {**values, "now": now, "soon": soon})).one()
    return OpenWork(**row._mapping)


async def load_results(connection: AsyncConnection, question: Question) -> Results:
    chosen = of_callbacks(question)
    resolved, promises = [
        (await connection.execute(text(each.format(joins=chosen.joins, where=chosen.where)), chosen.values)).one()
        for each in (RESOLVED, PROMISES_KEPT)
    ]
    return Results(
        recovered=share_of(resolved.recovered, resolved.resolved),
        skill=share_of(resolved.skill, resolved.resolved),
        operations=share_of(resolved.operations, resolved.resolved),
        promises_kept=share_of(promises.kept, promises.decided),
    )
