"""The answers themselves, masked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from alerts.errors import NotFound
from alerts.ledger.reading.callbacks import is_uuid
from alerts.ledger.reading.responses import WantedAnswers, list_answers, one_answer
from app.api.desk import AtDesk, respond
from app.api.guard import GuardedRoute, declare
from app.api.paging import next_link
from app.api.rendering import tell_response
from app.api.schemas import asked, told
from app.api.tags import UNCHANGED

PATH = "/v1/responses"
router = APIRouter(prefix=PATH, tags=["responses"], route_class=GuardedRoute)


@router.get("", summary="List answers", **declare("callbacks:read", "invalid-cursor", response_model=told.ResponseList))
async def index(query: Annotated[asked.ResponseQuery, Query()], desk: AtDesk) -> Response:
    """The newest first."""
    before = desk.cursors.read(PATH, query, int)
    if query.customer is not None and not is_uuid(query.customer):
        return respond(told.ResponseList(items=[], next=None))
    wanted = WantedAnswers(**query.model_dump(exclude={"limit", "cursor"}))
    async with desk.reading() as connection:
        found, more = await list_answers(connection, wanted, before=before, limit=query.limit)
    cursor = None if more is None else desk.cursors.write(PATH, query, more)
    answer = told.ResponseList(items=[tell_response(each) for each in found], next=cursor)
    return respond(answer, headers=next_link(desk, cursor))


@router.get(
    "/{id}", summary="Read one answer", **declare("callbacks:read", also=UNCHANGED, response_model=told.Response)
)
async def show(id: str, desk: AtDesk) -> Response:
    async with desk.reading() as connection:
        found = await one_answer(connection, read_number(id))
    answer = tell_response(found)
    return desk.show(answer)


def read_number(text: str) -> int:
    """Raises NotFound for what is no plain decimal number."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise NotFound("there is no such answer")
    return int(text)
