"""Keeps thin notices until a worker has fetched what they tell of, or has given up."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.arrival import Address, DeadLettered, Deferred
from alerts.ledger.bulk import insert_returning
from alerts.ledger.connection.direct import AnyConnection
from alerts.ledger.database import transaction
from alerts.ledger.intake.set_aside import index_dead_letters
from alerts.ledger.tables.kafka import notices

LEASE = "interval '2 minutes'"
"""Longer than a fetch and what follows can take: whoever dies in between leaves it to another after that."""

_Headers = list[tuple[str, bytes | None]]

# One that failed is taken up anew when it is sent again, and so stands elsewhere; else the first one counts.
_DEFER = """
ON CONFLICT (source, notice_id) DO UPDATE SET topic = excluded.topic, partition = excluded.partition,
    "offset" = excluded."offset", recorded_at = excluded.recorded_at, key = excluded.key, value = excluded.value,
    headers = excluded.headers, state = 'waiting', failures = 0, due_at = ledger_now()
WHERE notices.state = 'failed'
    AND (notices.topic, notices.partition, notices."offset") <> (excluded.topic, excluded.partition, excluded."offset")
RETURNING topic, partition, "offset"
"""

LEASE_DUE = text(f"""
UPDATE notices SET tries = tries + 1, due_at = ledger_now() + {LEASE} WHERE (source, notice_id) IN (
    SELECT source, notice_id FROM notices WHERE source = :source AND state = 'waiting' AND due_at <= ledger_now()
    ORDER BY due_at LIMIT :at_most FOR UPDATE SKIP LOCKED
) RETURNING *
""")

# Did the answer that this notice tells of come in meanwhile?
IS_ANSWERED = text("SELECT 1 FROM responses WHERE event_source = :event_source AND event_id = :notice_id")

PUT_OFF = text("""
UPDATE notices SET failures = failures + 1, due_at = ledger_now() + make_interval(secs => :seconds)
WHERE source = :source AND notice_id = :notice_id AND tries = :tries AND state = 'waiting'
""")

END = text("""
UPDATE notices SET state = :state, key = NULL, value = NULL, headers = NULL
WHERE source = :source AND notice_id = :notice_id AND tries = :tries AND state = 'waiting'
""")


class Notice(Struct, frozen=True):
    """A notice as it came, leased to whoever holds this. `tries` tells this lease from every other, `failures` are
    the platform's."""

    source: str
    notice_id: str
    address: Address
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...]
    tries: int
    failures: int


async def defer(connection: AnyConnection, batch: Sequence[Deferred]) -> set[tuple[str, int, int]]:
    """Keeps those that are new; their places in Kafka."""
    first: dict[tuple[str, str], Deferred] = {}
    for each in batch:
        first.setdefault((each.source, each.notice_id), each)
    rows = [
        {
            "source": each.source,
            "notice_id": each.notice_id,
            "topic": each.address.topic,
            "partition": each.address.partition,
            "offset": each.address.offset,
            "recorded_at": each.address.timestamp,
            "key": each.key,
            "value": each.value,
            "headers": msgspec.json.encode(each.headers),
        }
        for each in first.values()
    ]
    done = await insert_returning(connection, notices, rows, _DEFER)
    return {(row["topic"], row["partition"], row["offset"]) for row in done}


async def lease_notices(engine: AsyncEngine, source: str, *, at_most: int) -> list[Notice]:
    """Those that are due, for two minutes; what another worker has leased is passed by. Raises Unavailable."""
    async with transaction(engine) as connection:
        rows = (await connection.execute(LEASE_DUE, {"source": source, "at_most": at_most})).all()
    return [
        Notice(
            source=row.source,
            notice_id=row.notice_id,
            address=Address(row.topic, row.partition, row.offset, row.recorded_at),
            key=row.key,
            value=row.value,
            headers=tuple(msgspec.json.decode(row.headers, type=_Headers)),
            tries=row.tries,
            failures=row.failures,
        )
        for row in rows
    ]


async def is_answered(engine: AsyncEngine, notice: Notice, event_source: str) -> bool:
    """Whether its answer is in the ledger, though whoever published it could not say so. Raises Unavailable."""
    async with transaction(engine) as connection:
        asked = {"event_source": event_source, "notice_id": notice.notice_id}
        return (await connection.execute(IS_ANSWERED, asked)).first() is not None


async def put_off(engine: AsyncEngine, notice: Notice, seconds: float) -> None:
    """The platform failed; to be tried again then. Raises Unavailable."""
    async with transaction(engine) as connection:
        await connection.execute(PUT_OFF, {**_lease(notice), "seconds": seconds})


async def end_fetched(engine: AsyncEngine, notice: Notice) -> None:
    """Its answer is in Kafka. What it held goes; that it was there stays, so that it is not fetched twice."""
    async with transaction(engine) as connection:
        await connection.execute(END, {**_lease(notice), "state": "fetched"})


async def end_failed(engine: AsyncEngine, notice: Notice, why: DeadLettered) -> None:
    """Its dead letter is in Kafka."""
    async with transaction(engine) as connection:
        if (await connection.execute(END, {**_lease(notice), "state": "failed"})).rowcount:
            await index_dead_letters(connection, [why])


def _lease(notice: Notice) -> dict[str, object]:
    return {"source": notice.source, "notice_id": notice.notice_id, "tries": notice.tries}
