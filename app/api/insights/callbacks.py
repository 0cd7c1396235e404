"""What the callbacks say: why customers were unhappy, and whether they were called in time."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from alerts.insights.causes import CauseBar
from alerts.insights.recovery import Recovery
from alerts.insights.recovery import recovery as recovered
from alerts.insights.share import share_of
from alerts.ledger.database import ledger_now
from alerts.ledger.insights.causes import count_causes
from alerts.ledger.insights.counted import truncated_from
from alerts.ledger.insights.counting import counting
from alerts.ledger.insights.recovery import count_ended
from alerts.ledger.insights.targets import TargetFigures, count_targets
from alerts.resolution import CauseKind
from app.api.context import Context
from app.api.http.route import GuardedRoute, declare
from app.api.insights.figures import difference_resource, quantiles_resource, share_resource
from app.api.insights.table import CSV, tell
from app.api.insights.turn import in_turn
from app.api.schemas.insight import (
    CauseItem,
    CauseKinds,
    CauseList,
    RecoveryItem,
    RecoveryList,
    Rerated,
    TargetItem,
    TargetList,
    as_asked,
)
from app.api.schemas.insight_query import CausesQuery, InsightQuery, RecoveryQuery

router = APIRouter(prefix="/v1/insights", tags=["insights"], route_class=GuardedRoute)


@router.get("/causes", summary="Why it happened", **declare("callbacks:read", also=CSV, response_model=CauseList))
@in_turn
async def causes(query: Annotated[CausesQuery, Query()], context: Context) -> Response:
    """The causes of the callbacks that were resolved then, the largest first; or what customers had been in touch about."""
    async with counting(context.dependencies.engine) as connection:
        question = query.question(await ledger_now(connection))
        found = await count_causes(connection, question, by_reason=query.by == "reason")
        first = await truncated_from(connection, question)
    items = [_cause(bar) for bar in found.bars]
    answer = CauseList(
        items=items,
        kinds=CauseKinds(
            skill=share_resource(found.kinds[CauseKind.SKILL]),
            operations=share_resource(found.kinds[CauseKind.OPERATIONS]),
        ),
        uncoded=found.uncoded,
        other_share=share_resource(found.other),
        **as_asked(question, first),
    )
    return tell(context, answer, items, CauseItem)


@router.get(
    "/targets", summary="Whether it was in time", **declare("callbacks:read", also=CSV, response_model=TargetList)
)
@in_turn
async def targets(query: Annotated[InsightQuery, Query()], context: Context) -> Response:
    """Of the callbacks opened then, by queue, priority and target: kept, missed, pending, and how long it took."""
    async with counting(context.dependencies.engine) as connection:
        question = query.question(await ledger_now(connection))
        found = await count_targets(connection, question)
        first = await truncated_from(connection, question)
    items = [_target(each) for each in found]
    return tell(context, TargetList(items=items, **as_asked(question, first)), items, TargetItem)


def _target(found: TargetFigures) -> TargetItem:
    return TargetItem(
        queue=found.queue,
        priority=found.priority,
        target=found.target,
        met=found.met,
        missed=found.missed,
        pending=found.pending,
        share=share_resource(share_of(found.met, found.met + found.missed)),
        wall=quantiles_resource(found.wall),
        callable=quantiles_resource(found.callable),
    )


@router.get(
    "/recovery", summary="Whether it helped", **declare("callbacks:read", also=CSV, response_model=RecoveryList)
)
@in_turn
async def recovery(query: Annotated[RecoveryQuery, Query()], context: Context) -> Response:
    """How the callbacks that ended then ended, and what the customers answered next. `by=advisor` is for leads."""
    if query.by == "advisor":
        context.principal.demand("callbacks:lead")
    async with counting(context.dependencies.engine) as connection:
        question = query.question(await ledger_now(connection))
        found = recovered(await count_ended(connection, question, query.by))
        first = await truncated_from(connection, question)
    items = [_recovery(each) for each in found]
    return tell(context, RecoveryList(items=items, **as_asked(question, first)), items, RecoveryItem)


def _recovery(found: Recovery) -> RecoveryItem:
    members: dict[str, Any] = {
        "value": found.value,
        "resolved": found.resolved,
        "recovered": share_resource(found.recovered),
        "partly": share_resource(found.partly),
        "not": share_resource(found.not_recovered),
        "information": share_resource(found.information),
        "rerated": Rerated(
            reached=share_resource(found.reached),
            unreached=share_resource(found.unreached),
            difference=difference_resource(found.difference),
        ),
    }
    return RecoveryItem(**members)


def _cause(bar: CauseBar) -> CauseItem:
    kind, driver = bar.cluster.name if len(bar.cluster.name) == 2 else (None, None)
    return CauseItem(
        kind=None if kind is None else CauseKind(kind),
        driver=driver,
        reason=(bar.cluster.name[0] or None) if kind is None else None,
        callbacks=bar.cluster.callbacks,
        share=share_resource(bar.share),
        cumulative=bar.cumulative,
        recovered=share_resource(bar.recovered),
        median_resolution_seconds=bar.cluster.median_seconds,
        ids=list(bar.cluster.ids),
    )
