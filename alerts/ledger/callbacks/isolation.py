"""One callback that cannot be computed or stored is put off, and the others beside it go on."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from alerts.callback import Transition
from alerts.errors import Refused, Unavailable, safe_traceback
from alerts.ledger.callbacks.store import store_transitions
from alerts.ledger.connection.direct import AnyConnection, Statement, rows, savepoint
from alerts.ledger.database import reachable
from alerts.log_fields import about

logger = logging.getLogger(__name__)

# One that the timer cannot wake is looked at again later.
PUT_OFF = Statement("UPDATE callbacks SET wake_at = ledger_now() + interval '5 minutes' WHERE id = :id")

# One that nobody can claim is not offered meanwhile either.
WITHHOLD = Statement("""
UPDATE callbacks SET ready = false, callable_from = later, wake_at = later
FROM (SELECT ledger_now() + interval '5 minutes' AS later) AS clock WHERE id = :id
""")


async def store_each(connection: AnyConnection, moved: Sequence[Transition], aside: Statement) -> list[Transition]:
    """Stores all of these at once, or else as many as can be stored; gives those. `aside` (PUT_OFF, WITHHOLD) has the rest.

    A statement that fails is tried again with half of its rows, down to the one that it fails for. Each try has a savepoint,
    so the rows stay locked and the transaction goes on. Raises Refused, and Unavailable: those are nobody's fault.
    """
    if not moved:
        return []
    try:
        async with reachable(), savepoint(connection):
            await store_transitions(connection, moved)
    except (Refused, Unavailable):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others
        if len(moved) == 1:
            await put_off(connection, moved[0].callback.id, aside, error)
            return []
    else:
        return list(moved)
    half = len(moved) // 2
    first = await store_each(connection, moved[:half], aside)
    return first + await store_each(connection, moved[half:], aside)


async def put_off(connection: AnyConnection, callback_id: str, aside: Statement, error: Exception) -> None:
    """Five minutes later it is looked at again. A row that nothing can be written to stays as it is."""
    told = about(callback=callback_id)
    logger.error("callback %s cannot be worked on and is put off: %s", callback_id, safe_traceback(error), extra=told)
    try:
        async with reachable(), savepoint(connection):
            await rows(connection, aside, id=callback_id)
    except Unavailable:
        raise
    except Exception as refusal:  # noqa: BLE001 - see above
        logger.error("callback %s cannot even be put off: %s", callback_id, safe_traceback(refusal), extra=told)
