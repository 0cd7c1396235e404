"""Remembers which deliveries of platforms were taken, so that one that comes again within a day is not sent on."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.ledger.database import transaction
from alerts.ledger.tables.kafka import received_webhooks

KEPT = "interval '24 hours'"

REMEMBER = text("""
INSERT INTO received_webhooks (source, digest, received_at) VALUES (:source, :digest, ledger_now())
ON CONFLICT (source, digest) DO UPDATE SET received_at = excluded.received_at
""")

# Several processes may forget at once: each takes what no other has locked.
FORGET = text(f"""
DELETE FROM received_webhooks WHERE (source, digest) IN (
    SELECT source, digest FROM received_webhooks WHERE received_at <= ledger_now() - {KEPT}
    ORDER BY received_at LIMIT :at_most FOR UPDATE SKIP LOCKED
)
""")


def digest_of(delivery_id: bytes, body: bytes) -> bytes:
    """Equal only for the same id and the same body."""
    return sha256(len(delivery_id).to_bytes(4, "big") + delivery_id + body).digest()


async def was_received(engine: AsyncEngine, source: str, digest: bytes) -> bool:
    """Whether it was taken within the last day. Raises Unavailable."""
    query = select(received_webhooks.c.digest).where(
        received_webhooks.c.source == source,
        received_webhooks.c.digest == digest,
        received_webhooks.c.received_at > func.ledger_now() - text(KEPT),
    )
    async with transaction(engine) as connection:
        return (await connection.execute(query)).first() is not None


async def remember_received(engine: AsyncEngine, source: str, digest: bytes) -> None:
    """Once Kafka has it, and not before. Raises Unavailable."""
    async with transaction(engine) as connection:
        await connection.execute(REMEMBER, {"source": source, "digest": digest})


async def forget_received(engine: AsyncEngine, *, at_most: int = 1000) -> int:
    """Removes those whose day is over, the oldest first; says how many. Call it again until it says none.
    Raises Unavailable."""
    async with transaction(engine) as connection:
        return (await connection.execute(FORGET, {"at_most": at_most})).rowcount
