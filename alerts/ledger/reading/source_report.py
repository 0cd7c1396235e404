"""How complete the answers of each source are, over what was stored lately."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.ledger.database import transaction
from alerts.members import Lack, MemberCount, count_members

# How many of the answers since then lacked the same members, and had the same mended? A source sends few different
# shapes, so this is a short list of however many answers. The moment is asked for once: a clock has no index.
SHAPES = text("""
SELECT source, absent, flags, count(*) AS answers
FROM responses
WHERE received_at >= (SELECT coalesce(CAST(:since AS timestamptz), ledger_now() - interval '7 days'))
  AND (CAST(:source AS text) IS NULL OR source = :source)
GROUP BY source, absent, flags
""")


async def source_report(
    engine: AsyncEngine, *, source: str | None = None, since: datetime | None = None
) -> list[MemberCount]:
    """Of answers that we received since then (default: seven days), by source and member. Raises Unavailable."""
    async with transaction(engine) as connection:
        rows = await connection.execute(SHAPES, {"since": since, "source": source})
        return count_members([Lack(**row._mapping) for row in rows])
