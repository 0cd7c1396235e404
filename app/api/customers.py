"""Customers: finding one by a handle, putting number, zone or language right, and opting out."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.errors import NotFound
from alerts.ledger.access.audit import write_audit
from alerts.ledger.actions.corrections import correct_customer, holds_callback_of
from alerts.ledger.actions.opt_out import opt_out, withdraw_opt_out
from alerts.ledger.customers.lookup import find_customer
from alerts.ledger.customers.record import customer_by_ref
from app.api.context import ChangeResult, Context, CustomerRefPath, RequestContext
from app.api.handles import handles
from app.api.http.preconditions import if_match
from app.api.http.route import GuardedRoute, declare
from app.api.http.tags import UNCHANGED, etag
from app.api.presenting import present_customer
from app.api.schemas.customer import CustomerPatch, CustomerResource, LookupRequest, RefResource

router = APIRouter(prefix="/v1/customers", tags=["customers"], route_class=GuardedRoute)

LEAD = "callbacks:lead"


@router.post("/lookup", summary="Find a customer by a handle", **declare(LEAD, "not-found", response_model=RefResource))
async def lookup(body: LookupRequest, context: Context) -> Response:
    async def effect(connection: AsyncConnection) -> ChangeResult:
        person = await find_customer(connection, handles(body, context))
        if person is None:
            raise NotFound("no customer is known by these handles")
        await write_audit(connection, principal=context.actor, action="lookup", customer_id=person.id)
        return ChangeResult(RefResource(ref=person.ref))

    return await context.change(effect)


@router.get(
    "/{ref}", summary="Read a customer, masked", **declare(LEAD, also=UNCHANGED, response_model=CustomerResource)
)
async def show(ref: CustomerRefPath, context: Context) -> Response:
    async with context.reading() as connection:
        person = await customer_by_ref(connection, ref)
        await write_audit(connection, principal=context.actor, action="read", customer_id=person.id)
    return context.show(present_customer(person), version=person.version)


@router.patch(
    "/{ref}",
    summary="Put a number, zone or language right",
    **declare("callbacks:work", "stale-version", "precondition-required", response_model=CustomerResource),
)
async def mend(ref: CustomerRefPath, body: CustomerPatch, context: Context) -> Response:
    """For a lead, and for the advisor who holds the customer's callback. Answers leave it alone from then on."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}

    async def effect(connection: AsyncConnection) -> ChangeResult:
        await _check_may_mend(connection, ref, context)
        version = if_match(context.request)
        person, moved = await correct_customer(
            connection, ref, changes, version=version, actor=context.actor, policy=context.policy
        )
        return ChangeResult(present_customer(person), headers=etag(person.version), moved=moved)

    return await context.change(effect)


@router.put("/{ref}/opt-out", summary="No more calls to this customer", **declare(LEAD, status=204))
async def put_opt_out(ref: CustomerRefPath, context: Context) -> Response:
    """Closes a waiting or scheduled callback in the same transaction, flags a leased one."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        moved = await opt_out(connection, ref, actor=context.actor, policy=context.policy)
        return ChangeResult(None, status=204, moved=moved)

    return await context.change(effect)


@router.delete("/{ref}/opt-out", summary="Calls are welcome again", **declare(LEAD, status=204))
async def delete_opt_out(ref: CustomerRefPath, context: Context) -> Response:
    """For later answers only; what was closed stays closed."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        await withdraw_opt_out(connection, ref, actor=context.actor)
        return ChangeResult(None, status=204)

    return await context.change(effect)


async def _check_may_mend(connection: AsyncConnection, ref: str, context: RequestContext) -> None:
    if not context.principal.may(LEAD) and not await holds_callback_of(connection, ref, context.principal.advisor):
        context.principal.demand(LEAD)
