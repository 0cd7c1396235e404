"""The conservation table: where every consumed offset ended."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from alerts.ledger.intake.accounts import read_accounts
from app.api.desk import Context, respond
from app.api.guard import GuardedRoute, declare

router = APIRouter(prefix="/v1/ledger", tags=["ledger"], route_class=GuardedRoute)


@router.get("", summary="Where every offset ended", **declare("callbacks:read", response_model=PartitionList))
async def show(desk: Context) -> Response:
    """One row per topic and partition; `difference` is 0, or something was lost or counted twice."""
    accounts = await read_accounts(desk.parts.engine)
    return respond(PartitionList(items=[PartitionResource(**row) for row in accounts], next=None))
