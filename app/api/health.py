"""Whether this process lives, whether it should get work, and its metrics."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.api.dependencies import ApiDependencies
from app.api.http.answering import respond
from app.api.http.problems import ApiProblem
from app.api.http.route import PUBLIC, GuardedRoute, declare
from app.api.schemas.problem import Health


def health_router(*, metrics_protected: bool) -> APIRouter:
    router = APIRouter(route_class=GuardedRoute, tags=["health"])
    alive = declare(PUBLIC, response_model=Health)
    ready = declare(PUBLIC, "temporarily-unavailable", response_model=Health)
    scope = "metrics:read" if metrics_protected else PUBLIC
    router.get("/livez", summary="Whether the process answers", **alive)(livez)
    router.get("/readyz", summary="Whether the process should get work", **ready)(readyz)
    router.get("/metrics", summary="Metrics, as OpenMetrics on request", **declare(scope))(metrics)
    return router


async def livez() -> Response:
    """Asks nothing of anybody else: a database that is away must not restart every process."""
    return respond(Health(status="alive"))


async def readyz(request: Request) -> Response:
    reasons = await _parts(request).not_ready()
    if reasons:
        raise ApiProblem("temporarily-unavailable", "not ready", headers={"Retry-After": "2"}, reasons=reasons)
    return respond(Health(status="ready"))


async def metrics(request: Request) -> Response:
    """In a thread: a large page would hold up the requests beside it."""
    body, content_type = await asyncio.to_thread(_parts(request).metrics_page, request.headers.get("accept"))
    return Response(body, headers={"Content-Type": content_type})


def _parts(request: Request) -> ApiDependencies:
    dependencies: ApiDependencies = request.app.state.dependencies
    return dependencies
