"""The process itself: its version, its database connections, and whether its event loop keeps up."""

from __future__ import annotations

from prometheus_client import Info

from app import __version__
from app.metrics.registry import Registry


class ProcessMetrics:
    def __init__(self, registry: Registry) -> None:
        self.database_up = registry.gauge("database_up", "1 while the database answers.")
        self.database_connections = registry.gauge("database_connections", "Connections of this process.", "state")
        self.loop_lag = registry.gauge("event_loop_lag_seconds", "How late the event loop ran a timer just now.")
        self.lines_dropped = registry.counter(
            "log_lines_dropped_total", "Log lines that were not written, for nobody read them in time."
        )
        Info("bottombox_build", "The running version.", registry=registry.collectors).info({"version": __version__})
        self.policy = registry.gauge("policy_info", "The version of the policy in force.", "version")

    def prepare(self, policy_version: str) -> None:
        self.policy.labels(policy_version).set(1)
        for state in ("in_use", "idle"):
            self.database_connections.labels(state)

    def database(self, *, is_up: bool, in_use: int, idle: int) -> None:
        self.database_up.set(1 if is_up else 0)
        self.database_connections.labels("in_use").set(in_use)
        self.database_connections.labels("idle").set(idle)
