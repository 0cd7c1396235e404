"""The one way in which transitions reach the tables: callback, attempt, history and outbox in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Callback, Event, Transition
from alerts.errors import LeaseLost, NotFound
from alerts.ledger.bulk import encode, insert_rows, recordset
from alerts.ledger.database import ledger_now
from alerts.ledger.ids import new_id
from alerts.ledger.tables.callbacks import attempts, callbacks
from alerts.ledger.tables.events import history, outbox

_MEMBERS = tuple(str(column.name) for column in callbacks.columns)
_CHANGING = tuple(name for name in _MEMBERS if name != "id")

# Which rows changed? Those whose lease, if the transition rests on one, is still the living one at this very moment: each row
# brings the token that its move has checked, and the statement that does the work asks for token and expiry again (I10).
UPDATE_CALLBACKS = text(
    f"UPDATE callbacks AS c SET {', '.join(f'{name} = r.{name}' for name in _CHANGING)}"
    f" FROM {recordset(callbacks, _MEMBERS, 'fence TEXT')} WHERE c.id = r.id"
    " AND (r.fence IS NULL OR (c.lease_token = r.fence AND c.lease_expires_at > ledger_now()))"
)

ALL_OF_C = ", ".join(f"c.{name}" for name in _MEMBERS)
"""For hand-written statements that read whole callbacks: `text(f"SELECT {ALL_OF_C} ...").columns(*callbacks.columns)`."""

Command = Callable[[Callback, datetime], Transition]


def read_callback(row: Row[Any]) -> Callback:
    """A row of `callbacks` as the record the transitions work on."""
    mapping = row._mapping
    return msgspec.convert({name: mapping[name] for name in _MEMBERS}, Callback)


async def apply(connection: AsyncConnection, callback_id: str, move: Command) -> Transition:
    """Locks one callback, asks the clock, makes the transition, stores it. Raises NotFound, LeaseLost, or as it does."""
    callback = await lock_callback(connection, callback_id)
    moved = move(callback, await ledger_now(connection))
    await store_transitions(connection, [moved])
    return moved


async def lock_callback(connection: AsyncConnection, callback_id: str) -> Callback:
    query = select(callbacks).where(callbacks.c.id == callback_id).with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound("there is no such callback")
    return read_callback(row)


async def store_new(connection: AsyncConnection, moved: Sequence[Transition]) -> None:
    """Stores callbacks that do not exist yet, with what has happened to them so far."""
    if moved:
        await insert_rows(connection, callbacks, [msgspec.structs.asdict(each.callback) for each in moved])
        await _store_events(connection, moved)


async def store_transitions(connection: AsyncConnection, moved: Sequence[Transition]) -> None:
    """Stores changed callbacks whose rows this transaction has locked. Raises LeaseLost when a lease has run out."""
    if not moved:
        return
    rows = [{**msgspec.structs.asdict(each.callback), "fence": each.fence} for each in moved]
    changed = await connection.execute(UPDATE_CALLBACKS, {"rows": encode(rows)})
    if changed.rowcount != len(moved):
        raise LeaseLost("this lease has run out; claim the callback again")
    await _store_events(connection, moved)


async def _store_events(connection: AsyncConnection, moved: Sequence[Transition]) -> None:
    events = [(each.callback.id, event) for each in moved for event in each.events]
    await insert_rows(connection, history, [_history_row(callback_id, event) for callback_id, event in events])
    leaving = [_outbox_row(callback_id, event) for callback_id, event in events if event.kind.published]
    await insert_rows(connection, outbox, leaving)
    await insert_rows(connection, attempts, [_attempt_row(each) for each in moved if each.attempt is not None])


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
