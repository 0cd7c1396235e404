"""Reading callbacks: the list, and one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from alerts.callback import Flag
from alerts.errors import Invalid
from alerts.ledger.access.audit import write_audit
from alerts.ledger.connection.direct import AnyConnection
from alerts.ledger.database import direct_transaction, single_statement
from alerts.ledger.reading.callbacks import CallbackFilter, list_callbacks, load_detail
from app.api.context import CallbackIdPath, Context, RequestContext
from app.api.http.answering import Document, respond
from app.api.http.paging import next_link
from app.api.http.route import GuardedRoute, declare
from app.api.http.security import asks_for_its_key
from app.api.http.tags import UNCHANGED
from app.api.presenting import is_held, present_detail, present_page
from app.api.schemas.callback import CallbackDetail, CallbackList, CallbackQuery

router = APIRouter(prefix="/v1/callbacks", tags=["callbacks"], route_class=GuardedRoute)

PATH = "/v1/callbacks"
KEYS: dict[str, type] = {
    "work_order": tuple[int, datetime, str],
    "opened_at": tuple[datetime, str],
    "due_at": tuple[datetime, str],
}


@router.get(
    "",
    summary="List callbacks, masked",
    **declare("callbacks:read", "invalid-cursor", response_model=CallbackList),
)
@asks_for_its_key
async def index(query: Annotated[CallbackQuery, Query()], context: Context) -> Response:
    """In the order of work unless `sort` says otherwise; the callbacks you hold carry their lease."""
    after = context.cursors.read(PATH, query, KEYS[query.sort])
    wanted = _wanted(query, context)
    async with single_statement(context.dependencies.engine) as connection:
        page = await list_callbacks(
            connection, wanted, sort=query.sort, after=after, limit=query.limit, key=context.principal.id
        )
    items = present_page(page, context.principal, context.policy, context.base)
    cursor = None if page.more is None else context.cursors.write(PATH, query, page.more)
    return respond({"next": cursor, "items": items}, headers=next_link(context, cursor))


@router.get(
    "/{callback_id}",
    summary="Read one callback",
    **declare("callbacks:read", also=UNCHANGED, response_model=CallbackDetail),
)
@asks_for_its_key
async def show(callback_id: CallbackIdPath, context: Context) -> Response:
    """With its alerts, attempts, history, and what else is known of the customer; in full for whoever holds it."""
    async with single_statement(context.dependencies.engine) as connection:
        found = await load_detail(connection, callback_id, key=context.principal.id)
    if is_held(found.view.callback, context.principal, found.now):
        async with direct_transaction(context.dependencies.engine) as connection:
            return context.show(await present_one(connection, callback_id, context))
    return context.show(present_detail(found, context.policy, context.base, full=False, lease=False))


async def present_one(
    connection: AnyConnection, callback_id: str, context: RequestContext, *, revealed_for: str | None = None
) -> Document:
    """In full to its holder, or for the reason a lead gives; each full view is one audit row."""
    found = await load_detail(connection, callback_id)
    held = is_held(found.view.callback, context.principal, found.now)
    full = held or revealed_for is not None
    if full:
        await write_audit(
            connection,
            principal=context.actor,
            action="view" if revealed_for is None else "reveal",
            customer_id=found.view.customer.id,
            callback_id=callback_id,
            reason=revealed_for,
        )
    return present_detail(found, context.policy, context.base, full=full, lease=held)


def _wanted(query: CallbackQuery, context: RequestContext) -> CallbackFilter:
    return CallbackFilter(
        states=query.state,
        queues=query.queue,
        priorities=query.priority,
        advisor=_advisor(query.advisor, context),
        customer=query.customer,
        cause=query.cause,
        flag=None if query.flag is None else Flag(query.flag),
        overdue=query.overdue,
        q=query.q,
        opened_after=query.opened_after,
        opened_before=query.opened_before,
    )


def _advisor(named: str | None, context: RequestContext) -> str | None:
    if named != "me":
        return named
    if context.principal.advisor is None:
        raise Invalid("this key belongs to no advisor, so `me` is nobody", "/advisor")
    return context.principal.advisor
