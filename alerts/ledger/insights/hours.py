"""How many answers were given in each stretch of time, and how many of them were bad."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.strip import Boxes, Plan
from alerts.ledger.insights.counted import bad, of_answers
from alerts.ledger.insights.sums import summed

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

# The same from the sums.
SUMMED = """
{edge} SELECT width_bucket(at, CAST(:cuts AS timestamptz[])) AS cut, CAST(sum(answers) AS int) AS answers,
    CAST(sum(bottom) AS int) AS bottom, CAST(sum(middle) AS int) AS middle, CAST(sum(top) AS int) AS top
FROM ({counted}) AS counted
GROUP BY 1
"""


async def count_boxes(connection: AsyncConnection, plan: Plan) -> dict[datetime, Boxes]:
    """By the cut after which the answers were given; without cuts after which none was."""
    found = await summed(connection, plan.question, plan.spans(), plan.cuts, None)
    if found is None:
        statement, values = _read_all(plan)
    else:
        statement, values = SUMMED.format(edge=found.edge, counted=found.counted), found.values
    rows = await connection.execute(text(statement), {**values, "cuts": list(plan.cuts)})
    return {plan.cuts[row.cut - 1]: Boxes(row.answers, row.bottom, row.middle, row.top) for row in rows}


def _read_all(plan: Plan) -> tuple[str, dict[str, Any]]:
    selected, spans = of_answers(plan.question), plan.spans()
    statement = STRETCHES.format(bad=bad(plan.question), joins=selected.joins, where=selected.where)
    values = {**selected.values, "starts": [start for start, _ in spans], "ends": [end for _, end in spans]}
    del values["since"], values["until"]
    return statement, values
