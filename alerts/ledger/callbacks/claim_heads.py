"""Where each queue begins, while rows that nobody may remove lie before it.

A claim begins at the head of its queue, and the order of work is exact. But while some session holds an old snapshot (a
backup, a long report), the entries of rows that were claimed since stay in the index, and each claim would walk over all of
them. Then, and only then, a connection remembers for half a second where each queue began; a callback that comes in before
that place waits for so long at most (benchmarks/claim.py: "a session holds one").
"""

from __future__ import annotations

import asyncio
from typing import Any

from alerts.ledger.bulk import encode
from alerts.ledger.connection.direct import AnyConnection, Statement, rows

REMEMBERED_SECONDS = 0.5
FEW_REMEMBERED_SECONDS = 5.0
"""How long a connection goes on believing that few rows are dead; a claim makes one or two."""

MANY_DEAD = 2_000
"""Dead rows of `callbacks`, as the statistics know them, from which remembering pays. Vacuum keeps a busy day's below."""

DEAD = Statement("SELECT pg_stat_get_dead_tuples(CAST('callbacks' AS regclass)) AS dead")

# Where does each queue's first claimable callback stand? Behind everything (priority_class 32767) where there is none.
HEADS = Statement("""
SELECT queues.name, coalesce(head.priority_class, 32767) AS priority_class, coalesce(head.rank_at, '-infinity') AS rank_at,
       coalesce(head.id, '00000000-0000-0000-0000-000000000000') AS id
FROM queues LEFT JOIN LATERAL (
    SELECT c.priority_class, c.rank_at, c.id FROM callbacks AS c
    WHERE (c.queue, c.priority_class) >= (queues.name, 0) AND (c.queue, c.priority_class) <= (queues.name, 32767)
      AND c.state = 'waiting' AND c.ready
    ORDER BY c.queue, c.priority_class, c.rank_at, c.id
    LIMIT 1
) AS head ON true
""")

_KEY = "bottombox_heads"


async def known_heads(connection: AnyConnection) -> str:
    """The heads as a JSON array of {name, priority_class, rank_at, id}; empty when a claim may begin at the very front."""
    now = asyncio.get_running_loop().time()
    until, heads = connection.info.get(_KEY, (0.0, "[]"))
    if now >= until:
        read = await _read(connection)
        heads = encode(read)
        connection.info[_KEY] = (now + (REMEMBERED_SECONDS if read else FEW_REMEMBERED_SECONDS), heads)
    return str(heads)


async def _read(connection: AnyConnection) -> list[dict[str, Any]]:
    [found] = await rows(connection, DEAD)
    if found["dead"] < MANY_DEAD:
        return []
    heads = await rows(connection, HEADS)
    return [{**head, "id": str(head["id"]), "rank_at": _written(head["rank_at"])} for head in heads]


def _written(moment: Any) -> str:
    """PostgreSQL's own spelling of the time before all others; asyncpg gives it as the smallest datetime."""
    return "-infinity" if moment.year == 1 else moment.isoformat()
