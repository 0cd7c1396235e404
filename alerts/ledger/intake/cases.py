"""Reads the customers of a batch as the decision needs them: their open callback, and what lies behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import OPEN_STATES, Callback, State
from alerts.case import Case, ScopedId
from alerts.customer import Customer
from alerts.ledger.callbacks.store import read_callback
from alerts.ledger.tables.callbacks import callbacks

# Has no better revision replaced the answer, of which `latest` is the last bad one? Asked once for each answer and not for
# each revision, or an answer that is revised ten thousand times costs the square of that.
_IN_FORCE = """NOT EXISTS (
    SELECT FROM responses AS better
    WHERE better.event_source = latest.event_source AND better.response_id = latest.response_id AND better.box <> 'bottom'
      AND (better.revised_at, better.origin_partition, better.origin_offset)
        > (latest.revised_at, latest.origin_partition, latest.origin_offset))"""
_LATEST_FIRST = "r.revised_at DESC, r.origin_partition DESC, r.origin_offset DESC"

# Which bad answers on these callbacks has no better revision replaced?
BEHIND = text(f"""
SELECT latest.callback_id, latest.event_source, latest.response_id
FROM (
    SELECT DISTINCT ON (a.callback_id, r.event_source, r.response_id)
        a.callback_id, r.event_source, r.response_id, r.revised_at, r.origin_partition, r.origin_offset
    FROM alerts AS a JOIN responses AS r ON r.id = a.response_id
    WHERE a.callback_id = ANY (CAST(:callbacks AS uuid[]))
    ORDER BY a.callback_id, r.event_source, r.response_id, {_LATEST_FIRST}
) AS latest
WHERE {_IN_FORCE}
""")

# When did each of these customers give their latest bad answers, as far as those are in force? The latest two: one of
# them may be an earlier revision of the answer that is judged, and an answer is no repeat of itself.
BOTTOM_BOXES = text(f"""
SELECT wanted.customer_id, last.event_source, last.response_id, last.answered_at
FROM unnest(CAST(:customers AS bigint[])) AS wanted(customer_id)
CROSS JOIN LATERAL (
    SELECT latest.event_source, latest.response_id, latest.answered_at
    FROM (
        SELECT DISTINCT ON (r.event_source, r.response_id)
            r.event_source, r.response_id, r.answered_at, r.revised_at, r.origin_partition, r.origin_offset
        FROM responses AS r
        WHERE r.customer_id = wanted.customer_id AND r.box = 'bottom' AND r.outcome <> 'stale'
        ORDER BY r.event_source, r.response_id, {_LATEST_FIRST}
    ) AS latest
    WHERE {_IN_FORCE}
    ORDER BY latest.answered_at DESC
    LIMIT 2
) AS last
""")


async def read_cases(
    connection: AsyncConnection, customers: Iterable[Customer], with_alerts: Collection[int], *, since: datetime | None
) -> dict[int, Case]:
    """The case of each customer, whose rows are locked; their open callbacks are locked here.

    `with_alerts`: the ids of those whose answers may raise an alert or take one back; only they need what lies behind.
    `since`: how far back an ended callback counts as the one before; None when the policy does not ask.
    """
    known = {customer.id: customer for customer in customers}
    found = await _open_callbacks(connection, known)
    touched = {id_: callback for id_, callback in found.items() if id_ in with_alerts}
    behind = await _behind(connection, [callback.id for callback in touched.values()])
    boxes = await _bottom_boxes(connection, with_alerts)
    resolved = {} if since is None else await _resolved(connection, with_alerts, since)
    return {
        id_: Case(
            customer=customer,
            callback=found.get(id_),
            behind=frozenset(behind[touched[id_].id]) if id_ in touched else frozenset(),
            resolved=resolved.get(id_),
            bottom_boxes=boxes.get(id_, {}),
        )
        for id_, customer in known.items()
    }


async def _open_callbacks(connection: AsyncConnection, customer_ids: Iterable[int]) -> dict[int, Callback]:
    query = (
        select(callbacks)
        .where(callbacks.c.customer_id.in_(sorted(customer_ids)), callbacks.c.state.in_(OPEN_STATES))
        .order_by(callbacks.c.id)
        .with_for_update()
    )
    return {row.customer_id: read_callback(row) for row in await connection.execute(query)}


async def _behind(connection: AsyncConnection, callback_ids: list[str]) -> dict[str, set[ScopedId]]:
    found: dict[str, set[ScopedId]] = defaultdict(set)
    if callback_ids:
        for row in await connection.execute(BEHIND, {"callbacks": callback_ids}):
            found[str(row.callback_id)].add((row.event_source, row.response_id))
    return found


async def _bottom_boxes(
    connection: AsyncConnection, customer_ids: Collection[int]
) -> dict[int, dict[ScopedId, datetime]]:
    found: dict[int, dict[ScopedId, datetime]] = defaultdict(dict)
    if customer_ids:
        for row in await connection.execute(BOTTOM_BOXES, {"customers": sorted(customer_ids)}):
            found[row.customer_id][row.event_source, row.response_id] = row.answered_at
    return found


async def _resolved(connection: AsyncConnection, customer_ids: Collection[int], since: datetime) -> dict[int, Callback]:
    """The latest of each customer that was resolved since then."""
    query = (
        select(callbacks)
        .ext(distinct_on(callbacks.c.customer_id))
        .where(
            callbacks.c.customer_id.in_(sorted(customer_ids)),
            callbacks.c.state == State.RESOLVED,
            callbacks.c.ended_at >= since,
        )
        .order_by(callbacks.c.customer_id, callbacks.c.ended_at.desc())
    )
    return {row.customer_id: read_callback(row) for row in await connection.execute(query)}


def days_ago(now: datetime, days: int) -> datetime | None:
    """None for no days: then nothing before counts."""
    return now - timedelta(days=days) if days else None
