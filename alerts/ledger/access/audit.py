"""Who looked at a customer's data in full, or changed it: one row each, written in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.ledger.bulk import encode, insert_rows, insert_sql
from alerts.ledger.connection.direct import AnyConnection, Statement, rows
from alerts.ledger.tables.access import audit


class Look(Struct, frozen=True):
    """At whom, and at which of their callbacks."""

    customer_id: int | None = None
    callback_id: str | None = None


async def write_audit(
    connection: AnyConnection,
    *,
    principal: str,
    action: str,
    customer_id: int | None = None,
    callback_id: str | None = None,
    reason: str | None = None,
) -> None:
    await write_audits(connection, [Look(customer_id, callback_id)], principal=principal, action=action, reason=reason)


async def write_change(
    connection: AsyncConnection, *, principal: str, action: str, subject: str, reason: str | None = None
) -> None:
    """Who changed something that is no customer's. `subject` like `action <id>`; `reason` says which members, not to what."""
    row = {"principal": principal, "action": action, "subject": subject, "reason": reason}
    await insert_rows(connection, audit, [row])


# Who saw or changed whom?
WRITE = Statement(
    insert_sql(audit, ("principal", "action", "customer_id", "callback_id", "reason")),
)


async def write_audits(
    connection: AnyConnection, looks: Sequence[Look], *, principal: str, action: str, reason: str | None = None
) -> None:
    """One row for each of `looks`, all in one statement."""
    found = [
        {
            "principal": principal,
            "action": action,
            "customer_id": each.customer_id,
            "callback_id": each.callback_id,
            "reason": reason,
        }
        for each in looks
    ]
    await rows(connection, WRITE, rows=encode(found))
