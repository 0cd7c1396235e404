"""Puts the front door together: routers, error handlers, and what stands around every request."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter, FastAPI

from app.api.dependencies import ApiDependencies
from app.api.health import health_router
from app.api.http.cursors import Cursors
from app.api.http.head import Head
from app.api.http.limits import Acquaintances, BodyLimit, RateLimiter
from app.api.http.middleware import ErrorBoundary
from app.api.http.openapi import describe
from app.api.http.problems import add_handlers
from app.api.http.short_way import ShortWay

DESCRIPTION = "Turns every 1-2 survey answer into a callback while it still matters."


def create_app(dependencies: ApiDependencies) -> FastAPI:
    """The whole REST interface. It is loaded here: a consumer, which has none, is a tenth smaller without it."""
    from app.api.insights.turn import CountingTurn
    from app.api.routers import ROUTERS

    app = _put_together(dependencies, ROUTERS)
    app.state.counting = CountingTurn()
    return app


def create_monitoring(dependencies: ApiDependencies) -> FastAPI:
    """Health and metrics alone, for the port that every process has."""
    return _put_together(dependencies, ())


def _put_together(dependencies: ApiDependencies, routers: Sequence[APIRouter]) -> FastAPI:
    app = FastAPI(
        title="Bottombox",
        version=dependencies.version,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would look for each with every request
    )
    app.state.dependencies = dependencies
    app.state.cursors = Cursors(dependencies.secret_key)
    app.state.limiter = RateLimiter(dependencies.rate_limit, time.monotonic)
    app.state.acquaintances = Acquaintances(time.monotonic)
    app.state.paces = {
        name: RateLimiter(door.webhook.per_second, time.monotonic)
        for name, door in dependencies.doors.items()
        if door.webhook.per_second is not None
    }
    for router in [*routers, health_router(metrics_protected=dependencies.metrics_protected)]:
        app.router.routes.extend(router.routes)
    add_handlers(app)
    app.add_middleware(ShortWay, routes=app.router.routes)
    app.add_middleware(BodyLimit)
    app.add_middleware(ErrorBoundary, observe=dependencies.observe_http)
    app.add_middleware(Head)  # the last one added stands outermost
    app.openapi = partial(describe, app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app
