"""What the objectives are judged by: read from the ledger, not heard of."""

from __future__ import annotations

from collections import Counter

from alerts.ledger.reading.objectives import Kept, Objective, Totals
from app.metrics.registry import Registry


class ObjectiveMetrics:
    """No sample before the first look: a zero between two processes would look as if everything had happened anew."""

    def __init__(self, registry: Registry) -> None:
        self.objectives = registry.counter(
            "objectives_total", "Promises to ourselves decided since the ledger began.", "slo", "result"
        )
        self._shown: Totals = Counter()

    def show(self, totals: Totals) -> None:
        for objective in Objective:
            for result in Kept:
                more = totals[objective, result] - self._shown[objective, result]
                self.objectives.labels(objective, result).inc(more)
        self._shown = Counter(totals)
