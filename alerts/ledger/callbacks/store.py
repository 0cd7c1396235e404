"""The one way in which transitions reach the tables: callback, attempt, history and outbox in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Table

from alerts.callback import Attempt, Callback, Event, Transition
from alerts.errors import LeaseLost, NotFound
from alerts.ledger.access.idempotency import TURN, TURN_MEMBERS, KeyedRequest, check_turn, turn_of
from alerts.ledger.access.keys import KEY_LIVES, check_key
from alerts.ledger.bulk import encode, insert_sql, recordset
from alerts.ledger.connection.direct import AnyConnection, Statement, rows
from alerts.ledger.ids import new_id
from alerts.ledger.tables.callbacks import attempts, callbacks
from alerts.ledger.tables.events import history, outbox

_MEMBERS = tuple(str(column.name) for column in callbacks.columns)
_CHANGING = tuple(name for name in _MEMBERS if name != "id")

_HISTORY = ("callback_id", "at", "kind", "actor", "data", "text", "measured", "version")
_OUTBOX = ("id", "type", "subject", "at", "data")
_ATTEMPTS = ("callback_id", "number", *Attempt.__struct_fields__)

# Which rows changed? Those whose lease, if the transition rests on one, is still the living one at this very moment: each row
# brings the token that its move has checked, and the statement that does the work asks for token and expiry again (I10).
_UPDATE = (
    f"UPDATE callbacks AS c SET {', '.join(f'{name} = r.{name}' for name in _CHANGING)}"
    f" FROM {recordset(callbacks, _MEMBERS, 'fence TEXT')} WHERE c.id = r.id"
    " AND (r.fence IS NULL OR (c.lease_token = r.fence AND c.lease_expires_at > ledger_now()))"
)

STORING = f"""
WITH stored AS ({_UPDATE} RETURNING c.id, c.customer_id, c.problem_id),
told AS ({insert_sql(history, _HISTORY, parameter="history")}),
leaving AS ({insert_sql(outbox, _OUTBOX, parameter="outbox")}),
tried AS ({insert_sql(attempts, _ATTEMPTS, parameter="attempts")})
"""
"""Statements begin with it that store changed callbacks, with what has happened to them, and then ask something of those
that are `stored`: all in one round trip."""

STORE_CHANGED = Statement(f"{STORING} SELECT count(*) AS stored FROM stored")

ALL_OF_C = ", ".join(f"c.{name}" for name in _MEMBERS)
"""For hand-written statements that read whole callbacks: `text(f"SELECT {ALL_OF_C} ...").columns(*callbacks.columns)`."""

# Which row is it? The clock is read above the lock, so it is not from before a wait for it.
LOCK = Statement(f"""
SELECT {KEY_LIVES} AS key_lives, {TURN_MEMBERS}, CAST(to_json(c) AS text) AS callback, ledger_now() AS now
FROM {TURN} LEFT JOIN LATERAL (
    SELECT * FROM callbacks WHERE id = :id AND turn.is_first IS NOT FALSE FOR UPDATE) AS c ON true
""")

decode_callback = msgspec.json.Decoder(Callback).decode
"""A row of `callbacks` that PostgreSQL has made JSON of, as the record the transitions work on."""

Command = Callable[[Callback, datetime], Transition]


def read_callback(row: Row[Any]) -> Callback:
    """A row of `callbacks` as the record the transitions work on."""
    mapping = row._mapping
    return msgspec.convert({name: mapping[name] for name in _MEMBERS}, Callback)


async def apply(connection: AnyConnection, callback_id: str, command: Command) -> Transition:
    """Locks one callback, makes the transition, stores it. Raises NotFound, LeaseLost, or as it does."""
    moved = command(*await lock_callback(connection, callback_id))
    await store_transitions(connection, [moved])
    return moved


async def lock_callback(
    connection: AnyConnection, callback_id: str, *, key: str | None = None, turn: KeyedRequest | None = None
) -> tuple[Callback, datetime]:
    """The callback, and the ledger's clock once it is locked. `key`: an id, to be looked at too; `turn`: the request whose
    turn is taken with it. Raises NotFound, KeyGone, or as `check_turn` does."""
    [found] = await rows(connection, LOCK, id=callback_id, key=key, **turn_of(turn))
    check_key(found)
    check_turn(found, turn)
    if found["callback"] is None:
        raise NotFound("there is no such callback")
    return decode_callback(found["callback"]), found["now"]


async def store_transitions(connection: AnyConnection, moved: Sequence[Transition]) -> None:
    """Stores changed callbacks whose rows this transaction has locked. Raises LeaseLost when a lease has run out."""
    if not moved:
        return
    [found] = await rows(connection, STORE_CHANGED, **changed(moved))
    check_stored(found["stored"], moved)


def changed(moved: Sequence[Transition]) -> dict[str, str]:
    """What a statement that begins with STORING is given."""
    members = [{**msgspec.structs.asdict(each.callback), "fence": each.fence} for each in moved]
    return {"rows": encode(members)} | {table.name: encode(more) for table, more in events_of(moved).items()}


def check_stored(count: int, moved: Sequence[Transition]) -> None:
    """Raises LeaseLost when fewer were stored than moved: a lease has run out."""
    if count != len(moved):
        raise LeaseLost("this lease has run out; claim the callback again")


def events_of(moved: Iterable[Transition]) -> dict[Table, list[dict[str, Any]]]:
    """What happened, by the table that keeps it."""
    events = [(each.callback.id, event) for each in moved for event in each.events]
    return {
        history: [_history_row(callback_id, event) for callback_id, event in events],
        outbox: [_outbox_row(callback_id, event) for callback_id, event in events if event.kind.published],
        attempts: [_attempt_row(each) for each in moved if each.attempt is not None],
    }


def _history_row(callback_id: str, event: Event) -> dict[str, Any]:
    return {
        "callback_id": callback_id,
        "at": event.at,
        "kind": event.kind,
        "actor": event.actor,
        "data": event.data,
        "text": event.text,
        "measured": event.measured,
        "version": event.version,
    }


def _outbox_row(callback_id: str, event: Event) -> dict[str, Any]:
    about = {"callback": callback_id, "state": event.state, "version": event.version, "actor": event.actor}
    return {
        "id": new_id(event.at),
        "type": f"bottombox.callback.{event.kind}",
        "subject": callback_id,
        "at": event.at,
        "data": {**about, **event.data},
    }


def _attempt_row(moved: Transition) -> dict[str, Any]:
    assert moved.attempt is not None
    row = msgspec.structs.asdict(moved.attempt)
    return {"callback_id": moved.callback.id, "number": moved.callback.attempts_count, **row}
