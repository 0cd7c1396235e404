"""What a ledger holds for the business, so that two of them, or one at two moments, can be compared."""

from __future__ import annotations

from typing import Any

from alerts.ledger.tables.schema import metadata
from tests.parts.town import Town

# Ids and times differ from run to run. Of one customer all is in order, so all else has to be the same.
_OUTCOMES = {
    "responses": """
        SELECT r.event_id, c.key, r.box, r.points, r.outcome, r.flags, r.comment
        FROM responses r JOIN customers c ON c.id = r.customer_id
    """,
    "callbacks": """
        SELECT c.key, b.state, b.queue, b.priority, b.severity, b.flags, b.version, b.closed_reason
        FROM callbacks b JOIN customers c ON c.id = b.customer_id
    """,
    "alerts": "SELECT r.event_id, a.severity, a.reasons FROM alerts a JOIN responses r ON r.id = a.response_id",
    "history": """
        SELECT c.key, h.kind, count(*) FROM history h
        JOIN callbacks b ON b.id = h.callback_id JOIN customers c ON c.id = b.customer_id GROUP BY 1, 2
    """,
    "outbox": "SELECT type, count(*) FROM outbox GROUP BY 1",
}


async def fingerprints(town: Town) -> dict[str, str | None]:
    """One hash of all rows for each table, but for the accounts of partitions, which count what comes again, and the canary."""
    tables = sorted(set(metadata.tables) - {"partitions", "canary"})
    hashed = "SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {} t"
    return {table: await town.value(hashed.format(table)) for table in tables}


async def outcomes(town: Town) -> dict[str, list[tuple[Any, ...]]]:
    """What the answers came to, whoever took them in, in which order of customers and in which batches."""
    return {
        name: sorted(tuple(map(str, row.values())) for row in await town.rows(query))
        for name, query in _OUTCOMES.items()
    }
