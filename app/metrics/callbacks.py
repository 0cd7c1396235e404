"""What happens to callbacks, and what is waiting right now. Hears of transitions once they are committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from alerts.callback import OPEN_STATES, ClosedReason, Event, State, Target, Transition
from alerts.event import EventKind
from alerts.ledger.reading.queues import QueueCount
from alerts.log_fields import bound_fields
from alerts.policy import Policy
from alerts.resolution import CauseKind, Outcome
from alerts.result import Result
from app.listeners import harmless
from app.metrics.registry import WORK, Registry, exemplar

CLOCKS = ("wall", "callable")
DURATIONS = ("time_to_claim", "time_to_first_attempt", "time_to_contact", "time_to_resolution")


class CallbackMetrics:
    def __init__(self, registry: Registry) -> None:
        self._uncounted = registry.uncounted
        counter, gauge, histogram = registry.counter, registry.gauge, registry.histogram
        self.opened = counter("callbacks_opened_total", "Callbacks opened.", "queue")
        self.joined = counter("callbacks_joined_total", "Alerts that joined an open callback.", "queue")
        self.closed = counter("callbacks_closed_total", "Callbacks ended, resolved ones among them.", "queue", "reason")
        self.durations = {
            name: histogram(
                f"{name}_seconds",
                f"{name.replace('_', ' ').capitalize()}, on the wall clock or in minutes in which we could call.",
                "queue",
                "clock",
                buckets=WORK,
            )
            for name in DURATIONS
        }
        self.callbacks = gauge("callbacks", "Open callbacks.", "queue", "state")
        self.oldest_waiting = gauge(
            "oldest_waiting_callback_timestamp_seconds", "When the oldest waiting one was opened; 0 if none.", "queue"
        )
        self.overdue = gauge("callbacks_overdue", "Open callbacks past a promised time.", "queue", "target")
        self.targets = counter("targets_total", "Promised times decided.", "queue", "priority", "target", "result")
        self.promises = counter("promises_total", "Promises to customers decided.", "queue", "result")
        self.escalations = counter("escalations_total", "Escalation steps taken.", "queue", "step")
        self.attempts = counter("attempts_total", "Attempts to reach a customer.", "queue", "result")
        self.outside_window = counter(
            "attempts_outside_window_total", "Calls that happened outside the permitted hours.", "queue"
        )
        self.resolutions = counter("resolutions_total", "Callbacks resolved.", "queue", "cause", "outcome")
        self.leases_expired = counter("leases_expired_total", "Leases that ran out.", "queue")
        self.skips = counter("skips_total", "Offered callbacks that were skipped.", "queue", "reason")

    def prepare(self, policy: Policy) -> None:
        for queue in policy.queue_names:
            self._prepare_queue(queue, policy)

    def _prepare_queue(self, queue: str, policy: Policy) -> None:
        for counter in (self.opened, self.joined, self.leases_expired, self.outside_window):
            counter.labels(queue)
        for reason in ("resolved", *ClosedReason):
            self.closed.labels(queue, reason)
        for name in DURATIONS:
            for clock in CLOCKS:
                self.durations[name].labels(queue, clock)
        for state in OPEN_STATES:
            self.callbacks.labels(queue, state)
        self.oldest_waiting.labels(queue)
        for target in Target:
            self.overdue.labels(queue, target)
            for priority in range(1, 6):
                for result in ("met", "missed"):
                    self.targets.labels(queue, priority, target, result)
        for result in ("kept", "late", "broken"):
            self.promises.labels(queue, result)
        for step in dict.fromkeys(step.to for step in policy.escalation.steps):
            self.escalations.labels(queue, step)
        for result in Result:
            self.attempts.labels(queue, result)
        for kind in CauseKind:
            for outcome in Outcome:
                self.resolutions.labels(queue, kind, outcome)
        for reason in (*policy.leases.skip_reasons, "other"):
            self.skips.labels(queue, reason)

    def announce(self, moved: Iterable[Transition]) -> None:
        """Counts what happened; call it once, after the commit, in the process that moved the callback.

        Raises nothing: an event that cannot be counted is one more of `uncounted`, and the others are counted.
        """
        count = harmless(self._count, self._uncounted.inc)
        for each in moved:
            for event in each.events:
                count(event, each.callback.queue)

    def _count(self, event: Event, queue: str) -> None:
        queue, data = str(event.data.get("queue", queue)), event.data
        for name, clocks in event.measured.items():
            for clock, seconds in clocks.items():
                self.durations[name].labels(queue, clock).observe(seconds, exemplar(bound_fields().get("trace")))
        match event.kind:
            case EventKind.OPENED:
                self.opened.labels(queue).inc()
            case EventKind.JOINED:
                self.joined.labels(queue).inc()
            case EventKind.CLOSED:
                self.closed.labels(queue, data["reason"]).inc()
            case EventKind.RESOLVED:
                self.closed.labels(queue, "resolved").inc()
                self.resolutions.labels(queue, data["cause"], data["outcome"]).inc()
            case EventKind.ATTEMPTED:
                self.attempts.labels(queue, data["result"]).inc()
                if data.get("outside_window"):
                    self.outside_window.labels(queue).inc()
            case EventKind.TARGET_MET | EventKind.TARGET_MISSED:
                self.targets.labels(queue, data["priority"], data["target"], data["result"]).inc()
            case EventKind.PROMISE_DECIDED:
                self.promises.labels(queue, data["result"]).inc()
            case EventKind.ESCALATED:
                self.escalations.labels(queue, data["step"]).inc()
            case EventKind.RELEASED:
                if data["reason"] == "lease_expired":
                    self.leases_expired.labels(queue).inc()
                elif data["reason"] == "skipped":
                    self.skips.labels(queue, data["skip_reason"]).inc()

    def queues(self, counts: Iterable[QueueCount]) -> None:
        oldest: dict[str, float] = {}
        overdue: Counter[tuple[str, Target]] = Counter()
        for each in counts:
            self.callbacks.labels(each.queue, each.state).set(each.callbacks)
            overdue.update({(each.queue, target): count for target, count in each.overdue.items()})
            if each.state is State.WAITING:
                opened_at = each.oldest_opened_at
                oldest[each.queue] = opened_at.timestamp() if opened_at else 0.0
        for queue, moment in oldest.items():
            self.oldest_waiting.labels(queue).set(moment)
        for (queue, target), count in overdue.items():
            self.overdue.labels(queue, target).set(count)
