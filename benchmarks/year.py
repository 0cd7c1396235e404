"""Makes a year of answers and callbacks by SQL: resolved, closed and open ones, with a history that insights can count.

One bad answer is taken in the usual way; it and the callback that it opens are the patterns of all others.
"""

from __future__ import annotations

from datetime import datetime

import asyncpg
from sqlalchemy import Table

from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.responses import responses
from benchmarks.crowd import open_pattern

CALLBACK_OF = 10
"""Every tenth answer is bad and has a callback."""

CUSTOMERS = """
INSERT INTO customers (key, facts_as_of, segment)
SELECT 'id:year:' || n, now(), (ARRAY['basic', 'basic', 'silver', 'gold'])[1 + n % 4] FROM generate_series(1, $1) AS n
"""

ANSWER = {
    "event_id": "n::text",
    "response_id": "CASE WHEN n % 500 = 1 THEN n - 1 ELSE n END::text",
    "revises": "n % 500 = 1",
    "customer_id": "k.first + n / 3",
    "answered_at": "at.answered",
    "revised_at": "at.answered",
    "received_at": "at.answered",
    "box": "CASE WHEN n % 10 = 0 THEN 'bottom' WHEN n % 10 = 1 THEN 'middle' ELSE 'top' END",
    "outcome": "CASE WHEN n % 10 = 0 THEN 'bottom_box' ELSE 'not_bottom_box' END",
    "interaction_id": "'i-' || n",
    "channel": "(ARRAY['voice', 'chat', 'email', 'shop'])[1 + n % 4]",
    "contact_queue": "'queue-' || n % 7",
    "agent_team": "'team-' || n % 40",
    "contact_reason": "'reason-' || n % 13",
    "value_hash": "sha256(n::text::bytea)",
    "origin_offset": "n",
}
ANSWERS = """
INSERT INTO responses ({columns})
SELECT {values} FROM (SELECT * FROM responses LIMIT 1) AS pattern, (SELECT min(id) + 1 AS first FROM customers) AS k,
    generate_series(1, $1::int) AS number(n),
    LATERAL (SELECT $2::timestamptz - ($1 - n) * interval '1 year' / $1 AS answered) AS at ORDER BY number.n
"""

CALLBACK = {
    "id": "uuidv7()",
    "customer_id": "r.customer_id",
    "state": "e.state",
    "closed_reason": "CASE WHEN e.state = 'closed' THEN 'unreachable' END",
    "queue": "'queue-' || r.origin_offset % 5",
    "severity": "60 + (r.origin_offset % 3)::int * 10",
    "opened_at": "r.answered_at",
    "waiting_since": "r.answered_at",
    "rank_at": "r.answered_at",
    "targets_since": "r.answered_at",
    "ready": "e.state = 'waiting'",
    "wake_at": "CASE WHEN e.state = 'waiting' THEN pattern.wake_at END",
    "targets": "CASE WHEN e.state = 'waiting' THEN '{}' ELSE"
    """ '{"first_attempt": "met", "contact": "missed", "resolution": "met"}'::jsonb END""",
    "claimed_at": "e.tried",
    "first_attempt_at": "e.tried",
    "contacted_at": "CASE WHEN e.state = 'resolved' THEN e.tried END",
    "ended_at": "e.tried + interval '10 minutes'",
    "cause_kind": "CASE WHEN e.state = 'resolved' THEN 'operations' END",
    "cause_driver": "CASE WHEN e.state = 'resolved' THEN (ARRAY['billing', 'delivery', 'other'])[1 + r.origin_offset % 3] END",
    "outcome": "CASE WHEN e.state = 'resolved' THEN (ARRAY['recovered', 'not_recovered'])[1 + r.origin_offset % 2] END",
}
CALLBACKS = """
INSERT INTO callbacks ({columns})
SELECT {values} FROM (SELECT * FROM callbacks LIMIT 1) AS pattern, responses AS r,
    LATERAL (SELECT CASE WHEN r.answered_at > $1::timestamptz - interval '1 day' THEN 'waiting'
        WHEN r.origin_offset % 100 < 30 THEN 'closed' ELSE 'resolved' END AS state) AS s,
    LATERAL (SELECT s.state, CASE WHEN s.state <> 'waiting'
        THEN r.answered_at + (r.origin_offset % 50) * interval '20 minutes' END AS tried) AS e
WHERE r.box = 'bottom' AND r.response_id <> 'pattern'
"""
QUEUES = "INSERT INTO queues (name) SELECT DISTINCT queue FROM callbacks ON CONFLICT DO NOTHING"
LINKS = """
INSERT INTO alerts (response_id, callback_id, raised_at, severity, reasons)
SELECT r.id, c.id, c.opened_at, c.severity, '{}' FROM callbacks AS c
JOIN responses AS r ON r.customer_id = c.customer_id AND r.answered_at = c.opened_at AND r.box = 'bottom'
"""
# No two durations are alike, or a planner that remembers documents would be flattered.
OWN = "mod(hashtext(c.id::text)::bigint + 2147483648, 1000000) / 1e6"
MEASURED = f"""jsonb_build_object('{{0}}', jsonb_build_object('wall', extract(epoch FROM c.{{1}} - c.opened_at) + {OWN},
    'callable', extract(epoch FROM c.{{1}} - c.opened_at) / 2 + {OWN}))"""
HISTORY = f"""
INSERT INTO history (callback_id, at, kind, actor, data, measured, version)
SELECT c.id, e.at, e.kind,
    CASE WHEN e.by_hand THEN 'advisor-' || mod(hashtext(c.id::text)::bigint + 2147483648, 50) ELSE 'system' END,
    e.data, e.measured, e.version
FROM callbacks AS c, LATERAL (VALUES
    (1, c.opened_at, 'opened', false, '{{}}'::jsonb, '{{}}'::jsonb),
    (2, c.claimed_at, 'claimed', true, '{{}}', '{{}}'),
    (3, c.first_attempt_at, 'attempted', true,
        jsonb_build_object('result', CASE WHEN c.contacted_at IS NULL THEN 'no_answer' ELSE 'connected' END),
        {MEASURED.format("time_to_first_attempt", "first_attempt_at")}
            || CASE WHEN c.contacted_at IS NULL THEN '{{}}' ELSE {MEASURED.format("time_to_contact", "contacted_at")} END),
    (4, c.first_attempt_at, 'target_met', false, '{{"target": "first_attempt"}}', '{{}}'),
    (5, c.contacted_at, 'target_missed', false, '{{"target": "contact"}}', '{{}}'),
    (6, c.ended_at, CASE c.state WHEN 'resolved' THEN 'resolved' ELSE 'closed' END, c.state = 'resolved',
        jsonb_build_object('outcome', c.outcome),
        CASE WHEN c.state = 'resolved' THEN {MEASURED.format("time_to_resolution", "ended_at")} ELSE '{{}}' END))
    AS e(version, at, kind, by_hand, data, measured)
WHERE e.at IS NOT NULL ORDER BY e.at
"""


async def grow_year(url: str, answers: int, *, zone: str, now: datetime) -> None:
    """`answers` over the year until `now`, a tenth of them with callbacks, those of the last day still waiting."""
    await open_pattern(url, zone, now)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("DELETE FROM history; DELETE FROM outbox; DELETE FROM alerts")
        await connection.execute(CUSTOMERS, answers // 3 + 1)
        await connection.execute(_insert(ANSWERS, responses, ANSWER), answers, now)
        await connection.execute("ANALYZE responses")
        await connection.execute(_insert(CALLBACKS, callbacks, CALLBACK), now)
        await connection.execute("DELETE FROM callbacks WHERE queue = 'general'")
        await connection.execute(QUEUES)
        await connection.execute(LINKS)
        await connection.execute(HISTORY)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _insert(statement: str, table: Table, different: dict[str, str]) -> str:
    names = [str(column.name) for column in table.columns if column.identity is None]
    values = [different.get(name, f'pattern."{name}"') for name in names]
    return statement.format(columns=", ".join(f'"{name}"' for name in names), values=", ".join(values))
