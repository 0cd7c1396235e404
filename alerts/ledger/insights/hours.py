"""How many answers were given in each stretch of time, and how many of them were bad."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.strip import Boxes, Plan
from alerts.ledger.insights.counted import bad, of_answers

# Between which two cuts does each answer lie? Only the spans are read: of twelve weeks one hour each, say.
STRETCHES = """
SELECT width_bucket(r.answered_at, CAST(:cuts AS timestamptz[])) AS cut, count(*) AS answers,
    count(*) FILTER (WHERE {bad}) AS bottom,
    count(*) FILTER (WHERE r.box = 'middle') AS middle, count(*) FILTER (WHERE r.box = 'top') AS top
FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) AS span(starts, ends)
JOIN responses AS r ON r.answered_at >= span.starts AND r.answered_at < span.ends {joins}
WHERE {where}
GROUP BY 1
"""


async def count_boxes(connection: AsyncConnection, plan: Plan) -> dict[datetime, Boxes]:
    """By the cut after which the answers were given; without cuts after which none was."""
    selected = of_answers(plan.question)
    statement = text(STRETCHES.format(bad=bad(plan.question), joins=selected.joins, where=selected.where))
    spans = plan.spans()
    values = {
        **selected.values,
        "cuts": list(plan.cuts),
        "starts": [start for start, _ in spans],
        "ends": [end for _, end in spans],
    }
    del values["since"], values["until"]
    rows = await connection.execute(statement, values)
    return {plan.cuts[row.cut - 1]: Boxes(row.answers, row.bottom, row.middle, row.top) for row in rows}
