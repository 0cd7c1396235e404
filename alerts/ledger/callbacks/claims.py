"""Who gets which callback next."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Callback, Transition
from alerts.errors import (
    NotClaimable,
    OutsideCallingWindow,
    Refused,
    TooManyHeld,
    Unavailable,
    safe_traceback,
)
from alerts.ledger.access.idempotency import TURN, TURN_MEMBERS, KeyedRequest, check_turn, turn_of
from alerts.ledger.access.keys import KEY_LIVES, check_key
from alerts.ledger.callbacks.claim_heads import known_heads
from alerts.ledger.callbacks.isolation import WITHHOLD, put_off, store_each
from alerts.ledger.callbacks.store import ALL_OF_C, apply, decode_callback
from alerts.ledger.connection.direct import AnyConnection, Statement, rows
from alerts.ledger.database import reachable
from alerts.ledger.tables.callbacks import callbacks, queues
from alerts.log_fields import about
from alerts.policy import Policy
from alerts.transitions import claim
from alerts.wording.language import spoken

logger = logging.getLogger(__name__)

DEPTHS = (8, 64, 512)
"""How many heads of each queue are looked at; deeper only when all of them are being taken by others just now."""


class Claimer(Struct, frozen=True, kw_only=True):
    """Who claims. No queues or no languages: all. `at_most` callbacks may be held; None for a dialer."""

    advisor: str
    queues: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    at_most: int | None = None


# Which callbacks come next, in the order of work? The heads of each queue are read from the claim's index; of those the
# first that nobody else has locked are taken. A queue begins where `claim_heads` knows it to; a paused one offers nothing.
# Why the queue is given as a range of keys, and stands in the order: docs/decisions/0007.
_HEADS = """
WITH clock AS MATERIALIZED (SELECT ledger_now() AS now),
heads AS MATERIALIZED (
    SELECT head.id, head.priority_class, head.rank_at
    FROM queues
    LEFT JOIN json_to_recordset(CAST(:heads AS json)) AS known(name text, priority_class smallint, rank_at timestamptz, id uuid)
        ON known.name = queues.name
    CROSS JOIN LATERAL (
        SELECT c.id, c.priority_class, c.rank_at
        FROM callbacks AS c
        WHERE (c.queue, c.priority_class, c.rank_at, c.id) >= (
                queues.name, coalesce(known.priority_class, CAST(0 AS smallint)), coalesce(known.rank_at, '-infinity'),
                coalesce(known.id, '00000000-0000-0000-0000-000000000000'))
          AND (c.queue, c.priority_class) <= (queues.name, 32767)
          AND c.state = 'waiting' AND c.ready
          AND c.callable_until > (SELECT now FROM clock)
          AND (c.owner IS NULL OR c.owner = :advisor OR c.owner_until <= (SELECT now FROM clock))
          AND (CAST(:languages AS text[]) IS NULL OR c.language IS NULL
               OR split_part(c.language, '-', 1) = ANY (CAST(:languages AS text[])))
          AND coalesce(CAST(c.skips ->> :advisor AS timestamptz) <= (SELECT now FROM clock), true)
          AND c.id <> ALL (CAST(:without AS uuid[]))
        ORDER BY c.queue, c.priority_class, c.rank_at, c.id
        LIMIT :depth
    ) AS head
    WHERE queues.paused_at IS NULL AND (CAST(:queues AS text[]) IS NULL OR queues.name = ANY (CAST(:queues AS text[])))
)
"""
# One row at least, with how many heads there were: none taken of none is an empty queue, none of many are all locked. And
# with how many the advisor holds, which is sure only in the advisor's turn.
CLAIM = Statement(f"""{_HEADS}, taken AS MATERIALIZED (
    SELECT {ALL_OF_C} FROM heads JOIN callbacks AS c ON c.id = heads.id
    WHERE c.ready
    ORDER BY heads.priority_class, heads.rank_at, heads.id
    LIMIT :count
    FOR UPDATE OF c SKIP LOCKED
)
SELECT {KEY_LIVES} AS key_lives,
    seen.heads_seen, (SELECT now FROM clock) AS now, CAST(c.id AS text) AS id, CAST(to_json(c) AS text) AS callback,
    (SELECT count(*) FROM callbacks AS h
     WHERE h.lease_holder = :advisor AND h.state = 'leased' AND h.lease_expires_at > (SELECT now FROM clock)) AS held
FROM (SELECT count(*) AS heads_seen FROM heads) AS seen LEFT JOIN taken AS c ON true
ORDER BY c.priority_class, c.rank_at, c.id
""")

# Is there anything at all that a claim might take?
ANYTHING = Statement(f"{_HEADS} SELECT EXISTS (SELECT FROM heads) AS found")

# When does the next callback of these queues become callable?
NEXT_CALLABLE = Statement("""
SELECT min(moment) AS moment, ledger_now() AS now FROM queues CROSS JOIN LATERAL (
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

# One advisor's claims take turns, so that the limit of held ones holds; a dialer's do not. The plan of a claim does not depend
# on what it asks, and to plan it takes longer than to run it; but the server, left alone, plans each one anew.
BEGIN = Statement(f"""
SELECT {TURN_MEMBERS}, set_config('plan_cache_mode', 'force_generic_plan', true),
    CASE WHEN turn.is_first IS NOT FALSE
        THEN CAST(pg_advisory_xact_lock(hashtextextended('claim:' || :advisor, 0)) AS text) END
FROM {TURN}
""")

# How many does this advisor hold?
HELD = Statement("""
SELECT count(*) AS held FROM callbacks
WHERE lease_holder = :advisor AND state = 'leased' AND lease_expires_at > ledger_now()
""")


class NeedsCare(Exception):
    """The shortest way does not do; `claim_next`, which steps over what cannot be claimed, does."""


async def claim_first(
    connection: AnyConnection,
    who: Claimer,
    *,
    key: str | None,
    turn: KeyedRequest | None = None,
    count: int,
    seconds: int | None,
    policy: Policy,
) -> list[Transition]:
    """The next callbacks of `who`, locked and claimed, and not stored yet. `key` is the id of the key that asks, `turn` the
    request whose turn is taken with it.

    Raises TooManyHeld, KeyGone, or as `check_turn` does.

    Without savepoints. Raises NeedsCare when any of them is not to be had just so.
    """
    await _begin(connection, who, turn)
    for depth in DEPTHS:
        looked = await _look(connection, who, count, depth + count, [], key=key)
        check_key(looked[0])
        _check(looked[0]["held"], who)
        found = [row for row in looked if row["id"] is not None]
        if found or looked[0]["heads_seen"] < depth + count:
            break
    try:
        return [_claimed(decode_callback(row["callback"]), who, seconds, row["now"], policy) for row in found]
    except Exception as error:
        raise NeedsCare from error


async def claim_next(
    connection: AnyConnection, who: Claimer, *, count: int = 1, seconds: int | None = None, policy: Policy
) -> list[Transition]:
    """The next `count` callbacks of `who`, or as many as there are. Raises TooManyHeld.

    One that cannot be computed or stored, or that went to somebody else at the last moment, is stepped over.
    """
    await check_held(connection, who)
    moved: list[Transition] = []
    passed: list[str] = []
    for depth in DEPTHS:
        heads_seen = 0
        while len(moved) < count:
            wanted = count - len(moved)
            looked = await _look(connection, who, wanted, depth + wanted, passed)
            heads_seen = looked[0]["heads_seen"]
            found = [row for row in looked if row["id"] is not None]
            taken = await _take(connection, found, who, seconds, policy)
            moved += taken
            if len(taken) == len(found):
                break
            passed += {row["id"] for row in found} - {each.callback.id for each in taken}
        if moved or heads_seen < depth + count:  # no queue goes on below
            break
    return moved


async def anything_for(connection: AnyConnection, who: Claimer) -> bool:
    """Whether a claim of `who` may find something now. Locks nothing, and costs one statement: for those who wait."""
    [look] = await rows(connection, ANYTHING, **await _asked(connection, who, depth=1))
    return bool(look["found"])


async def _look(
    connection: AnyConnection, who: Claimer, count: int, depth: int, passed: Sequence[str], *, key: str | None = None
) -> Sequence[Mapping[str, Any]]:
    """CLAIM: the first rows that nobody else has locked, locked now."""
    asked = await _asked(connection, who, depth=depth, passed=passed)
    return await rows(connection, CLAIM, **asked, count=count, key=key)


async def _asked(connection: AnyConnection, who: Claimer, *, depth: int, passed: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "advisor": who.advisor,
        "queues": who.queues and list(who.queues),
        "languages": who.languages and spoken(who.languages),
        "depth": depth,
        "heads": await known_heads(connection),
        "without": list(passed),
    }


async def _take(
    connection: AnyConnection,
    found: Sequence[Mapping[str, Any]],
    who: Claimer,
    seconds: int | None,
    policy: Policy,
) -> list[Transition]:
    moved = []
    for row in found:
        try:
            moved.append(_claimed(decode_callback(row["callback"]), who, seconds, row["now"], policy))
        except (OutsideCallingWindow, NotClaimable):
            continue  # its window closed, or a lead gave it to somebody else, while we were waiting for the row
        except Exception as error:  # noqa: BLE001 - a fault of ours, and the next one may be claimed all the same
            await put_off(connection, row["id"], WITHHOLD, error)
    return await store_each(connection, moved, WITHHOLD)


def _claimed(callback: Callback, who: Claimer, seconds: int | None, now: datetime, policy: Policy) -> Transition:
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
) -> Transition:
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
        told = about(callback=callback_id)
        logger.error("callback %s cannot be claimed: %s", callback_id, safe_traceback(error), extra=told)
        raise NotClaimable("this callback cannot be worked on just now, and the log says why; claim another") from error


async def _begin(connection: AnyConnection, who: Claimer, turn: KeyedRequest | None = None) -> None:
    advisor = None if who.at_most is None else who.advisor
    [row] = await rows(connection, BEGIN, advisor=advisor, **turn_of(turn))
    check_turn(row, turn)


async def check_held(connection: AnyConnection, who: Claimer) -> None:
    await _begin(connection, who)
    if who.at_most is None:
        return
    [found] = await rows(connection, HELD, advisor=who.advisor)
    _check(found["held"], who)


def _check(held: int, who: Claimer) -> None:
    if who.at_most is not None and held >= who.at_most:
        raise TooManyHeld(f"{who.at_most} callbacks are held already; finish or release one first")


async def next_callable(connection: AnyConnection, wanted: Sequence[str] | None) -> tuple[datetime | None, datetime]:
    """When a claim on these queues may next find something, None when nothing is waiting; and the ledger's clock."""
    [found] = await rows(connection, NEXT_CALLABLE, queues=wanted and list(wanted))
    return found["moment"], found["now"]
