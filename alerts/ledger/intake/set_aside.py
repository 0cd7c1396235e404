"""Lists what was set aside, and where its dead letter stands."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.arrival import DeadLettered
from alerts.ledger.bulk import insert_returning
from alerts.ledger.connection.direct import AnyConnection
from alerts.ledger.tables.kafka import dead_letters


async def index_dead_letters(connection: AnyConnection, aside: Sequence[DeadLettered]) -> list[str]:
    """The reasons of those that are new."""
    rows = [
        {
            "topic": each.address.topic,
            "partition": each.address.partition,
            "offset": each.address.offset,
            "recorded_at": each.address.timestamp,
            "reason": each.reason,
            "field": each.field,
            "detail": each.detail,
            "source": each.source,
            "dead_topic": each.kept_at and each.kept_at.topic,
            "dead_partition": each.kept_at and each.kept_at.partition,
            "dead_offset": each.kept_at and each.kept_at.offset,
        }
        for each in aside
    ]
    done = await insert_returning(connection, dead_letters, rows, "ON CONFLICT DO NOTHING RETURNING reason")
    return [row["reason"] for row in done]
