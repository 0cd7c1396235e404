"""What an advisor does with the callback in hand: tries, promises, resolves, and writes notes."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts import transitions
from alerts.ledger.actions.attempts import record_attempt
from alerts.resolution import Cause, CauseKind, Outcome
from app.api.context import CallbackIdPath, ChangeResult, Context
from app.api.http.route import GuardedRoute, declare
from app.api.http.security import asks_for_its_key
from app.api.schemas.callback import AttemptRequest, CallbackResource, NoteRequest, ResolveRequest, ScheduleRequest

router = APIRouter(prefix="/v1/callbacks", tags=["calls"], route_class=GuardedRoute)

LEASED = ("lease-lost", "already-resolved")


@router.post(
    "/{callback_id}/attempts",
    summary="Record a try to reach the customer",
    **declare("callbacks:work", *LEASED, "outside-calling-window", response_model=CallbackResource),
)
async def attempt(callback_id: CallbackIdPath, body: AttemptRequest, context: Context) -> Response:
    """Judged at `started_at`. Every result but `connected` ends the lease."""
    if body.override_reason is not None:
        context.principal.demand("callbacks:lead")
    new = transitions.NewAttempt(**body.model_dump(exclude={"lease_token", "number"}))

    async def effect(connection: AsyncConnection) -> ChangeResult:
        moved = await record_attempt(
            connection,
            callback_id,
            new,
            token=body.lease_token,
            number=body.number,
            actor=context.actor,
            policy=context.policy,
        )
        return await context.done(connection, moved)

    return await context.change(effect)


@router.post(
    "/{callback_id}/schedule",
    summary="Promise the customer a call",
    **declare(
        "callbacks:work",
        *LEASED,
        "outside-calling-window",
        "not-claimable",
        "do-not-call",
        response_model=CallbackResource,
    ),
)
@asks_for_its_key
async def schedule(callback_id: CallbackIdPath, body: ScheduleRequest, context: Context) -> Response:
    """At `at`, by the same advisor if `keep_owner`. A lead may promise one for a waiting callback, without a token.

    A lead who sends `keep_owner` and no token becomes the owner, if the callback has none and the lead is an advisor.
    """
    if body.lease_token is None:
        context.principal.demand("callbacks:lead")
    said_so = "keep_owner" in body.model_fields_set
    return await context.apply(
        callback_id,
        transitions.schedule,
        token=body.lease_token,
        at=body.at,
        keep_owner=body.keep_owner,
        new_owner=context.principal.advisor if said_so else None,
        actor=context.actor,
    )


@router.post(
    "/{callback_id}/resolve",
    summary="Close a callback after a conversation",
    **declare("callbacks:work", *LEASED, "callback-changed", response_model=CallbackResource),
)
@asks_for_its_key
async def resolve(callback_id: CallbackIdPath, body: ResolveRequest, context: Context) -> Response:
    """If an alert joined since the claim, `version` must be the present one: read it first."""
    return await context.apply(
        callback_id,
        transitions.resolve,
        token=body.lease_token,
        cause=Cause(CauseKind(body.cause.kind), body.cause.driver),
        outcome=Outcome(body.outcome),
        note=body.note,
        checklist=body.checklist,
        version=body.version,
        told=body.told,
    )


@router.post(
    "/{callback_id}/notes",
    summary="Write a note",
    **declare("callbacks:work", response_model=CallbackResource),
)
@asks_for_its_key
async def note(callback_id: CallbackIdPath, body: NoteRequest, context: Context) -> Response:
    """On any callback, held or not, open or not. It stands in the history and changes nothing but the version."""
    return await context.apply(callback_id, transitions.note, text=body.note, actor=context.actor)
