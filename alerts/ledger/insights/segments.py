"""One standard for all: how each channel, team or country was answered for, and how its callbacks were kept."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.question import Question
from alerts.insights.share import Count
from alerts.ledger.insights.counted import OF_ANSWER, bad, of_answers, of_callbacks


class SegmentFigures(Struct, frozen=True, kw_only=True):
    """`value`: None where nobody said. `kept`: targets that were met, of all that were decided."""

    value: str | None
    answers: Count
    contact_p50_seconds: float | None
    kept: Count


# How many answers has each value, how many of them were bad?
ANSWERS = """
SELECT {value} AS value, count(*) AS answers, count(*) FILTER (WHERE {bad}) AS bottom
FROM responses AS r {joins}
WHERE r.answered_at >= :since AND r.answered_at < :until AND {where}
GROUP BY 1
"""

# How soon were the customers of each value reached, and which targets were kept? By the answer that began the callback.
CALLBACKS = """
SELECT {value} AS value,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM c.contacted_at - c.waiting_since))::float8)
        FILTER (WHERE c.contacted_at IS NOT NULL) AS contact_p50_seconds,
    sum((SELECT count(*) FROM jsonb_each_text(c.targets) AS t WHERE t.value = 'met'))::int AS met,
    sum((SELECT count(*) FROM jsonb_each_text(c.targets)))::int AS decided
FROM callbacks AS c {joins}
WHERE c.opened_at >= :since AND c.opened_at < :until AND {where}
GROUP BY 1
"""


async def count_segments(connection: AsyncConnection, question: Question, by: str) -> list[SegmentFigures]:
    """The largest first. Values that nobody has answered for in this time are not there."""
    value = OF_ANSWER[by]
    asked, called = of_answers(question, by), of_callbacks(question, by, columns=OF_ANSWER)
    answers = text(ANSWERS.format(value=value, bad=bad(question), joins=asked.joins, where=asked.where))
    callbacks = text(CALLBACKS.format(value=value, joins=called.joins, where=called.where))
    kept = {row.value: row for row in await connection.execute(callbacks, called.values)}
    rows = (await connection.execute(answers, asked.values)).all()
    found = [_figures(row, kept.get(row.value)) for row in rows]
    return sorted(found, key=lambda each: (-each.answers.of, each.value is None, each.value or ""))


def _figures(row: Row[Any], kept: Row[Any] | None) -> SegmentFigures:
    return SegmentFigures(
        value=row.value,
        answers=Count(row.bottom, row.answers),
        contact_p50_seconds=None if kept is None else kept.contact_p50_seconds,
        kept=Count(0, 0) if kept is None else Count(kept.met, kept.decided),
    )
