"""Nothing is lost and nothing is there twice: offsets, alerts, attempts, and the events that leave the house."""

from __future__ import annotations

from alerts.event import EventKind
from alerts.ledger.checks.check import Check, Kind

LEAVING = ",".join(kind for kind in EventKind if kind.published)

COUNTING = (
    Check(
        "two_open_callbacks",
        "I2",
        "a customer has one open callback",
        "SELECT customer_id::text FROM callbacks WHERE state IN ('waiting', 'leased', 'scheduled')"
        " GROUP BY customer_id HAVING count(*) > 1",
        Kind.CUSTOMER,
    ),
    Check(
        "answer_without_alert",
        "I2",
        "every answer in force in the bottom box is an alert on a callback",
        "SELECT r.id::text FROM responses AS r LEFT JOIN alerts AS a ON a.response_id = r.id"
        " WHERE r.outcome = 'bottom_box' AND a.callback_id IS NULL",
        Kind.RESPONSE,
    ),
    Check(
        "attempts_miscounted",
        "I17",
        "the attempts counted are the attempts recorded, and numbered without a gap",
        "SELECT c.id::text FROM callbacks AS c LEFT JOIN attempts AS a ON a.callback_id = c.id"
        " GROUP BY c.id, c.attempts_count"
        " HAVING count(a.id) <> c.attempts_count OR coalesce(max(a.number), 0) <> c.attempts_count",
    ),
    Check(
        "outbox_incomplete",
        "I19",
        "every event that leaves the house is in the outbox",
        "SELECT h.callback_id::text FROM (SELECT callback_id, count(*) AS happened FROM history WHERE kind = ANY"
        f" ('{{{LEAVING}}}')"
        " GROUP BY 1) AS h LEFT JOIN (SELECT subject, count(*) AS leaving FROM outbox GROUP BY 1) AS o"
        " ON o.subject = h.callback_id::text WHERE o.leaving IS DISTINCT FROM h.happened",
    ),
    Check(
        "events_misnumbered",
        "I19",
        "the events of a callback are numbered without a gap, up to its version",
        "SELECT c.id::text FROM callbacks AS c LEFT JOIN (SELECT callback_id, version,"
        " row_number() OVER (PARTITION BY callback_id ORDER BY id) AS expected FROM history) AS h ON h.callback_id = c.id"
        " GROUP BY c.id, c.version"
        " HAVING bool_or(h.version <> h.expected) OR coalesce(max(h.version), 0) <> c.version",
    ),
    Check(
        "outbox_out_of_order",
        "I19",
        "the outbox has one callback's events in their order",
        "SELECT subject FROM (SELECT subject, (data ->> 'version')::int AS version,"
        " lag((data ->> 'version')::int) OVER (PARTITION BY subject ORDER BY sequence) AS before FROM outbox) AS o"
        " WHERE version <= before",
    ),
    Check(
        "called_after_opt_out",
        "I26",
        "nobody who has opted out is waiting or scheduled for a call",
        "SELECT c.id::text FROM callbacks AS c JOIN customers AS p ON p.id = c.customer_id"
        " WHERE p.opted_out_at IS NOT NULL AND c.state IN ('waiting', 'scheduled')",
    ),
)

# Of few rows in any ledger, so it is asked of all of them.
CONSERVATION = Check(
    "offsets_unaccounted",
    "I1",
    "every consumed offset ended in exactly one outcome",
    "SELECT topic || ' ' || partition || ' epoch ' || epoch FROM partitions WHERE next_offset - first_offset - skipped <>"
    " (SELECT coalesce(sum(counted.value::bigint), 0) FROM jsonb_each_text(outcomes) AS counted)",
    Kind.PARTITION,
)
