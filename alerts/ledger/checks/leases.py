"""A callback is in one hand at a time, and whoever works on it is the one who holds it."""

from __future__ import annotations

from alerts.ledger.checks.check import Check

MOVING = "('claimed', 'released', 'scheduled', 'resolved', 'closed', 'reopened')"

# Every event with the one before it that gave a callback to somebody, took it back, or ended it.
TURNS = f"""
    SELECT callback_id, kind, lag(kind) OVER (PARTITION BY callback_id ORDER BY id) AS before
    FROM history WHERE kind IN {MOVING}
"""

LEASES = (
    Check(
        "claimed_twice",
        "I9",
        "a callback is not claimed again before its lease has ended",
        f"SELECT callback_id::text FROM ({TURNS}) AS t WHERE kind = 'claimed' AND before = 'claimed'",
    ),
    Check(
        "lease_number",
        "I9",
        "the lease number grows by one with each claim",
        "SELECT callback_id::text FROM (SELECT callback_id, (data ->> 'lease_number')::int AS number,"
        " row_number() OVER (PARTITION BY callback_id ORDER BY id) AS expected FROM history WHERE kind = 'claimed') AS c"
        " WHERE number <> expected",
    ),
    Check(
        "lease_token",
        "I9",
        "the living token carries the newest lease number",
        "SELECT id::text FROM callbacks WHERE lease_token IS NOT NULL"
        " AND split_part(lease_token, '.', 1) <> lease_number::text",
    ),
    Check(
        "worked_by_another",
        "I10",
        "whoever tries, gives back or resolves is the one who holds the lease",
        "SELECT h.callback_id::text FROM (SELECT callback_id, kind, actor,"
        " max(id) FILTER (WHERE kind = 'claimed') OVER turn AS claim FROM history"
        " WINDOW turn AS (PARTITION BY callback_id ORDER BY id)) AS h"
        " LEFT JOIN history AS c ON c.id = h.claim"
        " WHERE h.kind IN ('attempted', 'resolved') AND h.actor IS DISTINCT FROM c.actor",
    ),
    Check(
        "worked_without_lease",
        "I10",
        "nothing is resolved or tried without a lease",
        "SELECT callback_id::text FROM (SELECT callback_id, kind, lag(kind) OVER (PARTITION BY callback_id ORDER BY id)"
        f" AS before FROM history WHERE kind IN {MOVING} OR kind = 'attempted') AS t"
        " WHERE kind IN ('attempted', 'resolved') AND before NOT IN ('claimed', 'attempted')",
    ),
)
