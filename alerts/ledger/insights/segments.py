"""One standard for all: how each channel, team or country was answered for, and how its callbacks were kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Target
from alerts.insights.question import Question
from alerts.insights.share import Count
from alerts.ledger.insights.counted import COUNTED_OF_MANY, OF_ANSWER, bad, of_answers, of_callbacks
from alerts.ledger.insights.sums import summed


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

# The same of what is known of customers, each of whom is asked once.
BY_CUSTOMER = """
SELECT {value} AS value, CAST(sum(answers) AS int) AS answers, CAST(sum(bottom) AS int) AS bottom
FROM (SELECT r.customer_id, count(*) AS answers, count(*) FILTER (WHERE {bad}) AS bottom FROM responses AS r
    WHERE r.answered_at >= :since AND r.answered_at < :until AND {where} GROUP BY 1) AS given
JOIN customers AS p ON p.id = given.customer_id
GROUP BY 1
"""

# The same from the sums.
SUMMED = """
{edge} SELECT value, CAST(sum(answers) AS int) AS answers, CAST(sum(bottom) AS int) AS bottom
FROM ({counted}) AS counted
GROUP BY 1 HAVING sum(answers) > 0
"""

_RESULTS = [f"c.targets ->> '{target}'" for target in Target]
MET = " + ".join(f"count(*) FILTER (WHERE {result} = 'met')" for result in _RESULTS)
DECIDED = " + ".join(f"count({result})" for result in _RESULTS)

# How soon were the customers of each value reached, and which targets were kept? By the answer that began the callback.
CALLBACKS = """
SELECT {value} AS value,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM c.contacted_at - c.waiting_since))::float8)
        FILTER (WHERE c.contacted_at IS NOT NULL) AS contact_p50_seconds,
    {met} AS met, {decided} AS decided
FROM callbacks AS c {joins}
WHERE c.opened_at >= :since AND c.opened_at < :until AND {where}
GROUP BY 1
"""


async def count_segments(connection: AsyncConnection, question: Question, by: str) -> list[SegmentFigures]:
    """The largest first. Values that nobody has answered for in this time are not there."""
    called = of_callbacks(question, by, columns=OF_ANSWER)
    callbacks = text(
        CALLBACKS.format(value=OF_ANSWER[by], met=MET, decided=DECIDED, joins=called.joins, where=called.where)
    )
    kept = {row.value: row for row in await connection.execute(callbacks, called.values)}
    found = [_figures(row, kept.get(row.value)) for row in await _answers(connection, question, by)]
    return sorted(found, key=lambda each: (-each.answers.of, each.value is None, each.value or ""))


async def _answers(connection: AsyncConnection, question: Question, by: str) -> Sequence[Row[Any]]:
    span = (question.since, question.until)
    found = await summed(connection, question, [span] if question.since < question.until else [], span, by)
    if found is not None:
        statement = text(SUMMED.format(edge=found.edge, counted=found.counted))
        return (await connection.execute(statement, found.values)).all()
    asked, alone = of_answers(question, by, counted=COUNTED_OF_MANY), of_answers(question)
    counting = BY_CUSTOMER if asked.joins and not alone.joins else ANSWERS
    statement = text(counting.format(value=OF_ANSWER[by], bad=bad(question), joins=asked.joins, where=asked.where))
    return (await connection.execute(statement, asked.values)).all()


def _figures(row: Row[Any], kept: Row[Any] | None) -> SegmentFigures:
    return SegmentFigures(
        value=row.value,
        answers=Count(row.bottom, row.answers),
        contact_p50_seconds=None if kept is None else kept.contact_p50_seconds,
        kept=Count(0, 0) if kept is None else Count(kept.met, kept.decided),
    )
