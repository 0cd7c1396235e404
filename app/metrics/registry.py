"""How a metric of ours is made: `bottombox_` before its name, a help sentence, labels that are closed sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder

LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
WORK = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 259200, 345600, 604800, 1209600)
HTTP = (0.01, 0.1, 1, 10)
"""Upper bounds of the histograms' buckets, in seconds (docs/metrics.md)."""


# When each series was made: nearly a third of the page, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it untyped


def exemplar(trace: str | None) -> dict[str, str] | None:
    """What an observation is marked with, for who asks for OpenMetrics: the id of its trace, if it has one."""
    return None if trace is None else {"trace_id": trace}


def held(metric: Histogram) -> Callable[..., Histogram]:
    """Its `labels`, where one series is asked for again and again: the library looks at each label every time."""
    return lru_cache(maxsize=None)(metric.labels)


class Registry:
    """The metrics of one process; two of them never meet."""

    def __init__(self) -> None:
        self.collectors = CollectorRegistry()
        self.uncounted = self.counter("uncounted_total", "What was recorded but could not be counted here.")

    def counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(f"bottombox_{name}", help_, labels, registry=self.collectors)

    def gauge(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(f"bottombox_{name}", help_, labels, registry=self.collectors)

    def histogram(self, name: str, help_: str, *labels: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"bottombox_{name}", help_, labels, registry=self.collectors, buckets=buckets)

    def page(self, accept: str | None) -> tuple[bytes, str]:
        """The page and its content type; OpenMetrics when the reader asks for it."""
        encode, content_type = choose_encoder(accept or "")
        return encode(self.collectors), content_type
