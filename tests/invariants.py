"""What must be true of the ledger at any moment, whatever was done to it. Each check is a query that finds what breaks it.

The numbers are those of docs/invariants.md: I2 one alert, one open callback; I9-I18 queue and lease; I26 opt-out.
"""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.event import EventKind

LEAVING = ",".join(kind for kind in EventKind if kind.published)
MOVING = "('claimed', 'released', 'scheduled', 'resolved', 'closed', 'reopened')"


class Invariant(Struct, frozen=True):
    """`breaks` selects one text column: the ids of what breaks it; no row when all is well."""

    number: str
    says: str
    breaks: str


# Every event with the one before it that gave a callback to somebody, took it back, or ended it.
TURNS = f"""
    SELECT callback_id, kind, lag(kind) OVER (PARTITION BY callback_id ORDER BY id) AS before
    FROM history WHERE kind IN {MOVING}
"""

# Every event with how often the callback had been reopened by then: its lives are judged apart.
LIVES = """
    SELECT callback_id, id, kind, at, data,
           count(*) FILTER (WHERE kind = 'reopened') OVER (PARTITION BY callback_id ORDER BY id) AS life
    FROM history
"""

ALWAYS = (
    Invariant(
        "I2",
        "a customer has one open callback",
        "SELECT customer_id::text FROM callbacks WHERE state IN ('waiting', 'leased', 'scheduled')"
        " GROUP BY customer_id HAVING count(*) > 1",
    ),
    Invariant(
        "I2",
        "every answer in force in the bottom box is an alert on a callback",
        "SELECT r.id::text FROM responses AS r LEFT JOIN alerts AS a ON a.response_id = r.id"
        " WHERE r.outcome = 'bottom_box' AND a.callback_id IS NULL",
    ),
    Invariant(
        "I9",
        "a callback is not claimed again before its lease has ended",
        f"SELECT callback_id::text FROM ({TURNS}) AS t WHERE kind = 'claimed' AND before = 'claimed'",
    ),
    Invariant(
        "I9",
        "the lease number grows by one with each claim",
        "SELECT callback_id::text FROM (SELECT callback_id, (data ->> 'lease_number')::int AS number,"
        " row_number() OVER (PARTITION BY callback_id ORDER BY id) AS expected FROM history WHERE kind = 'claimed') AS c"
        " WHERE number <> expected",
    ),
    Invariant(
        "I9",
        "the living token carries the newest lease number",
        "SELECT id::text FROM callbacks WHERE lease_token IS NOT NULL"
        " AND split_part(lease_token, '.', 1) <> lease_number::text",
    ),
    Invariant(
        "I10",
        "whoever tries, gives back or resolves is the one who holds the lease",
        "SELECT h.callback_id::text FROM (SELECT callback_id, kind, actor,"
        " max(id) FILTER (WHERE kind = 'claimed') OVER turn AS claim FROM history"
        " WINDOW turn AS (PARTITION BY callback_id ORDER BY id)) AS h"
        " LEFT JOIN history AS c ON c.id = h.claim"
        " WHERE h.kind IN ('attempted', 'resolved') AND h.actor IS DISTINCT FROM c.actor",
    ),
    Invariant(
        "I10",
        "nothing is resolved or tried without a lease",
        "SELECT callback_id::text FROM (SELECT callback_id, kind, lag(kind) OVER (PARTITION BY callback_id ORDER BY id)"
        f" AS before FROM history WHERE kind IN {MOVING} OR kind = 'attempted') AS t"
        " WHERE kind IN ('attempted', 'resolved') AND before NOT IN ('claimed', 'attempted')",
    ),
    Invariant(
        "I11",
        "history runs forward on the ledger's clock",
        "SELECT callback_id::text FROM (SELECT callback_id, at, lag(at) OVER (PARTITION BY callback_id ORDER BY id)"
        " AS before FROM history) AS h WHERE at < before OR at > ledger_now()",
    ),
    Invariant(
        "I12",
        "every open callback is ready, or has a stated moment or reason, and is looked at again",
        "SELECT id::text FROM callbacks WHERE"
        " (state = 'waiting' AND NOT ready AND callable_from IS NULL AND callable_reason = '')"
        " OR (state = 'leased' AND (lease_expires_at IS NULL OR lease_holder IS NULL))"
        " OR (state = 'scheduled' AND promise_at IS NULL)"
        " OR (state IN ('waiting', 'leased', 'scheduled') AND wake_at IS NULL)",
    ),
    Invariant(
        "I14",
        "what has ended stays so until it is reopened",
        f"SELECT callback_id::text FROM ({TURNS}) AS t WHERE before IN ('resolved', 'closed') AND kind <> 'reopened'",
    ),
    Invariant(
        "I14",
        "opened, claimed and ended follow each other",
        "SELECT id::text FROM callbacks WHERE claimed_at < opened_at OR ended_at < claimed_at OR ended_at < opened_at",
    ),
    Invariant(
        "I15",
        "one life of a callback is resolved once",
        f"SELECT callback_id::text FROM ({LIVES}) AS l WHERE kind = 'resolved' GROUP BY callback_id, life"
        " HAVING count(*) > 1",
    ),
    Invariant(
        "I15",
        "a target is decided once in one life",
        f"SELECT callback_id::text FROM ({LIVES}) AS l WHERE kind IN ('target_met', 'target_missed')"
        " GROUP BY callback_id, life, data ->> 'target' HAVING count(*) > 1",
    ),
    Invariant(
        "I15",
        "a promise is decided at most once",
        "SELECT callback_id::text FROM history GROUP BY callback_id"
        " HAVING count(*) FILTER (WHERE kind = 'promise_decided') > count(*) FILTER (WHERE kind = 'scheduled')",
    ),
    Invariant(
        "I17",
        "the attempts counted are the attempts recorded, and numbered without a gap",
        "SELECT c.id::text FROM callbacks AS c LEFT JOIN attempts AS a ON a.callback_id = c.id GROUP BY c.id"
        " HAVING count(a.id) <> c.attempts_count OR coalesce(max(a.number), 0) <> c.attempts_count",
    ),
    Invariant(
        "I17",
        "an open callback has failed less often than the policy allows",
        "SELECT id::text FROM callbacks WHERE failed_count > :attempts"
        " OR (failed_count = :attempts AND state IN ('waiting', 'leased', 'scheduled'))",
    ),
    Invariant(
        "I19",
        "every event that leaves the house is in the outbox",
        "SELECT h.callback_id::text FROM (SELECT callback_id, count(*) AS happened FROM history WHERE kind = ANY"
        f" ('{{{LEAVING}}}')"
        " GROUP BY 1) AS h LEFT JOIN (SELECT subject, count(*) AS leaving FROM outbox GROUP BY 1) AS o"
        " ON o.subject = h.callback_id::text WHERE o.leaving IS DISTINCT FROM h.happened",
    ),
    Invariant(
        "I19",
        "the events of a callback are numbered without a gap, up to its version",
        "SELECT c.id::text FROM callbacks AS c LEFT JOIN (SELECT callback_id, version,"
        " row_number() OVER (PARTITION BY callback_id ORDER BY id) AS expected FROM history) AS h ON h.callback_id = c.id"
        " GROUP BY c.id HAVING bool_or(h.version <> h.expected) OR coalesce(max(h.version), 0) <> c.version",
    ),
    Invariant(
        "I19",
        "the outbox has one callback's events in their order",
        "SELECT subject FROM (SELECT subject, (data ->> 'version')::int AS version,"
        " lag((data ->> 'version')::int) OVER (PARTITION BY subject ORDER BY sequence) AS before FROM outbox) AS o"
        " WHERE version <= before",
    ),
    Invariant(
        "I26",
        "nobody who has opted out is waiting or scheduled for a call",
        "SELECT c.id::text FROM callbacks AS c JOIN customers AS p ON p.id = c.customer_id"
        " WHERE p.opted_out_at IS NOT NULL AND c.state IN ('waiting', 'scheduled')",
    ),
)

AFTER_THE_TIMER = (
    Invariant(
        "I18", "nothing that is due has been left", "SELECT id::text FROM callbacks WHERE wake_at <= ledger_now()"
    ),
    Invariant(
        "I12",
        "no lease that has run out is still held",
        "SELECT id::text FROM callbacks WHERE state = 'leased' AND lease_expires_at <= ledger_now()",
    ),
    Invariant(
        "I25",
        "what is ready is inside its calling window",
        "SELECT id::text FROM callbacks WHERE ready AND NOT (callable_from <= ledger_now() AND ledger_now() < callable_until)",
    ),
)


async def broken(
    connection: AsyncConnection, *, attempts: int = 3, checks: tuple[Invariant, ...] = ALWAYS
) -> list[str]:
    """What is not as it must be: "I9 a callback is not claimed again ...: <id>". `attempts`: the policy's maximum."""
    parts = (
        f"SELECT {place} AS place, found.* FROM ({check.breaks}) AS found(id)" for place, check in enumerate(checks)
    )
    query = text(" UNION ALL ".join(parts))
    rows = await connection.execute(query, {"attempts": attempts} if ":attempts" in query.text else {})
    return [f"{checks[row.place].number} {checks[row.place].says}: {row.id}" for row in rows]
