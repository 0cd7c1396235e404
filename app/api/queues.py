"""The queues: how they stand, and stopping one for a while."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.errors import NotFound
from alerts.ledger.callbacks.queues import ensure_queues, pause_queue, resume_queue
from alerts.ledger.reading.queues import QueueSeen, see_queue, see_queues
from app.api.desk import AtDesk, Desk, Done, respond
from app.api.guard import GuardedRoute, declare
from app.api.schemas import asked, told

router = APIRouter(prefix="/v1/queues", tags=["queues"], route_class=GuardedRoute)


async def _queue_name(name: str) -> str:
    if "\0" in name:
        raise NotFound("there is no such queue")
    return name


QueueName = Annotated[str, Depends(_queue_name)]


@router.get("", summary="How the queues stand", **declare("callbacks:read", response_model=told.QueueList))
async def index(desk: AtDesk) -> Response:
    """Waiting, ready, leased, scheduled, overdue; the oldest, and the next callable moment."""
    async with desk.reading() as connection:
        found = await see_queues(connection, desk.policy.queue_names)
    return respond(told.QueueList(items=[_tell(queue) for queue in found], next=None))


@router.post("/{name}/pause", summary="Pause a queue", **declare("callbacks:lead", response_model=told.Queue))
async def pause(name: QueueName, body: asked.BecauseOf, desk: AtDesk) -> Response:
    """A paused queue offers nothing; what is held already goes on."""

    async def effect(connection: AsyncConnection) -> Done:
        await _ensure(connection, name, desk)
        await pause_queue(connection, name, by=desk.actor, reason=body.reason)
        return Done(_tell(await see_queue(connection, name)))

    return await desk.change(effect)


@router.post("/{name}/resume", summary="Resume a queue", **declare("callbacks:lead", response_model=told.Queue))
async def resume(name: QueueName, desk: AtDesk) -> Response:
    async def effect(connection: AsyncConnection) -> Done:
        await _ensure(connection, name, desk)
        await resume_queue(connection, name)
        return Done(_tell(await see_queue(connection, name)))

    return await desk.change(effect)


async def _ensure(connection: AsyncConnection, name: str, desk: Desk) -> None:
    """A queue of the policy may have had no callback yet, and so no row."""
    if name in desk.policy.queue_names:
        await ensure_queues(connection, [name])


def _tell(queue: QueueSeen) -> told.Queue:
    paused = None
    if queue.paused_at is not None:
        paused = told.Paused(at=queue.paused_at, by=queue.paused_by or "", reason=queue.paused_reason or "")
    return told.Queue(
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
