"""Taking a callback, keeping it, and giving it back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts import transitions
from alerts.callback import Transition
from alerts.errors import IdempotencyInProgress, Invalid
from alerts.ledger.access.audit import Look, write_audits
from alerts.ledger.actions.working import Shown, claim_and_show
from alerts.ledger.callbacks.claims import Claimer, anything_for, claim_next, claim_one, next_callable
from alerts.ledger.connection.direct import DirectConnection
from alerts.ledger.database import ledger_now, single_statement
from alerts.ledger.reading.callbacks import load_views
from alerts.transitions.supervising import take_back
from app.api.context import CallbackIdPath, ChangeResult, Context, RequestContext, TriedEffect, TriedShortEffect
from app.api.http.idempotency import HEADER, KeyedRequest
from app.api.http.problems import seconds_header
from app.api.http.route import GuardedRoute, declare
from app.api.http.security import asks_for_its_key
from app.api.presenting import explain, present_callback
from app.api.schemas.callback import (
    CallbackList,
    CallbackResource,
    ClaimOneRequest,
    ClaimQuery,
    ClaimRequest,
    ExtendRequest,
    ReleaseRequest,
    SkipRequest,
)

router = APIRouter(prefix="/v1/callbacks", tags=["claims"], route_class=GuardedRoute)

POLL_SECONDS = 0.5
RETRY_SECONDS = 5.0
RETRY_AT_MOST = 30.0  # new callbacks may come at any time

NOTHING: dict[int | str, dict[str, Any]] = {
    204: {
        "description": "There is none now",
        "headers": {
            "Retry-After": {"schema": {"type": "integer"}, "description": "seconds"},
            "Bottombox-Next-Callable-At": {"schema": {"type": "string", "format": "date-time"}},
        },
    }
}

LEASED = ("lease-lost", "already-resolved")


@router.post(
    "/claim",
    summary="Take the next callback",
    **declare("callbacks:work", "too-many-held", also=NOTHING, response_model=CallbackResource | CallbackList),
)
@asks_for_its_key
async def claim(
    body: Annotated[ClaimRequest, Body(default_factory=ClaimRequest)],
    query: Annotated[ClaimQuery, Query()],
    context: Context,
) -> Response:
    """The first in the order of work that may be phoned now, in full, with its lease; a list when `count` is given.

    204 when there is none, with `Retry-After` and, when it is known, `Bottombox-Next-Callable-At`.
    """
    who = _claimer(body, context)
    if (body.count or 1) > 1:
        context.principal.demand("callbacks:dial")
    effect = partial(_claim_next, context=context, who=who, body=body, with_terms=query.explain)
    short = partial(_claim_first, context=context, who=who, body=body, with_terms=query.explain)
    loop = asyncio.get_running_loop()
    until = loop.time() + body.wait_seconds
    is_worth_it = True
    while True:
        is_last = loop.time() >= until or context.dependencies.stopping.is_set()
        response = await _try(context, effect, short, is_last=is_last) if is_worth_it or is_last else None
        if response is not None:
            return response
        if is_last:
            return await _nothing(context, who)
        await _pause(context, until - loop.time())
        if await context.request.is_disconnected():  # or the next try would take one for nobody
            return await _nothing(context, who)
        is_worth_it = await _is_worth_it(context, who)


@router.post(
    "/{callback_id}/claim",
    summary="Take this callback",
    **declare(
        "callbacks:work", "not-claimable", "outside-calling-window", "too-many-held", response_model=CallbackResource
    ),
)
async def claim_this(
    callback_id: CallbackIdPath,
    body: Annotated[ClaimOneRequest, Body(default_factory=ClaimOneRequest)],
    context: Context,
) -> Response:
    """If the customer may be phoned now."""
    who = _claimer(body, context)

    async def effect(connection: AsyncConnection) -> ChangeResult:
        moved = await claim_one(connection, callback_id, who, seconds=body.lease_seconds, policy=context.policy)
        return await _claimed(connection, context, [moved])

    return await context.change(effect)


@router.post(
    "/{callback_id}/extend",
    summary="Keep a callback longer",
    **declare("callbacks:work", *LEASED, response_model=CallbackResource),
)
@asks_for_its_key
async def extend(callback_id: CallbackIdPath, body: ExtendRequest, context: Context) -> Response:
    """Counted from now, up to the policy's ceiling after the claim; never shortens a lease."""
    seconds = body.lease_seconds or context.policy.leases.seconds
    return await context.apply(callback_id, transitions.extend, token=body.lease_token, seconds=seconds)


@router.post(
    "/{callback_id}/release",
    summary="Give a callback back",
    **declare("callbacks:work", *LEASED, "not-claimable", response_model=CallbackResource),
)
@asks_for_its_key
async def release(callback_id: CallbackIdPath, body: ReleaseRequest, context: Context) -> Response:
    """It keeps the waiting time it has earned. Without the token a lead takes it back from its holder, or lets a call be
    made to a customer who asked not to be phoned."""
    reason = body.reason or "no reason given"
    if body.lease_token is None:
        context.principal.demand("callbacks:lead")
        return await context.apply(callback_id, take_back, actor=context.actor, reason=reason)
    return await context.apply(callback_id, transitions.release, token=body.lease_token, reason=reason)


@router.post(
    "/{callback_id}/skip",
    summary="Hand an offer back",
    **declare("callbacks:work", *LEASED, response_model=CallbackResource),
)
@asks_for_its_key
async def skip(callback_id: CallbackIdPath, body: SkipRequest, context: Context) -> Response:
    """Counted, and for a while not offered to the same advisor again."""
    return await context.apply(callback_id, transitions.skip, token=body.lease_token, reason=body.reason)


def _claimer(body: ClaimOneRequest, context: RequestContext) -> Claimer:
    """Who claims: the key's own advisor, or whom a dialer names. Queues and languages default to the key's."""
    own = context.principal
    advisor = body.advisor or own.advisor
    if advisor is None:
        raise Invalid("this key belongs to no advisor; say who claims", "/advisor")
    if own.advisor is not None and advisor != own.advisor:
        own.demand("callbacks:dial")
    queues, languages = own.queues, own.languages
    if isinstance(body, ClaimRequest):
        queues = tuple(body.queues) if body.queues else queues
        languages = tuple(body.languages) if body.languages else languages
    at_most = None if own.may("callbacks:dial") else context.policy.leases.held_at_most
    return Claimer(advisor=advisor, queues=queues, languages=languages, at_most=at_most)


async def _try(
    context: RequestContext,
    effect: TriedEffect,
    short: TriedShortEffect,
    *,
    is_last: bool,
) -> Response | None:
    """A twin with the same Idempotency-Key waits like its first: whoever claims, both answer with that."""
    try:
        return await context.try_change(effect, short=short)
    except IdempotencyInProgress:
        if is_last:
            raise
        return None


async def _is_worth_it(context: RequestContext, who: Claimer) -> bool:
    """Whether to try again: one look is cheaper than a try. A twin must try, to hear what its first was answered."""
    if HEADER in context.request.headers:
        return True
    async with single_statement(context.dependencies.engine) as connection:
        return await anything_for(connection, who)


async def _claim_next(
    connection: AsyncConnection, *, context: RequestContext, who: Claimer, body: ClaimRequest, with_terms: bool
) -> ChangeResult | None:
    moved = await claim_next(connection, who, count=body.count or 1, seconds=body.lease_seconds, policy=context.policy)
    if not moved:
        return None
    return await _claimed(connection, context, moved, as_list=body.count is not None, with_terms=with_terms)


async def _claim_first(
    connection: DirectConnection,
    turn: KeyedRequest | None,
    *,
    context: RequestContext,
    who: Claimer,
    body: ClaimRequest,
    with_terms: bool,
) -> ChangeResult | None:
    """The same in fewer round trips, while nothing is in the way."""
    shown = await claim_and_show(
        connection,
        who,
        key=context.principal.id,
        turn=turn,
        count=body.count or 1,
        seconds=body.lease_seconds,
        looks=context.actor,
        policy=context.policy,
    )
    if shown is None:
        return None
    return _in_full(context, shown, as_list=body.count is not None, with_terms=with_terms)


async def _claimed(
    connection: AsyncConnection,
    context: RequestContext,
    moved: Sequence[Transition],
    *,
    as_list: bool = False,
    with_terms: bool = False,
) -> ChangeResult:
    """In full, and so one audit row each."""
    found = await load_views(connection, [each.callback for each in moved])
    now = await ledger_now(connection)
    looks = [Look(seen.customer.id, seen.callback.id) for seen in found]
    await write_audits(connection, looks, principal=context.actor, action="claim")
    return _in_full(context, Shown(moved, found, now), as_list=as_list, with_terms=with_terms)


def _in_full(context: RequestContext, shown: Shown, *, as_list: bool, with_terms: bool) -> ChangeResult:
    items = []
    for seen in shown.views:
        item = present_callback(seen, shown.now, context.policy, context.base, full=True, lease=True)
        items.append(item | {"explain": explain(seen.callback, context.policy)} if with_terms else item)
    customers = tuple(seen.customer.id for seen in shown.views)
    if as_list:
        return ChangeResult({"next": None, "items": items}, moved=shown.moved, shown_in_full=customers)
    return ChangeResult(items[0], moved=shown.moved, shown_in_full=customers, tagged=True)


async def _nothing(context: RequestContext, who: Claimer) -> Response:
    """When to ask again: soon, for news comes at any time; sooner when a window is about to open."""
    async with single_statement(context.dependencies.engine) as connection:
        moment, now = await next_callable(connection, who.queues)
    if moment is None:
        return Response(status_code=204, headers={"Retry-After": seconds_header(RETRY_SECONDS)})
    wait = min((moment - now).total_seconds(), RETRY_AT_MOST)
    at = moment.isoformat().replace("+00:00", "Z")
    return Response(status_code=204, headers={"Retry-After": seconds_header(wait), "Bottombox-Next-Callable-At": at})


async def _pause(context: RequestContext, left: float) -> None:
    """About half a second, each waiter at its own moment; at once when the process is to stop."""
    seconds = min(POLL_SECONDS * random.uniform(0.7, 1.3), max(left, 0.0))  # noqa: S311 - spreads load
    try:
        await asyncio.wait_for(context.dependencies.stopping.wait(), seconds)
    except TimeoutError:
        return
