"""Signals: raised by a look at every closed hour, each once, and acknowledged by a lead."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Row, func, insert, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.errors import NotFound
from alerts.learning.signal import RaisedSignal, SignalState, acknowledged, observed, seen_again, unseen
from alerts.learning.watching import HourlyCounts, Sighting, SignalKind, WatchedScope, look
from alerts.ledger.access.audit import write_change
from alerts.ledger.bulk import insert_rows
from alerts.ledger.database import ledger_now, transaction
from alerts.ledger.ids import new_id
from alerts.ledger.learning.hourly import HOUR, hour_began, hour_number, hourly_counts, next_hour
from alerts.ledger.tables.events import outbox
from alerts.ledger.tables.learning import signal_looks, signals
from alerts.policy import Policy

SETTLE = timedelta(minutes=5)
"""An hour is looked at so long after its end: answers take a while to get here."""

EVENT = "bottombox.signal.raised"

# One replica looks; the others have nothing to do.
ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(hashtextextended('signals', 0))")

s = signals.c


class Looked(Struct, frozen=True):
    """What a look has raised anew, and whether a later hour is over already."""

    raised: Sequence[RaisedSignal] = ()
    more: bool = False


class SignalFilter(Struct, frozen=True, kw_only=True):
    """None lets everything pass; several values match any of them."""

    kinds: Sequence[SignalKind] | None = None
    states: Sequence[SignalState] | None = None


async def look_once(engine: AsyncEngine, policy: Policy) -> Looked:
    """At the next closed hour that nobody has looked at, in one transaction. Raises Unavailable."""
    rules = policy.signals
    if not rules.alarms_a_month:
        return Looked()
    async with transaction(engine) as connection:
        if not (await connection.execute(ONE_AT_A_TIME)).scalar_one():
            return Looked()
        now = await ledger_now(connection)
        newest = hour_began(now - SETTLE, rules.zone)
        last = (await connection.execute(select(func.max(signal_looks.c.until)))).scalar_one()
        until = next_hour(last, newest, rules.zone)
        if until is None:
            return Looked()
        await connection.execute(insert(signal_looks).values(until=until, looked_at=now))
        counts = await hourly_counts(connection, until, sorted({"source", *rules.watch}), rules.zone)
        hour = hour_number(until - HOUR, rules.zone)
        found = await asyncio.to_thread(
            look, counts, hour, rules
        )  # of many scopes it takes longer than others should wait
        sightings = {(each.kind, each.scope): each for each in found}
        known = await _follow(connection, sightings, counts, until, rules.zone)
        new = [_raised(each, hour, until, now) for key, each in sightings.items() if key not in known]
        await _store(connection, new)
        return Looked(new, until < newest)


async def _follow(
    connection: AsyncConnection,
    sightings: Mapping[tuple[SignalKind, WatchedScope], Sighting],
    counts: Mapping[WatchedScope, HourlyCounts],
    until: datetime,
    zone: str,
) -> set[tuple[SignalKind, WatchedScope]]:
    """What goes on, and what is over; the former is not raised again."""
    going_on = set()
    for row in await connection.execute(select(signals).where(s.ended_at.is_(None)).with_for_update()):
        before = read_signal(row)
        key = (before.kind, before.scope)
        begun = hour_number(before.since, zone)
        is_heard = any(hour >= begun for hour in counts.get(before.scope, ()))
        after = seen_again(before, until) if key in sightings else unseen(before, until, is_heard=is_heard)
        if after != before:
            values = {"seen_at": after.seen_at, "ended_at": after.ended_at}
            await connection.execute(update(signals).where(s.id == before.id).values(values))
        if after.ended_at is None:
            going_on.add(key)
    return going_on


def _raised(sighting: Sighting, hour: int, until: datetime, now: datetime) -> RaisedSignal:
    bottom, of = observed(sighting.found)
    return RaisedSignal(
        id=new_id(now),
        kind=sighting.kind,
        scope_by=sighting.scope.by,
        scope_value=sighting.scope.value,
        raised_at=now,
        since=until - (hour + 1 - sighting.since) * HOUR,
        seen_at=until,
        bottom=bottom,
        of=of,
        expected=sighting.found.expected,
        p_value=sighting.found.p_value,
        alarms_a_month=sighting.found.budget.alarms_a_month,
        arithmetic=msgspec.to_builtins(sighting.found),
    )


async def _store(connection: AsyncConnection, new: Sequence[RaisedSignal]) -> None:
    await insert_rows(connection, signals, [structs.asdict(each) for each in new])
    await insert_rows(connection, outbox, [_event(each) for each in new])


def _event(signal: RaisedSignal) -> dict[str, Any]:
    return {
        "id": new_id(signal.raised_at),
        "type": EVENT,
        "subject": signal.id,
        "at": signal.raised_at,
        "data": {
            "signal": signal.id,
            "kind": signal.kind,
            "scope": {"by": signal.scope_by, "value": signal.scope_value},
            "since": signal.since,
            "observed": {"bottom": signal.bottom, "of": signal.of},
            "expected": signal.expected,
            "p_value": signal.p_value,
            "false_alarms_a_month": signal.alarms_a_month,
        },
    }


async def acknowledge_signal(connection: AsyncConnection, signal_id: str, *, by: str) -> RaisedSignal:
    """Raises NotFound."""
    row = (await connection.execute(select(signals).where(s.id == signal_id).with_for_update())).one_or_none()
    if row is None:
        raise NotFound("there is no such signal")
    before = read_signal(row)
    after = acknowledged(before, by=by, now=await ledger_now(connection))
    if after != before:
        values = {name: getattr(after, name) for name in ("state", "acknowledged_at", "acknowledged_by")}
        await connection.execute(update(signals).where(s.id == signal_id).values(values))
        await write_change(connection, principal=by, action="signal_acknowledged", subject=f"signal {signal_id}")
    return after


async def list_signals(
    connection: AsyncConnection, wanted: SignalFilter, *, before: tuple[datetime, str] | None, limit: int
) -> tuple[list[RaisedSignal], tuple[datetime, str] | None]:
    """One page, the newest first, and the key before which the next one begins; None on the last page."""
    query = select(signals).order_by(s.raised_at.desc(), s.id.desc()).limit(limit + 1)
    if wanted.kinds is not None:
        query = query.where(s.kind.in_(wanted.kinds))
    if wanted.states is not None:
        query = query.where(s.state.in_(wanted.states))
    if before is not None:
        query = query.where(tuple_(s.raised_at, s.id) < tuple_(*before))
    rows = (await connection.execute(query)).all()
    page = [read_signal(row) for row in rows[:limit]]
    return page, (page[-1].raised_at, page[-1].id) if len(rows) > limit else None


def read_signal(row: Row[Any]) -> RaisedSignal:
    return msgspec.convert({name: row._mapping[name] for name in RaisedSignal.__struct_fields__}, RaisedSignal)
