"""The metrics of the contract (section 5), one listener a room, closed label sets at zero from the start.

They listen to what was recorded: a report of a batch, or the events of a callback, after its commit. Nothing is measured
that the ledger does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable

from alerts.policy import Policy
from app.metrics.audit import AuditMetrics
from app.metrics.callbacks import CallbackMetrics
from app.metrics.canary import CanaryMetrics
from app.metrics.http import HttpMetrics
from app.metrics.intake import IntakeMetrics
from app.metrics.learning import LearningMetrics
from app.metrics.objectives import ObjectiveMetrics
from app.metrics.process import ProcessMetrics
from app.metrics.registry import Registry
from app.metrics.webhooks import WebhookMetrics


class Metrics:
    """All metrics of one process."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.callbacks = CallbackMetrics(self.registry)
        self.canary = CanaryMetrics(self.registry)
        self.intake = IntakeMetrics(self.registry, self.callbacks.announce, self.canary.observe)
        self.audit = AuditMetrics(self.registry)
        self.http = HttpMetrics(self.registry)
        self.learning = LearningMetrics(self.registry)
        self.objectives = ObjectiveMetrics(self.registry)
        self.process = ProcessMetrics(self.registry)
        self.webhooks = WebhookMetrics(self.registry)

    def prepare(
        self, policy: Policy, topics: Iterable[str], sources: Iterable[str], webhooks: Iterable[str] = ()
    ) -> None:
        """Makes every closed label set appear, at zero. `webhooks`: the sources whose platforms may push."""
        self.intake.prepare(topics, sources)
        self.callbacks.prepare(policy)
        self.audit.prepare()
        self.learning.prepare()
        self.process.prepare(policy.version)
        self.webhooks.prepare(webhooks)
