"""Records that could not be read: where they came from, why, and sending them again."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from alerts.errors import NotFound
from alerts.ledger.reading.dead_letters import (
    DeadLetter,
    count_dead_letters,
    find_dead_letters,
    list_dead_letters,
    one_dead_letter,
)
from app.api.context import ChangeResult, Context
from app.api.http.answering import respond
from app.api.http.paging import next_link
from app.api.http.route import GuardedRoute, declare
from app.api.http.tags import UNCHANGED
from app.api.schemas.dead_letter import (
    AddressResource,
    BulkRedriveResult,
    DeadLetterCountResource,
    DeadLetterCounts,
    DeadLetterList,
    DeadLetterPageQuery,
    DeadLetterQuery,
    DeadLetterResource,
    OriginResource,
    RedriveRehearsal,
    RedriveRequest,
    RedriveResult,
    RehearsedResource,
)
from consumers.intake.rehearsal import Rehearsal

PATH = "/v1/dead-letters"
router = APIRouter(prefix=PATH, tags=["dead letters"], route_class=GuardedRoute)

LAST_ID = 2**63 - 1


@router.get("", summary="List dead letters", **declare("admin", "invalid-cursor", response_model=DeadLetterList))
async def index(query: Annotated[DeadLetterPageQuery, Query()], context: Context) -> Response:
    """The newest first; never the value."""
    found, more = await list_dead_letters(
        context.dependencies.engine,
        query.wanted(),
        before=context.cursors.read(PATH, query, int),
        limit=query.limit,
    )
    cursor = None if more is None else context.cursors.write(PATH, query, more)
    answer = DeadLetterList(items=[_tell(letter) for letter in found], next=cursor)
    return respond(answer, headers=next_link(context, cursor))


@router.get("/counts", summary="Count dead letters", **declare("admin", response_model=DeadLetterCounts))
async def counts(query: Annotated[DeadLetterQuery, Query()], context: Context) -> Response:
    """By reason, source and field, the most first."""
    found = await count_dead_letters(context.dependencies.engine, query.wanted())
    items = [DeadLetterCountResource(**msgspec.structs.asdict(each)) for each in found]
    return respond(DeadLetterCounts(items=items, next=None))


@router.get(
    "/{id}", summary="Read one dead letter", **declare("admin", also=UNCHANGED, response_model=DeadLetterResource)
)
async def show(id: str, context: Context) -> Response:
    answer = _tell(await one_dead_letter(context.dependencies.engine, _number(id)))
    return context.show(answer)


@router.post("/{id}/redrive", summary="Send a dead letter again", **declare("admin", response_model=RedriveResult))
async def redrive(id: str, context: Context) -> Response:
    """Through the normal way, as it was. Safe twice: its event is known by its id."""
    letter = await one_dead_letter(context.dependencies.engine, _number(id))

    async def effect() -> ChangeResult:
        return ChangeResult(RedriveResult(redriven=await context.dependencies.redrive([letter], context.actor)))

    return await context.send_out(effect)


@router.post(
    "/redrive",
    summary="Send dead letters of a kind again",
    **declare("admin", response_model=BulkRedriveResult | RedriveRehearsal),
)
async def redrive_some(body: RedriveRequest, context: Context) -> Response:
    """Those that were not sent again yet, the oldest first. With `dry_run` none is sent, and the answer says what would
    now be read. Asked again it goes on with those that are left."""

    async def effect() -> ChangeResult:
        house, which = context.dependencies, body.of_kind(pending=True)
        letters = await find_dead_letters(house.engine, which, limit=body.limit)
        waiting = sum(each.pending for each in await count_dead_letters(house.engine, which))
        left = max(0, waiting - len(letters))
        if body.dry_run:
            return ChangeResult(_tell_rehearsal(await house.rehearse(letters), left))
        sent = await house.redrive(letters, context.actor)
        return ChangeResult(BulkRedriveResult(redriven=sent, gone=len(letters) - sent, left=left))

    return await context.send_out(effect)


def _tell_rehearsal(found: Rehearsal, left: int) -> RedriveRehearsal:
    return RedriveRehearsal(
        would_be_read=found.would_be_read,
        would_not=found.would_not,
        now=found.now,
        left=left,
        items=[
            RehearsedResource(id=str(each.id), now=each.now, field=each.field, detail=each.detail)
            for each in found.items
        ],
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LAST_ID):
        raise NotFound("there is no such dead letter")
    return int(text)


def _tell(letter: DeadLetter) -> DeadLetterResource:
    address = None
    if letter.dead_topic is not None and letter.dead_partition is not None and letter.dead_offset is not None:
        address = AddressResource(topic=letter.dead_topic, partition=letter.dead_partition, offset=letter.dead_offset)
    return DeadLetterResource(
        id=str(letter.id),
        origin=OriginResource(
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            timestamp=letter.recorded_at,
        ),
        address=address,
        reason=letter.reason,
        field=letter.field,
        detail=letter.detail,
        source=letter.source,
        failed_at=letter.failed_at,
        redriven_at=letter.redriven_at,
        redriven_by=letter.redriven_by,
    )
