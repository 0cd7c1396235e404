"""First-contact resolution: how many contacts were the last one about it, as far as answers tell of contacts."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.question import Question
from alerts.insights.share import Share, share_of
from alerts.ledger.insights.contact_sums import count_summed
from alerts.ledger.insights.counted import COUNTED_OF_MANY, OF_ANSWER, counted_answers, is_nameless, of_answers
from alerts.ledger.insights.sums import AT_ONCE, behind


class FirstContacts(Struct, frozen=True, kw_only=True):
    """`settled`: contacts after which the customer had no other one within the days, of all that are old enough to tell."""

    value: str | None
    settled: Share


# Which contacts of a customer are known, when was each first answered for, and does another follow within the days?
# A customer who is known by a contact alone, or was erased, cannot be seen to come back. A contact of which the first answer
# came before the range is not in it. The filters choose contacts; what comes after one may be of any kind.
CONTACTS = """
WITH known AS (
    SELECT r.customer_id, r.source, r.interaction_id, min(r.answered_at) AS at, bool_or({chosen}) AS chosen,
        {value} AS value
    FROM responses AS r {joins}
    WHERE r.answered_at >= :since AND r.answered_at < :until AND r.interaction_id IS NOT NULL AND {counted}
        AND NOT EXISTS (SELECT FROM customers AS nobody WHERE nobody.id = r.customer_id
            AND (nobody.erased_at IS NOT NULL OR {nameless}))
        AND NOT EXISTS (SELECT FROM responses AS e WHERE e.interaction_id = r.interaction_id AND e.source = r.source
            AND e.customer_id = r.customer_id AND e.answered_at < :since AND {counted_earlier} OFFSET 0)  -- a look-up for each
    GROUP BY 1, 2, 3
), followed AS (
    SELECT at, chosen, value, coalesce(first_value(at) OVER (PARTITION BY customer_id ORDER BY at
        GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) - at <= CAST(:within AS interval), false) AS again
    FROM known
)
SELECT value, count(*) FILTER (WHERE NOT again) AS settled, count(*) AS contacts
FROM followed
WHERE chosen AND at < CAST(:until AS timestamptz) - CAST(:within AS interval)
GROUP BY 1
ORDER BY contacts DESC, value
"""

BY = ("driver", "queue", "team")
DRIVER = """
    (SELECT c.cause_driver FROM alerts AS a JOIN callbacks AS c ON c.id = a.callback_id WHERE a.response_id = r.id)
"""
_FIRST = "(array_agg({0} ORDER BY r.answered_at, r.id))[1]"
VALUES: dict[str | None, str] = {by: _FIRST.format(OF_ANSWER.get(by, DRIVER)) for by in BY}
VALUES[None] = "CAST(NULL AS text)"


async def count_first_contacts(
    connection: AsyncConnection, question: Question, by: str | None, days: int
) -> list[FirstContacts]:
    """By `driver`, `queue` or `team`; the largest first."""
    within = timedelta(days=days)
    if by is None and not question.filters and await behind(connection) <= AT_ONCE:
        found = await count_summed(connection, question.since, question.until - within, days)
        return [] if found is None else [FirstContacts(value=None, settled=found)]
    columns = {**OF_ANSWER, "driver": DRIVER}
    conditions = [f"{columns[name]} = ANY(:{name})" for name in question.filters]
    chosen, asked = " AND ".join(conditions) or "true", of_answers(question)
    statement = CONTACTS.format(
        chosen=chosen,
        value=VALUES[by],
        joins=asked.joins,
        counted=COUNTED_OF_MANY,
        counted_earlier=counted_answers("e"),
        nameless=is_nameless("nobody"),
    )
    rows = await connection.execute(text(statement), {**asked.values, "within": within})
    return [FirstContacts(value=row.value, settled=share_of(row.settled, row.contacts)) for row in rows]
