"""Signals: what chance does not explain, the newest first, and who looks after it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.learning.signal import RaisedSignal
from alerts.ledger.learning.signals import SignalFilter, acknowledge_signal, list_signals
from app.api.context import ChangeResult, Context, read_id
from app.api.http.answering import respond
from app.api.http.paging import next_link
from app.api.http.route import GuardedRoute, declare
from app.api.schemas.signal import ObservedResource, ScopeResource, SignalList, SignalQuery, SignalResource

PATH = "/v1/signals"

router = APIRouter(prefix=PATH, tags=["signals"], route_class=GuardedRoute)


@router.get("", summary="List signals", **declare("callbacks:read", "invalid-cursor", response_model=SignalList))
async def index(query: Annotated[SignalQuery, Query()], context: Context) -> Response:
    """The newest first, each with all of its arithmetic."""
    before = context.cursors.read(PATH, query, tuple[datetime, str])
    wanted = SignalFilter(kinds=query.kind, states=query.state)
    async with context.reading() as connection:
        found, more = await list_signals(connection, wanted, before=before, limit=query.limit)
    cursor = None if more is None else context.cursors.write(PATH, query, more)
    return respond(
        SignalList(items=[tell_signal(each) for each in found], next=cursor), headers=next_link(context, cursor)
    )


@router.post(
    "/{id}/acknowledge", summary="Look after a signal", **declare("callbacks:lead", response_model=SignalResource)
)
async def acknowledge(id: str, context: Context) -> Response:
    """Whoever did so first stays the one."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        signal = await acknowledge_signal(connection, read_id(id, "signal"), by=context.actor)
        return ChangeResult(tell_signal(signal), tagged=True)

    return await context.change(effect)


def tell_signal(signal: RaisedSignal) -> SignalResource:
    return SignalResource(
        id=signal.id,
        kind=signal.kind,
        state=signal.state,
        scope=ScopeResource(by=signal.scope_by, value=signal.scope_value),
        raised_at=signal.raised_at,
        since=signal.since,
        ended_at=signal.ended_at,
        observed=ObservedResource(bottom=signal.bottom, of=signal.of),
        expected=signal.expected,
        p_value=signal.p_value,
        false_alarms_a_month=signal.alarms_a_month,
        arithmetic=signal.arithmetic,
        acknowledged_at=signal.acknowledged_at,
        acknowledged_by=signal.acknowledged_by,
    )
