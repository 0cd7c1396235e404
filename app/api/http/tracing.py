"""To which trace a request belongs: the one that its `traceparent` names, or one that begins with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.types import Scope

from app.api.http.problems import request_id
from consumers.trace_context import TRACEPARENT, TraceContext, begin_trace, read_traceparent


def trace_context(scope: Scope) -> TraceContext:
    """The same whenever it is asked for."""
    state: dict[str, Any] = scope.setdefault("state", {})
    found: TraceContext | None = state.get("trace_context")
    if found is None:
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == TRACEPARENT.encode()]
        found = state["trace_context"] = read_traceparent(named) or begin_trace(UUID(request_id(scope)))
    return found
