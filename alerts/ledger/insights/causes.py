"""How many callbacks ended for which cause, by the moment in which they ended."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.causes import OTHER, CauseReport, Cluster, causes
from alerts.insights.question import Question
from alerts.ledger.insights.counted import of_callbacks

LATEST = 200
"""So many ids of a bar are told, to look at its callbacks one by one."""

# How many resolved callbacks has each cause, or each reason, how many were recovered, how soon was half of them settled?
CLUSTERS = """
SELECT {names} AS name, count(*) AS callbacks, count(*) FILTER (WHERE c.outcome = 'recovered') AS recovered,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM c.ended_at - c.waiting_since))::float8)
        AS median_seconds,
    (array_agg(c.id::text ORDER BY c.ended_at DESC, c.id))[1:{latest}] AS ids
FROM callbacks AS c {joins}
WHERE c.ended_at >= :since AND c.ended_at < :until AND c.state = 'resolved' AND {where}
GROUP BY 1
"""

# How many of those that ended were closed without a cause, are of each kind, and were found to be for something else?
TOTALS = """
SELECT count(*) FILTER (WHERE c.state = 'closed') AS uncoded,
    count(*) FILTER (WHERE c.cause_kind = 'skill') AS skill,
    count(*) FILTER (WHERE c.cause_kind = 'operations') AS operations,
    count(*) FILTER (WHERE c.cause_driver = '{other}') AS other
FROM callbacks AS c {joins}
WHERE c.ended_at >= :since AND c.ended_at < :until AND {where}
"""

CAUSE = "ARRAY[c.cause_kind, c.cause_driver]"
REASON = "ARRAY[coalesce(r.contact_reason, '')]"


async def count_causes(connection: AsyncConnection, question: Question, *, by_reason: bool = False) -> CauseReport:
    chosen = of_callbacks(question, "reason") if by_reason else of_callbacks(question)
    names = REASON if by_reason else CAUSE
    clusters = text(CLUSTERS.format(names=names, latest=LATEST, joins=chosen.joins, where=chosen.where))
    plain = of_callbacks(question)
    totals = text(TOTALS.format(other=OTHER, joins=plain.joins, where=plain.where))
    rows = (await connection.execute(clusters, chosen.values)).all()
    sums = (await connection.execute(totals, plain.values)).one()
    return causes(
        [Cluster(**{**row._mapping, "name": tuple(row.name)}) for row in rows],
        {"skill": sums.skill, "operations": sums.operations},
        sums.uncoded,
        sums.other,
    )
