"""Puts the front door together: routers, error handlers, and what stands around every request."""

from __future__ import annotations

import time
from functools import partial

from fastapi import APIRouter, FastAPI

from app.api import (
    callbacks,
    calls,
    claims,
    contacts,
    customers,
    dead_letters,
    docs,
    leads,
    ledger,
    policy,
    queues,
    responses,
    survey_events,
)
from app.api.cursors import Cursors
from app.api.head import Head
from app.api.health import health_router
from app.api.limits import Acquaintances, BodyLimit, RateLimiter
from app.api.openapi import describe
from app.api.parts import ApiDependencies
from app.api.problems import add_handlers
from app.api.watch import ErrorBoundary

# The order decides: what has a name of its own (`/callbacks/claim`) comes before what has an id there.
NOUNS = (claims, leads, callbacks, calls, queues, contacts, customers, responses, ledger, dead_letters, policy)
DESCRIPTION = "Turns every 1-2 survey answer into a callback while it still matters."


def create_app(parts: ApiDependencies) -> FastAPI:
    """The whole REST interface."""
    return _put_together(parts, [*(noun.router for noun in NOUNS), survey_events.router, docs.router])


def create_monitoring(parts: ApiDependencies) -> FastAPI:
    """Health and metrics alone, for the port that every process has."""
    return _put_together(parts, [])


def _put_together(parts: ApiDependencies, routers: list[APIRouter]) -> FastAPI:
    app = FastAPI(
        title="Bottombox",
        version=parts.version,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    app.state.cursors = Cursors(parts.secret_key)
    app.state.limiter = RateLimiter(parts.rate_limit, time.monotonic)
    app.state.acquaintances = Acquaintances()
    for router in [*routers, health_router(metrics_protected=parts.metrics_protected)]:
        app.include_router(router)
    add_handlers(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(ErrorBoundary, observe=parts.observe_http)
    app.add_middleware(Head)  # the last one added stands outermost
    app.openapi = partial(describe, app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app
