"""How callbacks ended, and what their customers answered next."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.question import Question
from alerts.insights.recovery import DELAYS, LONGER, NEXT_WITHIN, Ended
from alerts.ledger.insights.counted import COUNTED_ANSWERS, of_callbacks

# How did those that ended then end, and was the customer's next answer better? Of a customer who was erased nobody asks.
ENDED = """
WITH ended AS (
    SELECT c.id, c.customer_id, c.ended_at, c.state, c.outcome, c.contacted_at IS NOT NULL AS reached, {value} AS value
    FROM callbacks AS c {joins}
    WHERE c.ended_at >= :since AND c.ended_at < :until AND {where}
)
SELECT CASE WHEN e.reached THEN e.value END AS value, e.reached,
    count(*) FILTER (WHERE e.state = 'resolved') AS resolved,
    count(*) FILTER (WHERE e.outcome = 'recovered') AS recovered,
    count(*) FILTER (WHERE e.outcome = 'partly_recovered') AS partly,
    count(*) FILTER (WHERE e.outcome = 'not_recovered') AS not_recovered,
    count(*) FILTER (WHERE e.outcome = 'information_only') AS information,
    count(next.box) AS answered,
    count(*) FILTER (WHERE next.box <> 'bottom') AS better
FROM ended AS e
LEFT JOIN LATERAL (
    SELECT r.box FROM responses AS r JOIN customers AS p ON p.id = r.customer_id AND p.erased_at IS NULL
    WHERE r.customer_id = e.customer_id AND r.answered_at > e.ended_at AND r.answered_at <= e.ended_at + CAST(:within AS interval)
        AND {counted}
    ORDER BY r.answered_at, r.id LIMIT 1) AS next ON true
GROUP BY 1, 2
ORDER BY resolved DESC, value
"""

WAITED = "extract(epoch FROM c.contacted_at - c.waiting_since) / 3600"
DELAY = "CASE {} ELSE '{}' END".format(
    " ".join(f"WHEN {WAITED} < {hours} THEN '{name}'" for hours, name in DELAYS), LONGER
)
ADVISOR = """
    (SELECT h.actor FROM history AS h
     WHERE h.callback_id = c.id AND h.kind = 'resolved' AND h.at = c.ended_at ORDER BY h.id DESC LIMIT 1)
"""
NOBODY = Ended(
    value=None,
    reached=True,
    resolved=0,
    recovered=0,
    partly=0,
    not_recovered=0,
    information=0,
    answered=0,
    better=0,
)
VALUES = {None: "CAST(NULL AS text)", "driver": "c.cause_driver", "delay": DELAY, "advisor": ADVISOR}


async def count_ended(connection: AsyncConnection, question: Question, by: str | None) -> list[Ended]:
    """By `driver`, `delay` or `advisor`; the largest first."""
    chosen = of_callbacks(question)
    statement = ENDED.format(value=VALUES[by], joins=chosen.joins, where=chosen.where, counted=COUNTED_ANSWERS)
    rows = await connection.execute(text(statement), {**chosen.values, "within": NEXT_WITHIN})
    found = [Ended(**row._mapping) for row in rows]
    return found if by or any(each.reached for each in found) else [NOBODY, *found]
