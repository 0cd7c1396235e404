"""News that a customer was in touch by themselves, which may make the call needless."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.callback import Transition
from alerts.clocks import CLOCK_TOLERANCE
from alerts.errors import Invalid
from alerts.ledger.actions.contacts import record_contact
from alerts.ledger.database import ledger_now
from app.api.context import ChangeResult, Context
from app.api.handles import handles
from app.api.http.route import GuardedRoute, declare
from app.api.schemas.customer import ContactEffect, ContactRequest

router = APIRouter(prefix="/v1/contacts", tags=["contacts"], route_class=GuardedRoute)


@router.post("", summary="Tell of a contact", **declare("events:ingest", response_model=ContactEffect))
async def tell(body: ContactRequest, context: Context) -> Response:
    """Closes the customer's waiting or scheduled callback, flags a leased one. A contact that is older than the
    answer, or of a customer who is to get no call, changes nothing."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        if body.at > await ledger_now(connection) + CLOCK_TOLERANCE:
            raise Invalid("a contact cannot lie in the future", "/at")
        moved = await record_contact(connection, handles(body, context), body.at, policy=context.policy)
        return ChangeResult(_tell(moved), moved=moved)

    return await context.change(effect)


def _tell(moved: list[Transition]) -> ContactEffect:
    if not moved:
        return ContactEffect(effect="none", callback=None)
    callback = moved[0].callback
    return ContactEffect(effect="flagged" if callback.is_open else "superseded", callback=callback.id)
