"""What must be true of every ledger once the dust has settled (docs/invariants.md)."""

from __future__ import annotations

from tests.parts.town import Town


async def check_conservation(town: Town) -> None:
    """I1: every consumed offset ended in exactly one outcome."""
    for row in await town.rows("SELECT * FROM partitions"):
        counted = sum(_outcomes(row["outcomes"]).values()) + row["skipped"]
        assert row["next_offset"] - row["first_offset"] - counted == 0, row


async def check_alerts(town: Town, expected: set[str]) -> None:
    """I2: exactly these events became alerts, each once, each on one open or ended callback."""
    rows = await town.rows("SELECT r.event_id FROM alerts a JOIN responses r ON r.id = a.response_id")
    found = [row["event_id"] for row in rows]
    assert len(found) == len(set(found))
    assert set(found) == expected
    twice = "SELECT customer_id FROM callbacks WHERE ended_at IS NULL GROUP BY 1 HAVING count(*) > 1"
    assert await town.rows(twice) == []


async def check_history(town: Town) -> None:
    """Every callback has its beginning in the history, and every published step in the outbox."""
    lacking = """
        SELECT c.id FROM callbacks c WHERE NOT EXISTS
            (SELECT 1 FROM history h WHERE h.callback_id = c.id AND h.kind = 'opened')
    """
    assert await town.rows(lacking) == []
    opened, published = (
        await town.value("SELECT count(*) FROM history WHERE kind IN ('opened', 'joined')"),
        await town.value("SELECT count(*) FROM outbox WHERE type LIKE '%opened' OR type LIKE '%joined'"),
    )
    assert opened == published == await town.value("SELECT count(*) FROM alerts")


def _outcomes(stored: object) -> dict[str, int]:
    import json

    return dict(json.loads(stored)) if isinstance(stored, str) else {}
