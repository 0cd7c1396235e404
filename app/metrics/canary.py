"""How long the canary's way takes, and when one last came to its end."""

from __future__ import annotations

from datetime import datetime

from app.metrics.registry import LATENCY, Registry


class CanaryMetrics:
    def __init__(self, registry: Registry) -> None:
        self.latency = registry.histogram(
            "canary_latency_seconds",
            "From the canary's Kafka record's timestamp to the commit after which it could have been claimed.",
            buckets=LATENCY,
        )
        self.last_seen = registry.gauge(
            "canary_last_seen_timestamp_seconds", "When a canary last came through; 0 before the first."
        )

    def observe(self, recorded_at: datetime, committed_at: datetime) -> None:
        self.latency.observe(max(0.0, (committed_at - recorded_at).total_seconds()))

    def show(self, seen_at: datetime | None) -> None:
        self.last_seen.set(0.0 if seen_at is None else seen_at.timestamp())
