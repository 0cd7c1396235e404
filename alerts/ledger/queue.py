"""The queue: who gets which callback next, and every move that one person makes on one callback.

Each function works in the caller's transaction, so that the answer to a request, its idempotency row and its effect
are committed together. Where a customer's record changes too, the customer is locked before the callback.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, Row, column, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import OPEN_STATES, Callback, Moved, State
from alerts.errors import (
    NotClaimable,
    NotFound,
    OutsideCallingWindow,
    Refused,
    TooManyHeld,
    Unavailable,
    where,
)
from alerts.ledger.customers import lock_customer
from alerts.ledger.database import ledger_now, reachable
from alerts.ledger.heads import known_heads
from alerts.ledger.isolation import WITHHOLD, put_off, store_each
from alerts.ledger.moves import ALL_OF_C, apply, read_callback
from alerts.ledger.tables import callbacks, queues
from alerts.moves import claim, reopen
from alerts.policy import Policy

logger = logging.getLogger(__name__)

DEPTHS = (8, 64, 512)
"""How many heads of each queue are looked at; deeper only when all of them are being taken by others just now."""


class Claimer(Struct, frozen=True, kw_only=True):
    """Who claims. No queues or no languages: all. `at_most` callbacks may be held; None for a dialer."""

    advisor: str
    queues: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    at_most: int | None = None


# Which callbacks come next, in the order of work? The heads of each queue are read from the claim's index; of those
# the first that nobody else has locked are taken. A queue begins where `alerts.ledger.heads` knows it to. Queues that are
# paused offer nothing. The queue is given as a range
# of keys and stands in the order, so that no index but `callbacks_claim` can serve: with an equality the planner walks
# `callbacks_work_order`, all of it where a queue is empty, and a range of names alone it takes for so few rows that it
# sorts them (benchmarks/claim.py). Below, `ready` alone says that a row is still to be had (only waiting ones are): with
# the state beside it the claim's index would fit there too, and be read whole while the statistics know of no ready row.
_HEADS = """
WITH clock AS MATERIALIZED (SELECT ledger_now() AS now),
heads AS MATERIALIZED (
    SELECT head.id, head.band, head.rank_at
    FROM queues
    LEFT JOIN json_to_recordset(CAST(:heads AS json)) AS known(name text, band smallint, rank_at timestamptz, id uuid)
        ON known.name = queues.name
    CROSS JOIN LATERAL (
        SELECT c.id, c.band, c.rank_at
        FROM callbacks AS c
        WHERE (c.queue, c.band, c.rank_at, c.id) >= (
                queues.name, coalesce(known.band, CAST(0 AS smallint)), coalesce(known.rank_at, '-infinity'),
                coalesce(known.id, '00000000-0000-0000-0000-000000000000'))
          AND (c.queue, c.band) <= (queues.name, 32767)
          AND c.state = 'waiting' AND c.ready
          AND c.callable_until > (SELECT now FROM clock)
          AND (c.owner IS NULL OR c.owner = :advisor OR c.owner_until <= (SELECT now FROM clock))
          AND (CAST(:languages AS text[]) IS NULL OR c.language IS NULL
               OR split_part(c.language, '-', 1) = ANY (CAST(:languages AS text[])))
          AND coalesce(CAST(c.skips ->> :advisor AS timestamptz) <= (SELECT now FROM clock), true)
          AND c.id <> ALL (CAST(:without AS uuid[]))
        ORDER BY c.queue, c.band, c.rank_at, c.id
        LIMIT :depth
    ) AS head
    WHERE queues.paused_at IS NULL AND (CAST(:queues AS text[]) IS NULL OR queues.name = ANY (CAST(:queues AS text[])))
)
"""
# One row at least, with how many heads there were: none taken of none is an empty queue, none of many are all locked.
CLAIM = text(f"""{_HEADS}, taken AS MATERIALIZED (
    SELECT {ALL_OF_C} FROM heads JOIN callbacks AS c ON c.id = heads.id
    WHERE c.ready
    ORDER BY heads.band, heads.rank_at, heads.id
    LIMIT :count
    FOR UPDATE OF c SKIP LOCKED
)
SELECT seen.heads_seen, {ALL_OF_C} FROM (SELECT count(*) AS heads_seen FROM heads) AS seen LEFT JOIN taken AS c ON true
ORDER BY c.band, c.rank_at, c.id
""").columns(column("heads_seen", BigInteger), *callbacks.columns)

# Is there anything at all that a claim might take?
ANYTHING = text(f"{_HEADS} SELECT EXISTS (SELECT FROM heads)")

# When does the next callback of these queues become callable?
NEXT_CALLABLE = text("""
SELECT min(moment) FROM queues CROSS JOIN LATERAL (
    (SELECT callable_from AS moment FROM callbacks
     WHERE queue = queues.name AND state = 'waiting' AND NOT ready AND callable_from IS NOT NULL
     ORDER BY callable_from LIMIT 1)
    UNION ALL
    (SELECT promise_at FROM callbacks
     WHERE queue = queues.name AND state = 'scheduled'
     ORDER BY promise_at LIMIT 1)
) AS soonest
WHERE queues.paused_at IS NULL AND (CAST(:queues AS text[]) IS NULL OR queues.name = ANY (CAST(:queues AS text[])))
""")

# One advisor's claims take turns, so that the limit of held ones holds.
ONE_CLAIM_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('claim:' || :advisor, 0))")


async def claim_next(
    connection: AsyncConnection, who: Claimer, *, count: int = 1, seconds: int | None = None, policy: Policy
) -> list[Moved]:
    """The next `count` callbacks of `who`, or as many as there are. Raises TooManyHeld.

    One that cannot be computed or stored, or that went to somebody else at the last moment, is stepped over.
    """
    await check_held(connection, who)
    moved: list[Moved] = []
    passed: list[str] = []
    for depth in DEPTHS:
        heads_seen = 0
        while len(moved) < count:
            wanted = count - len(moved)
            rows, heads_seen = await _lock_heads(connection, who, wanted, depth + wanted, passed)
            taken = await _take(connection, rows, who, seconds, policy)
            moved += taken
            if len(taken) == len(rows):
                break
            passed += {row.id for row in rows} - {each.callback.id for each in taken}
        if moved or heads_seen < depth + count:  # no queue goes on below
            break
    return moved


async def anything_for(connection: AsyncConnection, who: Claimer) -> bool:
    """Whether a claim of `who` may find something now. Locks nothing, and costs one statement: for those who wait."""
    asked = await _asked(connection, who, depth=1)
    return bool((await connection.execute(ANYTHING, asked)).scalar_one())


async def _lock_heads(
    connection: AsyncConnection, who: Claimer, count: int, depth: int, passed: Sequence[str]
) -> tuple[Sequence[Row[Any]], int]:
    """The first rows that nobody else has locked, locked now; and how many there were with the others'."""
    asked = await _asked(connection, who, depth=depth, passed=passed) | {"count": count}
    rows = (await connection.execute(CLAIM, asked)).all()
    return [row for row in rows if row.id is not None], rows[0].heads_seen


async def _asked(
    connection: AsyncConnection, who: Claimer, *, depth: int, passed: Sequence[str] = ()
) -> dict[str, Any]:
    languages = who.languages and [language.split("-")[0].lower() for language in who.languages]
    return {
        "advisor": who.advisor,
        "queues": who.queues and list(who.queues),
        "languages": languages,
        "depth": depth,
        "heads": await known_heads(connection),
        "without": list(passed),
    }


async def _take(
    connection: AsyncConnection, rows: Sequence[Row[Any]], who: Claimer, seconds: int | None, policy: Policy
) -> list[Moved]:
    if not rows:
        return []
    now = await ledger_now(connection)
    moved = []
    for row in rows:
        try:
            moved.append(_claimed(read_callback(row), who, seconds, now, policy))
        except (OutsideCallingWindow, NotClaimable):
            continue  # its window closed, or a lead gave it to somebody else, while we were waiting for the row
        except Exception as error:  # noqa: BLE001 - a fault of ours, and the next one may be claimed all the same
            await put_off(connection, row.id, WITHHOLD, error)
    return await store_each(connection, moved, WITHHOLD)


def _claimed(callback: Callback, who: Claimer, seconds: int | None, now: datetime, policy: Policy) -> Moved:
    return claim(
        callback,
        advisor=who.advisor,
        token=secrets.token_urlsafe(18),
        seconds=policy.leases.seconds if seconds is None else seconds,
        now=now,
        policy=policy,
    )


async def claim_one(
    connection: AsyncConnection, callback_id: str, who: Claimer, *, seconds: int | None = None, policy: Policy
) -> Moved:
    """This callback, if it may be called. Raises NotFound, NotClaimable, OutsideCallingWindow, TooManyHeld.

    One that cannot be computed or stored is refused like one that somebody else has.
    """
    await check_held(connection, who)
    paused = select(queues.c.paused_at).join(callbacks, callbacks.c.queue == queues.c.name)
    if (await connection.execute(paused.where(callbacks.c.id == callback_id))).scalar_one_or_none():
        raise NotClaimable("its queue is paused; a lead may resume it")
    try:
        async with reachable():
            return await apply(
                connection, callback_id, lambda callback, now: _claimed(callback, who, seconds, now, policy)
            )
    except (Refused, Unavailable):
        raise
    except Exception as error:
        logger.error("callback %s cannot be claimed: %s", callback_id, where(error))
        raise NotClaimable("this callback cannot be worked on just now, and the log says why; claim another") from error


async def check_held(connection: AsyncConnection, who: Claimer) -> None:
    if who.at_most is None:
        return
    await connection.execute(ONE_CLAIM_AT_A_TIME, {"advisor": who.advisor})
    held = select(func.count()).where(
        callbacks.c.lease_holder == who.advisor,
        callbacks.c.state == State.LEASED,
        callbacks.c.lease_expires_at > func.ledger_now(),
    )
    if (await connection.execute(held)).scalar_one() >= who.at_most:
        raise TooManyHeld(f"{who.at_most} callbacks are held already; finish or release one first")


async def next_callable(connection: AsyncConnection, wanted: Sequence[str] | None) -> datetime | None:
    """When a claim on these queues may next find something; None when nothing is waiting."""
    moment = (await connection.execute(NEXT_CALLABLE, {"queues": wanted and list(wanted)})).scalar_one()
    assert moment is None or isinstance(moment, datetime)
    return moment


async def customer_of(connection: AsyncConnection, callback_id: str) -> int:
    query = select(callbacks.c.customer_id).where(callbacks.c.id == callback_id)
    found = (await connection.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound("there is no such callback")
    return int(found)


async def reopen_callback(
    connection: AsyncConnection, callback_id: str, *, actor: str, reason: str | None, policy: Policy
) -> Moved:
    """Raises NotClaimable, naming it, when the customer has another open callback; DoNotCall after an opt-out."""
    customer_id = await customer_of(connection, callback_id)
    customer = await lock_customer(connection, customer_id)
    other = select(callbacks.c.id).where(
        callbacks.c.customer_id == customer_id,
        callbacks.c.state.in_(OPEN_STATES),
        callbacks.c.id != callback_id,
    )
    found = (await connection.execute(other)).scalar_one_or_none()
    if found is not None:
        raise NotClaimable(f"the customer has another open callback, {found}; work on that one")
    return await apply(
        connection,
        callback_id,
        lambda callback, now: reopen(callback, customer, actor=actor, now=now, policy=policy, reason=reason),
    )


async def ensure_queues(connection: AsyncConnection, names: Sequence[str]) -> None:
    """Makes the rows of queues that the policy names and the ledger does not know yet."""
    rows = text("INSERT INTO queues (name) SELECT unnest(CAST(:names AS text[])) ON CONFLICT DO NOTHING")
    await connection.execute(rows, {"names": sorted(names)})


async def pause_queue(connection: AsyncConnection, name: str, *, by: str, reason: str) -> None:
    """A paused queue offers nothing. Raises NotFound."""
    values: dict[str, Any] = {"paused_at": func.ledger_now(), "paused_by": by, "paused_reason": reason}
    await _set_queue(connection, name, values)


async def resume_queue(connection: AsyncConnection, name: str) -> None:
    await _set_queue(connection, name, {"paused_at": None, "paused_by": None, "paused_reason": None})


async def _set_queue(connection: AsyncConnection, name: str, values: dict[str, Any]) -> None:
    done = await connection.execute(update(queues).where(queues.c.name == name).values(**values))
    if done.rowcount == 0:
        raise NotFound("there is no such queue")


async def open_callback_of(connection: AsyncConnection, customer_id: int) -> str | None:
    """The customer's open callback, locked: it cannot end before the caller has. The caller holds the customer's lock."""
    query = (
        select(callbacks.c.id)
        .where(callbacks.c.customer_id == customer_id, callbacks.c.state.in_(OPEN_STATES))
        .with_for_update()
    )
    return (await connection.execute(query)).scalar_one_or_none()
