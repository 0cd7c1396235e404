"""Contacts counted beforehand: those of each hour, by how many days went by until the customer's next one.

As with the sums of answers (`sums`), what has come since is read in the same statement: for each customer who is concerned,
the contacts that are in the sums are taken off, and those that there are now are added.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.insights.pieces import pieces
from alerts.insights.question import LONGEST_DAYS
from alerts.insights.share import Share, share_of
from alerts.ledger.insights.counted import is_nameless, is_replaced, not_a_canary_nor_late
from alerts.ledger.insights.edge import EDGE, bound

HOUR = timedelta(hours=1)


def _contacts_of(customers: str, through: str) -> str:
    """The contacts of each, at the first answer, as the responses up to that one tell of them."""
    return f"""
    SELECT contact.at, CAST(ceil(extract(epoch FROM first_value(contact.at) OVER (PARTITION BY contact.customer_id
        ORDER BY contact.at GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) - contact.at) / 86400) AS int) AS again_in_days
    FROM (
        SELECT r.customer_id, min(r.answered_at) AS at
        FROM ({customers}) AS wanted CROSS JOIN LATERAL (SELECT * FROM responses AS r
            WHERE r.customer_id = wanted.customer_id AND r.id <= {through} AND r.interaction_id IS NOT NULL
            OFFSET 0) AS r  -- a look-up for each customer
        WHERE {not_a_canary_nor_late("r")} AND NOT {is_replaced("r", f"n.id <= {through}")}
        GROUP BY r.customer_id, r.source, r.interaction_id
    ) AS contact"""


def _named(customers: str) -> str:
    """Those of them who can be seen to come back."""
    return f"""
    SELECT wanted.customer_id FROM ({customers}) AS wanted
    CROSS JOIN LATERAL (SELECT * FROM customers WHERE id = wanted.customer_id OFFSET 0) AS p  -- a look-up for each
    WHERE NOT {is_nameless("p")}"""


_LOW, _TOP = "(SELECT low FROM edge)", "(SELECT top FROM edge)"

# Whose contacts are others, with the responses above `low` up to `top`?
CONCERNED = _named(f"""
    SELECT r.customer_id FROM responses AS r WHERE r.id > {_LOW} AND r.id <= {_TOP}
    UNION
    SELECT o.customer_id FROM responses AS again
    JOIN responses AS o ON o.event_source = again.event_source AND o.response_id = again.response_id
    WHERE again.id > {_LOW} AND again.id <= {_TOP} AND again.revises
""")

# Who has answered in the parts of hours?
OF_PARTS = _named("""
    SELECT DISTINCT r.customer_id FROM part CROSS JOIN LATERAL (SELECT * FROM responses AS r
        WHERE r.answered_at >= part.starts AND r.answered_at < part.ends OFFSET 0) AS r
""")

# How many contacts more, or fewer, are there of each hour with those responses than without?
ADD_CONTACTS = text(f"""
WITH edge(low, top) AS MATERIALIZED (VALUES (CAST(:low AS bigint), CAST(:top AS bigint))),
    concerned AS MATERIALIZED ({CONCERNED}),
    news AS (
        SELECT b.*, -1 AS sign FROM ({_contacts_of("SELECT * FROM concerned", _LOW)}) AS b
        UNION ALL
        SELECT a.*, 1 FROM ({_contacts_of("SELECT * FROM concerned", _TOP)}) AS a
    )
INSERT INTO contact_sums AS s (since, again_in_days, contacts)
SELECT date_bin('1 hour', at, TIMESTAMPTZ 'epoch'), CASE WHEN again_in_days <= {LONGEST_DAYS} THEN again_in_days END, sum(sign)
FROM news GROUP BY 1, 2 HAVING sum(sign) <> 0
ON CONFLICT (since, again_in_days) DO UPDATE SET contacts = s.contacts + excluded.contacts
""")

# How many contacts were there, and after how many was there no other within the days? The erased are in the sums, and leave.
COUNT = text(f"""
{EDGE},
    erased AS MATERIALIZED (
        SELECT p.id AS customer_id FROM customers AS p WHERE p.erased_at IS NOT NULL AND NOT {is_nameless("p")}),
    concerned AS MATERIALIZED ({CONCERNED}),
    whole AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:whole_starts AS timestamptz[]), CAST(:whole_ends AS timestamptz[])) AS span(starts, ends)),
    part AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:part_starts AS timestamptz[]), CAST(:part_ends AS timestamptz[])) AS span(starts, ends)),
    of_parts AS MATERIALIZED ({OF_PARTS}),
    counted AS (
        SELECT s.again_in_days, s.contacts
        FROM whole CROSS JOIN LATERAL (SELECT * FROM contact_sums AS s
            WHERE s.since >= whole.starts AND s.since < whole.ends OFFSET 0) AS s
        UNION ALL
        SELECT b.again_in_days, -1
        FROM ({_contacts_of("TABLE concerned UNION TABLE erased", _LOW)}) AS b
        JOIN whole ON b.at >= whole.starts AND b.at < whole.ends
        UNION ALL
        SELECT a.again_in_days, 1
        FROM ({_contacts_of("TABLE concerned EXCEPT TABLE erased", _TOP)}) AS a
        JOIN whole ON a.at >= whole.starts AND a.at < whole.ends
        UNION ALL
        SELECT c.again_in_days, 1
        FROM ({_contacts_of("TABLE of_parts EXCEPT TABLE erased", _TOP)}) AS c
        JOIN part ON c.at >= part.starts AND c.at < part.ends
    )
SELECT CAST(sum(contacts) AS int) AS contacts,
    CAST(coalesce(sum(contacts) FILTER (WHERE again_in_days IS NULL OR again_in_days > :days), 0) AS int) AS settled
FROM counted
HAVING sum(contacts) > 0
""")


async def count_summed(connection: AsyncConnection, since: datetime, until: datetime, days: int) -> Share | None:
    """Of the contacts in [since, until) those that had no other within `days`; None without any contact."""
    found = pieces([(since, until)] if since < until else [], [since, until], HOUR)
    row = (await connection.execute(COUNT, {**bound(found), "days": days})).one_or_none()
    return None if row is None else share_of(row.settled, row.contacts)
