"""What came of platforms' webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from app.metrics.registry import Registry


class WebhookResult(StrEnum):
    ACCEPTED = "accepted"  # passed on, and acknowledged by Kafka
    BAD_SIGNATURE = "bad_signature"
    EXPIRED = "expired"  # rightly signed, too long ago or ahead
    REPLAYED = "replayed"  # taken before
    REFUSED = "refused"  # too large, of another media type, too many a second, or Kafka is away


class WebhookMetrics:
    def __init__(self, registry: Registry) -> None:
        self.received = registry.counter(
            "webhooks_received_total", "Webhooks that platforms sent, by what came of them.", "source", "result"
        )

    def prepare(self, sources: Iterable[str]) -> None:
        for source in sources:
            for result in WebhookResult:
                self.received.labels(source, result)

    def observe(self, source: str, result: WebhookResult) -> None:
        self.received.labels(source, result).inc()
