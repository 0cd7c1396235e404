"""A callback begins, is worked on and ends in this order; what is decided is decided once."""

from __future__ import annotations

from alerts.ledger.checks.check import Check
from alerts.ledger.checks.leases import TURNS

# Every event with how often the callback had been reopened by then: its lives are judged apart.
LIVES_APART = """
    SELECT callback_id, id, kind, at, data,
           count(*) FILTER (WHERE kind = 'reopened') OVER (PARTITION BY callback_id ORDER BY id) AS life
    FROM history
"""

LIVES = (
    Check(
        "history_backwards",
        "I11",
        "history runs forward on the ledger's clock",
        "SELECT callback_id::text FROM (SELECT callback_id, at, lag(at) OVER (PARTITION BY callback_id ORDER BY id)"
        " AS before FROM history) AS h WHERE at < before OR at > ledger_now()",
    ),
    Check(
        "in_limbo",
        "I12",
        "every open callback is ready, or has a stated moment or reason, and is looked at again",
        "SELECT id::text FROM callbacks WHERE"
        " (state = 'waiting' AND NOT ready AND callable_from IS NULL AND callable_reason = '')"
        " OR (state = 'leased' AND (lease_expires_at IS NULL OR lease_holder IS NULL))"
        " OR (state = 'scheduled' AND promise_at IS NULL)"
        " OR (state IN ('waiting', 'leased', 'scheduled') AND wake_at IS NULL)",
    ),
    Check(
        "moved_after_end",
        "I14",
        "what has ended stays so until it is reopened",
        f"SELECT callback_id::text FROM ({TURNS}) AS t WHERE before IN ('resolved', 'closed') AND kind <> 'reopened'",
    ),
    Check(
        "moments_out_of_order",
        "I14",
        "opened, claimed and ended follow each other",
        "SELECT id::text FROM callbacks WHERE claimed_at < opened_at OR ended_at < claimed_at OR ended_at < opened_at",
    ),
    Check(
        "resolved_twice",
        "I15",
        "one life of a callback is resolved once",
        f"SELECT callback_id::text FROM ({LIVES_APART}) AS l WHERE kind = 'resolved' GROUP BY callback_id, life"
        " HAVING count(*) > 1",
    ),
    Check(
        "target_decided_twice",
        "I15",
        "a target is decided once in one life",
        f"SELECT callback_id::text FROM ({LIVES_APART}) AS l WHERE kind IN ('target_met', 'target_missed')"
        " GROUP BY callback_id, life, data ->> 'target' HAVING count(*) > 1",
    ),
    Check(
        "promise_decided_twice",
        "I15",
        "a promise is decided at most once",
        "SELECT callback_id::text FROM history GROUP BY callback_id"
        " HAVING count(*) FILTER (WHERE kind = 'promise_decided') > count(*) FILTER (WHERE kind = 'scheduled')",
    ),
)
