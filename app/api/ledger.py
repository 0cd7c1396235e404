"""The conservation table: where every consumed offset ended."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from alerts.ledger.intake.accounts import read_accounts
from app.api.desk import AtDesk, respond
from app.api.guard import GuardedRoute, declare
from app.api.schemas import told

router = APIRouter(prefix="/v1/ledger", tags=["ledger"], route_class=GuardedRoute)


@router.get("", summary="Where every offset ended", **declare("callbacks:read", response_model=told.AccountList))
async def show(desk: AtDesk) -> Response:
    """One row per topic and partition; `difference` is 0, or something was lost or counted twice."""
    accounts = await read_accounts(desk.parts.engine)
    return respond(told.AccountList(items=[told.Account(**row) for row in accounts], next=None))
