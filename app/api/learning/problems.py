"""Known problems: what many customers call bad at once, what advisors say of it, and who is to be told that it is over."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.errors import Invalid
from alerts.learning.match import written_match
from alerts.learning.problem import KnownProblem
from alerts.ledger.learning.problems import add_problem, change_problem, end_problem, list_problems, load_problem
from alerts.ledger.reading.callbacks import CallbackFilter, list_callbacks
from app.api.context import ChangeResult, Context, as_id, read_id
from app.api.http.answering import respond
from app.api.http.paging import next_link
from app.api.http.preconditions import read_version
from app.api.http.route import GuardedRoute, declare
from app.api.http.tags import UNCHANGED, etag
from app.api.presenting import present_page
from app.api.schemas.callback import CallbackList
from app.api.schemas.known_problem import (
    KnownProblemList,
    KnownProblemPatch,
    KnownProblemQuery,
    KnownProblemRequest,
    KnownProblemResource,
    SolveRequest,
    TellQuery,
)

PATH = "/v1/problems"
READ, LEAD = "callbacks:read", "callbacks:lead"
NOUN = "problem"

router = APIRouter(prefix=PATH, tags=["problems"], route_class=GuardedRoute)


@router.get("", summary="List known problems", **declare(READ, "invalid-cursor", response_model=KnownProblemList))
async def index(query: Annotated[KnownProblemQuery, Query()], context: Context) -> Response:
    """The newest first."""
    before = context.cursors.read(PATH, query, tuple[datetime, str])
    async with context.reading() as connection:
        found, more = await list_problems(connection, query.state, before=before, limit=query.limit)
    cursor = None if more is None else context.cursors.write(PATH, query, more)
    return respond(
        KnownProblemList(items=[_tell(each) for each in found], next=cursor), headers=next_link(context, cursor)
    )


@router.post("", summary="Name a problem", **declare(LEAD, status=201, response_model=KnownProblemResource))
async def create(body: KnownProblemRequest, context: Context) -> Response:
    """It explains new bad answers at once, and within seconds the open callbacks that its condition fits."""
    members = _said(body)

    async def effect(connection: AsyncConnection) -> ChangeResult:
        problem = await add_problem(connection, members, by=context.actor)
        headers = {**etag(problem.version), "Location": f"{context.base}{PATH}/{problem.id}"}
        return ChangeResult(_tell(problem), status=201, headers=headers)

    return await context.change(effect)


@router.get("/{id}", summary="Read one problem", **declare(READ, also=UNCHANGED, response_model=KnownProblemResource))
async def show(id: str, context: Context) -> Response:
    async with context.reading() as connection:
        problem = await load_problem(connection, read_id(id, NOUN))
    return context.show(_tell(problem), version=str(problem.version))


@router.patch(
    "/{id}",
    summary="Change a problem",
    **declare(LEAD, "stale-version", "precondition-required", response_model=KnownProblemResource),
)
async def change(id: str, body: KnownProblemPatch, context: Context) -> Response:
    """Another condition explains more from now on; what was explained stays so."""
    members = _said(body)

    async def effect(connection: AsyncConnection) -> ChangeResult:
        version = read_version(context.request)
        problem = await change_problem(connection, read_id(id, NOUN), members, version=version, by=context.actor)
        return ChangeResult(_tell(problem), headers=etag(problem.version))

    return await context.change(effect)


@router.post("/{id}/solve", summary="Say that a problem is over", **declare(LEAD, response_model=KnownProblemResource))
async def solve(id: str, body: SolveRequest, context: Context) -> Response:
    """It explains no further answer. Who is still to be told stands at `callbacks?told=false`."""

    async def effect(connection: AsyncConnection) -> ChangeResult:
        problem = await end_problem(connection, read_id(id, NOUN), body.message, by=context.actor)
        return ChangeResult(_tell(problem), headers=etag(problem.version))

    return await context.change(effect)


@router.get(
    "/{id}/callbacks",
    summary="List what a problem explains, masked",
    **declare(READ, "invalid-cursor", response_model=CallbackList),
)
async def explained(id: str, query: Annotated[TellQuery, Query()], context: Context) -> Response:
    """Open and ended ones, the oldest first. A resolve with `told: true` marks one as told."""
    problem_id = read_id(id, NOUN)
    path = f"{PATH}/{problem_id}/callbacks"
    after = context.cursors.read(path, query, tuple[datetime, str])
    wanted = CallbackFilter(problem=problem_id, told=query.told)
    async with context.reading() as connection:
        await load_problem(connection, problem_id)
        page = await list_callbacks(connection, wanted, sort="opened_at", after=after, limit=query.limit)
    items = present_page(page, context.principal, context.policy, context.base)
    cursor = None if page.more is None else context.cursors.write(path, query, page.more)
    return respond({"next": cursor, "items": items}, headers=next_link(context, cursor))


def _said(body: KnownProblemRequest | KnownProblemPatch) -> dict[str, Any]:
    """The members that were given, as the record has them. Raises Invalid."""
    said: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "match" in said:
        said["match"] = written_match(said["match"])
    if "signal" in said:
        said["signal_id"] = _signal_id(said.pop("signal"))
    return said


def _signal_id(text: str | None) -> str | None:
    found = None if text is None else as_id(text)
    if text is not None and found is None:
        raise Invalid("there is no such signal; name one of /v1/signals", "/signal")
    return found


def _tell(problem: KnownProblem) -> KnownProblemResource:
    members = msgspec.structs.asdict(problem)
    return KnownProblemResource(signal=members.pop("signal_id"), **members)
