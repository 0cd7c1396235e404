"""Action plans: what is done about a cause, by whom, until when, and whether it helped."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from alerts.errors import Invalid
from alerts.insights.effect import ActionEffect
from alerts.learning.match import written_match
from alerts.learning.plan import ActionPlan
from alerts.ledger.database import ledger_now
from alerts.ledger.learning.effects import effect_of
from alerts.ledger.learning.plans import PlanFilter, add_plan, change_plan, list_plans, load_plan, today_of
from alerts.policy import Policy
from alerts.resolution import Cause, CauseKind, check_cause
from app.api.context import ChangeResult, Context, as_id, read_id
from app.api.http.answering import respond
from app.api.http.paging import next_link
from app.api.http.preconditions import read_version
from app.api.http.route import GuardedRoute, declare
from app.api.http.tags import UNCHANGED, etag
from app.api.schemas.action import (
    ActionDetail,
    ActionList,
    ActionPatch,
    ActionQuery,
    ActionRequest,
    ActionResource,
    EffectResource,
)
from app.api.schemas.callback import CauseRequest

PATH = "/v1/actions"
READ, LEAD = "callbacks:read", "callbacks:lead"
NOUN = "action plan"

router = APIRouter(prefix=PATH, tags=["actions"], route_class=GuardedRoute)


@router.get("", summary="List action plans", **declare(READ, "invalid-cursor", response_model=ActionList))
async def index(query: Annotated[ActionQuery, Query()], context: Context) -> Response:
    """What is due soonest first."""
    after = context.cursors.read(PATH, query, tuple[date, str])
    async with context.reading() as connection:
        today = today_of(await ledger_now(connection))
        wanted = PlanFilter(states=query.state, owner=query.owner, overdue=query.overdue, today=today)
        found, more = await list_plans(connection, wanted, after=after, limit=query.limit)
    cursor = None if more is None else context.cursors.write(PATH, query, more)
    answer = ActionList(items=[ActionResource(**_members(plan, today)) for plan in found], next=cursor)
    return respond(answer, headers=next_link(context, cursor))


@router.post("", summary="Write an action plan down", **declare(LEAD, status=201, response_model=ActionResource))
async def create(body: ActionRequest, context: Context) -> Response:
    members = _said(body, context.policy)

    async def effect(connection: AsyncConnection) -> ChangeResult:
        plan = await add_plan(connection, members, by=context.actor)
        headers = {**etag(plan.version), "Location": f"{context.base}{PATH}/{plan.id}"}
        return ChangeResult(await _present(connection, plan), status=201, headers=headers)

    return await context.change(effect)


@router.get(
    "/{id}",
    summary="Read one action plan, and whether it helped",
    **declare(READ, also=UNCHANGED, response_model=ActionDetail),
)
async def show(id: str, context: Context) -> Response:
    """`effect` compares the bottom box of the answers that `match` fits, else of all answers."""
    async with context.reading() as connection:
        plan = await load_plan(connection, read_id(id, NOUN))
        today = today_of(await ledger_now(connection))
        effect = await effect_of(connection, plan, today)
    around = hashlib.sha256(msgspec.json.encode((today, effect))).hexdigest()[:8]
    answer = ActionDetail(**_members(plan, today), effect=_effect(effect))
    return context.show(answer, version=f"{plan.version}.{around}")


@router.patch(
    "/{id}",
    summary="Change an action plan",
    **declare(LEAD, "stale-version", "precondition-required", response_model=ActionResource),
)
async def change(id: str, body: ActionPatch, context: Context) -> Response:
    """If-Match takes the plan's `version`, in quotes. What has ended keeps what it promised until it begins again."""
    members = _said(body, context.policy)

    async def effect(connection: AsyncConnection) -> ChangeResult:
        version = read_version(context.request)
        plan = await change_plan(connection, read_id(id, NOUN), members, version=version, by=context.actor)
        return ChangeResult(await _present(connection, plan), headers=etag(plan.version))

    return await context.change(effect)


def _said(body: ActionRequest | ActionPatch, policy: Policy) -> dict[str, Any]:
    """The members that were given, as the record has them. Raises Invalid."""
    said: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "cause" in said:
        kind, driver = _cause(said.pop("cause"), policy)
        said |= {"cause_kind": kind, "cause_driver": driver}
    if said.get("match") is not None:
        said["match"] = written_match(said["match"])
    if "callbacks" in said:
        said["callbacks"] = tuple(dict.fromkeys(_callback_id(each) for each in said["callbacks"]))
    if said.get("percent", 0) is None:
        del said["percent"]
    return said


def _cause(cause: CauseRequest | None, policy: Policy) -> tuple[str | None, str | None]:
    if cause is None:
        return None, None
    check_cause(Cause(CauseKind(cause.kind), cause.driver), policy)
    return cause.kind, cause.driver


def _callback_id(text: str) -> str:
    found = as_id(text)
    if found is None:
        raise Invalid("one of these is no callback; name ids of callbacks", "/callbacks")
    return found


async def _present(connection: AsyncConnection, plan: ActionPlan) -> ActionResource:
    return ActionResource(**_members(plan, today_of(await ledger_now(connection))))


def _members(plan: ActionPlan, today: date) -> dict[str, Any]:
    members = msgspec.structs.asdict(plan)
    kind, driver = members.pop("cause_kind"), members.pop("cause_driver")
    cause = None if kind is None else {"kind": kind, "driver": driver}
    return {**members, "cause": cause, "callbacks": list(plan.callbacks), "overdue": plan.is_overdue(today)}


def _effect(effect: ActionEffect | None) -> EffectResource | None:
    return None if effect is None else EffectResource.model_validate(msgspec.to_builtins(effect))
