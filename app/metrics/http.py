"""How long requests take."""

from __future__ import annotations

from alerts.log_fields import bound_fields
from app.metrics.registry import HTTP, Registry, exemplar, held


class HttpMetrics:
    def __init__(self, registry: Registry) -> None:
        self.http = registry.histogram(
            "http_request_seconds", "Time to answer a request.", "route", "status", buckets=HTTP
        )
        self._of = held(self.http)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """`route` is the template, never a path; `status` becomes its class, `2xx`."""
        self._of(route, f"{status // 100}xx").observe(seconds, exemplar(bound_fields().get("trace")))
