"""First-contact resolution: how many contacts were the last one about it, as far as answers tell of contacts."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.question import Question
from alerts.insights.share import Share, share_of
from alerts.ledger.insights.counted import COUNTED_ANSWERS, OF_ANSWER, of_answers


class FirstContacts(Struct, frozen=True, kw_only=True):
    """`settled`: contacts after which the customer had no other one within the days, of all that are old enough to tell."""

    value: str | None
    settled: Share


# Which contacts of a customer are known, when was each first answered for, and does another follow within the days?
# A customer who is known by a contact alone, or was erased, cannot be seen to come back. The filters choose contacts;
# what comes after one may be of any kind.
CONTACTS = """
WITH known AS (
    SELECT r.customer_id, r.source, r.interaction_id, min(r.answered_at) AS at, bool_or({chosen}) AS chosen,
        (array_agg({value} ORDER BY r.answered_at, r.id))[1] AS value
    FROM responses AS r JOIN customers AS p ON p.id = r.customer_id
    WHERE r.answered_at >= :since AND r.answered_at < :until AND r.interaction_id IS NOT NULL
        AND p.erased_at IS NULL AND p.key NOT LIKE 'interaction:%' AND {counted}
    GROUP BY 1, 2, 3
), followed AS (
    SELECT at, chosen, value, count(*) OVER (PARTITION BY customer_id ORDER BY at
        RANGE BETWEEN interval '1 microsecond' FOLLOWING AND CAST(:within AS interval) FOLLOWING) > 0 AS again
    FROM known
)
SELECT value, count(*) FILTER (WHERE NOT again) AS settled, count(*) AS contacts
FROM followed
WHERE chosen AND at < CAST(:until AS timestamptz) - CAST(:within AS interval)
GROUP BY 1
ORDER BY contacts DESC, value
"""

DRIVER = """
    (SELECT c.cause_driver FROM alerts AS a JOIN callbacks AS c ON c.id = a.callback_id WHERE a.response_id = r.id)
"""
VALUES = {None: "CAST(NULL AS text)", "driver": DRIVER, "queue": OF_ANSWER["queue"], "team": OF_ANSWER["team"]}


async def count_first_contacts(
    connection: AsyncConnection, question: Question, by: str | None, days: int
) -> list[FirstContacts]:
    """By `driver`, `queue` or `team`; the largest first."""
    columns = {**OF_ANSWER, "driver": DRIVER}
    conditions = [f"{columns[name]} = ANY(:{name})" for name in question.filters]
    statement = CONTACTS.format(chosen=" AND ".join(conditions) or "true", value=VALUES[by], counted=COUNTED_ANSWERS)
    values = {**of_answers(question).values, "within": timedelta(days=days)}
    rows = await connection.execute(text(statement), values)
    return [FirstContacts(value=row.value, settled=share_of(row.settled, row.contacts)) for row in rows]
