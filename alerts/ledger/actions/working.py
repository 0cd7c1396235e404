"""Work on callbacks whose answer shows them: stored and shown in one statement.

The statement reads after the callback was locked: who changes its customer meanwhile waits for that lock, and then makes
the callback follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from alerts.callback import Transition
from alerts.errors import Refused, Unavailable
from alerts.ledger.access.idempotency import KeyedRequest
from alerts.ledger.callbacks.claims import Claimer, NeedsCare, claim_first
from alerts.ledger.callbacks.store import STORING, Command, changed, check_stored, lock_callback
from alerts.ledger.connection.direct import AnyConnection, Statement, rows
from alerts.ledger.database import reachable
from alerts.ledger.reading.views import CallbackView, around, decode_around
from alerts.policy import Policy


class Shown(Struct, frozen=True):
    """What was stored, as it is shown; `now` is the ledger's clock."""

    moved: Sequence[Transition]
    views: Sequence[CallbackView]
    now: datetime


# What belongs to the callbacks that were stored? A look at them in full is audited with it.
STORE_AND_SHOW = Statement(f"""{STORING}, looked AS (
    INSERT INTO audit (principal, action, customer_id, callback_id)
    SELECT :looks, 'claim', stored.customer_id, stored.id FROM stored WHERE CAST(:looks AS text) IS NOT NULL
)
SELECT CAST(stored.id AS text) AS id, ledger_now() AS now, {around("stored")} AS around FROM stored
""")


async def store_and_show(connection: AnyConnection, moved: Sequence[Transition], *, looks: str | None = None) -> Shown:
    """`looks`: who claims these, and so sees them in full. Raises LeaseLost."""
    found = await rows(connection, STORE_AND_SHOW, looks=looks, **changed(moved))
    check_stored(len(found), moved)
    belonging = {row["id"]: decode_around(row["around"]) for row in found}
    return Shown(moved, [belonging[each.callback.id].view(each.callback) for each in moved], found[0]["now"])


async def apply_and_show(
    connection: AnyConnection, callback_id: str, command: Command, *, key: str, turn: KeyedRequest | None = None
) -> Shown:
    """Locks one callback, makes the transition, stores and shows it. `key` is the id of the key that asks, `turn` the request
    whose turn is taken with it.

    Raises NotFound, LeaseLost, KeyGone, or as the transition and `check_turn` do.
    """
    return await store_and_show(
        connection, [command(*await lock_callback(connection, callback_id, key=key, turn=turn))]
    )


async def claim_and_show(
    connection: AnyConnection,
    who: Claimer,
    *,
    key: str | None,
    turn: KeyedRequest | None = None,
    count: int,
    seconds: int | None,
    looks: str,
    policy: Policy,
) -> Shown | None:
    """The next callbacks of `who`, or as many as there are; None when there is none.

    Raises TooManyHeld, KeyGone, NeedsCare, or as `check_turn` does.
    """
    moved = await claim_first(connection, who, key=key, turn=turn, count=count, seconds=seconds, policy=policy)
    if not moved:
        return None
    try:
        async with reachable():
            return await store_and_show(connection, moved, looks=looks)
    except (Refused, Unavailable):
        raise
    except Exception as error:
        raise NeedsCare from error
