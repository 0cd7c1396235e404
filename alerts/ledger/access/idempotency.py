"""Remembers the answer to a request that carried an Idempotency-Key, in the transaction of its effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.errors import IdempotencyInProgress, IdempotencyKeyReused
from alerts.ledger.bulk import encode
from alerts.ledger.connection.direct import AnyConnection, Statement, rows
from alerts.ledger.database import transaction

KEPT = "interval '24 hours'"


class KeyedRequest(Struct, frozen=True):
    """One principal's request. `fingerprint`: 32 bytes, equal when method, path, query and body are."""

    principal: str
    key: str
    fingerprint: bytes


class StoredReply(Struct, frozen=True):
    """`customers`: whose data `body` holds in full, so that erasing them finds it."""

    status: int
    headers: dict[str, str]
    body: str
    customers: tuple[int, ...] = ()


# Is this request the first of its kind, and what was it answered within the last day? A twin is told at once that the first
# is still running, and does not wait for it. Without a request there is nothing to ask: NULL locks nothing and is nobody's.
TURN = f"""
(SELECT pg_try_advisory_xact_lock(hashtextextended('once:' || :principal || ':' || :once, 0)) AS is_first OFFSET 0) AS turn
LEFT JOIN idempotency AS reply
    ON reply.principal = :principal AND reply.key = :once AND reply.stored_at > ledger_now() - {KEPT}
"""
TURN_MEMBERS = """
turn.is_first, reply.fingerprint, reply.status, CAST(reply.headers AS text) AS headers, reply.body, reply.customer_ids
"""
"""For statements that take a request's turn and then go on to its work: what they select FROM, and what of it. They lock
nothing else where `turn.is_first` is false; who gave them the request hands the row to `check_turn`."""

TAKE_TURN = Statement(f"SELECT {TURN_MEMBERS} FROM {TURN}")

# The turn may have come in the very moment in which a twin ended, and its answer was not seen: it is never written over.
STORE = Statement(f"""
INSERT INTO idempotency (principal, key, fingerprint, status, headers, body, customer_ids, stored_at)
VALUES (:principal, :key, :fingerprint, :status, CAST(:headers AS jsonb), :body, CAST(:customers AS bigint[]), ledger_now())
ON CONFLICT (principal, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
    headers = excluded.headers, body = excluded.body, customer_ids = excluded.customer_ids, stored_at = excluded.stored_at
WHERE idempotency.stored_at <= ledger_now() - {KEPT}
RETURNING key
""")


# Several processes may forget at once: each takes what no other has locked.
FORGET = text(f"""
DELETE FROM idempotency WHERE (principal, key) IN (
    SELECT principal, key FROM idempotency WHERE stored_at <= ledger_now() - {KEPT}
    ORDER BY stored_at LIMIT :at_most FOR UPDATE SKIP LOCKED
)
""")


class AnsweredBefore(Exception):
    """`stored_reply` has the answer."""


def turn_of(request: KeyedRequest | None) -> dict[str, str | None]:
    """What a statement with a TURN is given."""
    return {"principal": request.principal, "once": request.key} if request else {"principal": None, "once": None}


def check_turn(row: Mapping[str, Any], request: KeyedRequest | None) -> None:
    """The row of a statement with TURN_MEMBERS. Raises IdempotencyInProgress, IdempotencyKeyReused, AnsweredBefore."""
    if request is not None and _reply(row, request) is not None:
        raise AnsweredBefore


async def stored_reply(connection: AnyConnection, request: KeyedRequest) -> StoredReply | None:
    """The answer given before, or None: then nobody else works on it until this transaction ends.

    Raises IdempotencyInProgress, IdempotencyKeyReused.
    """
    [row] = await rows(connection, TAKE_TURN, **turn_of(request))
    return _reply(row, request)


def _reply(row: Mapping[str, Any], request: KeyedRequest) -> StoredReply | None:
    if not row["is_first"]:
        raise IdempotencyInProgress("the first request with this Idempotency-Key is still running; try again")
    if row["fingerprint"] is None:
        return None
    if row["fingerprint"] != request.fingerprint:
        raise IdempotencyKeyReused("this Idempotency-Key was used for a different request; choose a new one")
    return StoredReply(row["status"], msgspec.json.decode(row["headers"]), row["body"], tuple(row["customer_ids"]))


async def store_reply(connection: AnyConnection, request: KeyedRequest, answer: StoredReply) -> None:
    """In the effect's own transaction: neither is ever there without the other. Raises IdempotencyInProgress."""
    stored = await rows(
        connection,
        STORE,
        principal=request.principal,
        key=request.key,
        fingerprint=request.fingerprint,
        status=answer.status,
        headers=encode(answer.headers),
        body=answer.body,
        customers=list(answer.customers),
    )
    if not stored:
        raise IdempotencyInProgress("the first request with this Idempotency-Key has just ended; try again")


async def forget_old(engine: AsyncEngine, *, at_most: int = 1000) -> int:
    """Removes answers whose day is over, the oldest first; says how many. Raises Unavailable.

    A piece at a time, so that a backlog never outlasts the limit on a statement: call it again until it says none.
    """
    async with transaction(engine) as connection:
        return (await connection.execute(FORGET, {"at_most": at_most})).rowcount
