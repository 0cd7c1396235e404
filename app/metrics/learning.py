"""What is done about what was learned: action plans, signals and known problems, as the worker has counted them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alerts.learning.plan import PlanState
from alerts.learning.problem import ProblemState
from alerts.learning.signal import RaisedSignal
from alerts.learning.watching import SignalKind
from alerts.ledger.learning.plans import PlanCounts
from app.metrics.registry import Registry


class LearningMetrics:
    def __init__(self, registry: Registry) -> None:
        gauge = registry.gauge
        self.signals = registry.counter("signals_total", "Signals raised.", "kind")
        self.problems = gauge("problems", "Known problems.", "state")
        self.actions = gauge("actions", "Action plans.", "state")
        self.actions_overdue = gauge("actions_overdue", "Open action plans past their due day.")
        self.actions_completed = gauge("actions_completed", "Action plans that are complete.", "result")

    def prepare(self) -> None:
        for kind in SignalKind:
            self.signals.labels(kind)
        for problem_state in ProblemState:
            self.problems.labels(problem_state)
        for state in PlanState:
            self.actions.labels(state)
        for result in ("on_time", "late"):
            self.actions_completed.labels(result)

    def raised(self, signals: Iterable[RaisedSignal]) -> None:
        for signal in signals:
            self.signals.labels(signal.kind).inc()

    def plans(self, counts: PlanCounts) -> None:
        for state, plans in counts.states.items():
            self.actions.labels(state).set(plans)
        self.actions_overdue.set(counts.overdue)
        for result, plans in counts.completed.items():
            self.actions_completed.labels(result).set(plans)

    def known(self, problems: Mapping[str, int]) -> None:
        for state, count in problems.items():
            self.problems.labels(state).set(count)
