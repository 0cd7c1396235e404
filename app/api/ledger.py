"""The conservation table: where every consumed offset ended."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from alerts.ledger.intake.accounts import read_accounts
from app.api.context import Context
from app.api.http.answering import respond
from app.api.http.route import GuardedRoute, declare
from app.api.schemas.ledger import PartitionList, PartitionResource

router = APIRouter(prefix="/v1/ledger", tags=["ledger"], route_class=GuardedRoute)


@router.get("", summary="Where every offset ended", **declare("callbacks:read", response_model=PartitionList))
async def show(context: Context) -> Response:
    """One row per topic and partition; `difference` is 0, or something was lost or counted twice."""
    accounts = await read_accounts(context.dependencies.engine)
    return respond(PartitionList(items=[PartitionResource(**row) for row in accounts], next=None))
