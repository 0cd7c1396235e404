"""The queues: how they stand, and stopping one for a while."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.errors import NotFound
from alerts.ledger.callbacks.queues import ensure_queues, pause_queue, resume_queue
from alerts.ledger.reading.queues import QueueView, load_queue, load_queues
from app.api.context import ChangeResult, Context, RequestContext
from app.api.http.answering import respond
from app.api.http.route import GuardedRoute, declare
from app.api.schemas.callback import RequiredReason
from app.api.schemas.queue import Paused, QueueList, QueueResource

router = APIRouter(prefix="/v1/queues", tags=["queues"], route_class=GuardedRoute)


async def _queue_name(name: str) -> str:
    if "\0" in name:
        raise NotFound("there is no such queue")
    return name


QueueNamePath = Annotated[str, Depends(_queue_name)]


@router.get("", summary="How the queues stand", **declare("callbacks:read", response_model=QueueList))
async def index(context: Context) -> Response:
    """Waiting, ready, leased, scheduled, overdue; the oldest, and the next callable moment."""
    async with context.reading() as connection:
        found = await load_queues(connection, context.policy.queue_names)
    return respond(QueueList(items=[_tell(queue) for queue in found], next=None))


@router.post("/{name}/pause", summary="Pause a queue", **declare("callbacks:lead", response_model=QueueResource))
async def pause(name: QueueNamePath, body: RequiredReason, context: Context) -> Response:
    """A paused queue offers nothing; what is held already goes on."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        await _ensure(connection, name, context)
        await pause_queue(connection, name, by=context.actor, reason=body.reason)
        return ChangeResult(_tell(await load_queue(connection, name)))

    return await context.change(effect)


@router.post("/{name}/resume", summary="Resume a queue", **declare("callbacks:lead", response_model=QueueResource))
async def resume(name: QueueNamePath, context: Context) -> Response:
    async def effect(connection: AsyncConnection) -> ChangeResult:
        await _ensure(connection, name, context)
        await resume_queue(connection, name)
        return ChangeResult(_tell(await load_queue(connection, name)))

    return await context.change(effect)


async def _ensure(connection: AsyncConnection, name: str, context: RequestContext) -> None:
    """A queue of the policy may have had no callback yet, and so no row."""
    if name in context.policy.queue_names:
        await ensure_queues(connection, [name])


def _tell(queue: QueueView) -> QueueResource:
    paused = None
    if queue.paused_at is not None:
        paused = Paused(at=queue.paused_at, by=queue.paused_by or "", reason=queue.paused_reason or "")
    return QueueResource(
        name=queue.name,
        paused=paused,
        waiting=queue.waiting,
        ready=queue.ready,
        leased=queue.leased,
        scheduled=queue.scheduled,
        overdue=queue.overdue,
        oldest=queue.oldest,
        next_callable_at=queue.next_callable_at,
    )
