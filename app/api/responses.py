"""The answers themselves, masked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from alerts.errors import NotFound
from alerts.ledger.reading.callbacks import is_uuid
from alerts.ledger.reading.responses import ResponseFilter, list_responses, load_response
from app.api.context import Context
from app.api.http.answering import respond
from app.api.http.paging import next_link
from app.api.http.route import GuardedRoute, declare
from app.api.http.tags import UNCHANGED
from app.api.presenting import present_response
from app.api.schemas.response import ResponseList, ResponseQuery, SurveyResponseResource

PATH = "/v1/responses"
router = APIRouter(prefix=PATH, tags=["responses"], route_class=GuardedRoute)


@router.get("", summary="List answers", **declare("callbacks:read", "invalid-cursor", response_model=ResponseList))
async def index(query: Annotated[ResponseQuery, Query()], context: Context) -> Response:
    """The newest first."""
    before = context.cursors.read(PATH, query, int)
    if query.customer is not None and not is_uuid(query.customer):
        return respond(ResponseList(items=[], next=None))
    wanted = ResponseFilter(**query.model_dump(exclude={"limit", "cursor"}))
    async with context.reading() as connection:
        found, more = await list_responses(connection, wanted, before=before, limit=query.limit)
    cursor = None if more is None else context.cursors.write(PATH, query, more)
    answer = ResponseList(items=[present_response(each) for each in found], next=cursor)
    return respond(answer, headers=next_link(context, cursor))


@router.get(
    "/{id}",
    summary="Read one answer",
    **declare("callbacks:read", also=UNCHANGED, response_model=SurveyResponseResource),
)
async def show(id: str, context: Context) -> Response:
    async with context.reading() as connection:
        found = await load_response(connection, read_number(id))
    answer = present_response(found)
    return context.show(answer)


def read_number(text: str) -> int:
    """Raises NotFound for what is no plain decimal number."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise NotFound("there is no such answer")
    return int(text)
