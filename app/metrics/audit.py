"""Whether the ledger keeps its promises, as the last audit saw it."""

from __future__ import annotations

from collections import Counter

from alerts.ledger.checks.auditor import Audit
from alerts.ledger.checks.catalogue import CHECKS
from app.metrics.registry import Registry


class AuditMetrics:
    def __init__(self, registry: Registry) -> None:
        self.violations = registry.gauge("invariant_violations", "What the last audit found broken.", "check")
        self.last_success = registry.gauge(
            "auditor_last_success_timestamp_seconds", "When an audit last came to its end; 0 before the first."
        )

    def prepare(self) -> None:
        for check in CHECKS:
            self.violations.labels(check.name)

    def show(self, audit: Audit) -> None:
        found = Counter(each.check.name for each in audit.broken)
        for check in CHECKS:
            self.violations.labels(check.name).set(found[check.name])
        self.last_success.set(audit.at.timestamp())
