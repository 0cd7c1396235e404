"""Who looked at a customer's data in full, or changed it: one row each, written in the same transaction."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.ledger.tables import audit


async def write_audit(
    connection: AsyncConnection,
    *,
    principal: str,
    action: str,
    customer_id: int | None = None,
    callback_id: str | None = None,
    reason: str | None = None,
) -> None:
    row = {
        "principal": principal,
        "action": action,
        "customer_id": customer_id,
        "callback_id": callback_id,
        "reason": reason,
    }
    await connection.execute(insert(audit).values(**row))
