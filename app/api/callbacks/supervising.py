"""What a lead does with callbacks: begin again, give to somebody, to another queue, up the ladder, or look closely."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts import transitions
from alerts.callback import Transition
from alerts.errors import NotFound, Refused
from alerts.ledger.actions.reopening import reopen_callback
from alerts.ledger.actions.requeueing import check_queue, move_many_to_queue, move_to_queue
from alerts.ledger.callbacks.of_customer import customer_of
from app.api.callbacks.reading import present_one
from app.api.context import CallbackIdPath, ChangeResult, Context, as_id
from app.api.http.route import GuardedRoute, declare
from app.api.schemas.callback import (
    AssignRequest,
    CallbackDetail,
    CallbackResource,
    MoveManyRequest,
    MoveRequest,
    MoveResult,
    MoveResultList,
    OptionalReason,
    RequiredReason,
)

router = APIRouter(prefix="/v1/callbacks", tags=["leads"], route_class=GuardedRoute)

LEAD = "callbacks:lead"


@router.post("/move", summary="Move callbacks to a queue", **declare(LEAD, response_model=MoveResultList))
async def move_many(body: MoveManyRequest, context: Context) -> Response:
    """Up to 200; each item says what became of it."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        await check_queue(connection, body.queue, context.policy)
        ids = {named: as_id(named) for named in body.ids}
        known = [callback_id for callback_id in ids.values() if callback_id is not None]
        results = await move_many_to_queue(connection, known, body.queue, actor=context.actor, policy=context.policy)
        items = [_item(named, results.get(ids[named] or "")) for named in body.ids]
        moved = [each for each in results.values() if isinstance(each, Transition)]
        return ChangeResult(MoveResultList(items=items, next=None), moved=moved)

    return await context.change(effect)


def _item(named: str, result: Transition | Refused | None) -> MoveResult:
    if isinstance(result, Transition):
        return MoveResult(id=named, status="moved")
    refused = result or NotFound("there is no such callback")
    return MoveResult(id=named, status="refused", code=refused.code, detail=str(refused))


@router.post(
    "/{callback_id}/move",
    summary="Move a callback to a queue",
    **declare(LEAD, "already-resolved", response_model=CallbackResource),
)
async def move(callback_id: CallbackIdPath, body: MoveRequest, context: Context) -> Response:
    """It keeps the waiting time it has earned."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        await check_queue(connection, body.queue, context.policy)
        moved = await move_to_queue(connection, callback_id, body.queue, actor=context.actor, policy=context.policy)
        return await context.done(connection, moved)

    return await context.change(effect)


@router.post(
    "/{callback_id}/reopen",
    summary="Begin a callback again",
    **declare(LEAD, "not-claimable", "do-not-call", response_model=CallbackResource),
)
async def reopen(
    callback_id: CallbackIdPath, body: Annotated[OptionalReason, Body(default_factory=OptionalReason)], context: Context
) -> Response:
    """With fresh targets and attempts; refused while the customer has another open callback."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        moved = await reopen_callback(
            connection, callback_id, actor=context.actor, reason=body.reason, policy=context.policy
        )
        return await context.done(connection, moved)

    return await context.change(effect)


@router.post(
    "/{callback_id}/assign",
    summary="Reserve a callback for an advisor",
    **declare(LEAD, "already-resolved", "not-claimable", response_model=CallbackResource),
)
async def assign(callback_id: CallbackIdPath, body: AssignRequest, context: Context) -> Response:
    """For the policy's hours it is offered to nobody else."""
    return await context.apply(callback_id, transitions.assign, advisor=body.advisor, actor=context.actor)


@router.post(
    "/{callback_id}/escalate",
    summary="Take the next escalation step now",
    **declare(LEAD, "already-resolved", response_model=CallbackResource),
)
async def escalate(
    callback_id: CallbackIdPath, body: Annotated[OptionalReason, Body(default_factory=OptionalReason)], context: Context
) -> Response:
    """Above the last step of the ladder, the last one again."""
    return await context.apply(callback_id, transitions.escalate, actor=context.actor, reason=body.reason)


@router.post(
    "/{callback_id}/reveal",
    summary="See a callback in full",
    **declare(LEAD, response_model=CallbackDetail),
)
async def reveal(callback_id: CallbackIdPath, body: RequiredReason, context: Context) -> Response:
    """The reason is kept. Outside the calling window the number stays masked."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        answer = await present_one(connection, callback_id, context, revealed_for=body.reason)
        customer = await customer_of(connection, callback_id)
        return ChangeResult(answer, shown_in_full=(customer,), tagged=True)

    return await context.change(effect)
