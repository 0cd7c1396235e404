"""The metrics of the contract (section 5): one home, a help sentence each, closed label sets at zero from the start.

They listen to what was recorded: a report of a batch, or the events of a move, after its commit. Nothing is measured
that the ledger does not hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Gauge, Histogram, Info
from prometheus_client.exposition import choose_encoder

from alerts.arrival import RecordOutcome
from alerts.callback import OPEN_STATES, ClosedReason, Event, State, Target, Transition
from alerts.event import EventKind
from alerts.ledger.intake.batch import Report
from alerts.ledger.reading.queues import QueueCount
from alerts.policy import Policy
from alerts.resolution import CauseKind, Outcome
from alerts.result import Result
from alerts.scale import Box
from app import __version__
from app.listeners import harmless
from consumers.intake.reason import DeadLetterReason

LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
WORK = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 259200, 345600, 604800, 1209600)
HTTP = (0.01, 0.1, 1, 10)
CLOCKS = ("wall", "callable")
DURATIONS = ("time_to_claim", "time_to_first_attempt", "time_to_contact", "time_to_resolution")


class Metrics:
    """All metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry

        def counter(name: str, help_: str, *labels: str) -> prometheus.Counter:
            return prometheus.Counter(f"bottombox_{name}", help_, labels, registry=registry)

        def gauge(name: str, help_: str, *labels: str) -> Gauge:
            return Gauge(f"bottombox_{name}", help_, labels, registry=registry)

        def histogram(name: str, help_: str, *labels: str, buckets: Sequence[float]) -> Histogram:
            return Histogram(f"bottombox_{name}", help_, labels, registry=registry, buckets=buckets)

        self.records = counter("records_total", "Kafka records accounted for, by where they ended.", "topic", "outcome")
        self.seen_again = counter("records_seen_again_total", "Records at offsets already accounted for.", "topic")
        self.responses = counter("responses_total", "Survey responses stored.", "source", "box")
        self.opened = counter("callbacks_opened_total", "Callbacks opened.", "queue")
        self.joined = counter("callbacks_joined_total", "Alerts that joined an open callback.", "queue")
        self.closed = counter("callbacks_closed_total", "Callbacks ended, resolved ones among them.", "queue", "reason")
        self.alert_latency = histogram(
            "alert_latency_seconds",
            "From the Kafka record's timestamp to the commit that opened or joined the callback.",
            "source",
            buckets=LATENCY,
        )
        self.answer_to_alert = histogram(
            "answer_to_alert_seconds",
            "From the customer's answer to the commit that opened or joined the callback.",
            "source",
            buckets=LATENCY,
        )
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
        self.lag_records = gauge("consumer_lag_records", "Records not yet taken in.", "topic", "partition")
        self.lag_seconds = gauge(
            "consumer_lag_seconds", "How long records have waited to be taken in; 0 if none.", "topic", "partition"
        )
        self.stopped_partitions = gauge(
            "consumer_stopped_partitions", "1 for a partition that waits for a person.", "topic", "partition"
        )
        self.failed_commits = counter("consumer_commit_failures_total", "Offset commits that failed; harmless.")
        self.dead_letters = counter("dead_letters_total", "Records set aside.", "reason")
        self.database_up = gauge("database_up", "1 while the database answers.")
        self.database_connections = gauge("database_connections", "Connections of this process.", "state")
        self.loop_lag = gauge("event_loop_lag_seconds", "How late the event loop ran a timer just now.")
        self.http = histogram("http_request_seconds", "Time to answer a request.", "route", "status", buckets=HTTP)
        self.uncounted = counter("uncounted_total", "What was recorded but could not be counted here.")
        Info("bottombox_build", "The running version.", registry=registry).info({"version": __version__})

    def prepare(self, policy: Policy, topics: Iterable[str], sources: Iterable[str]) -> None:
        """Makes every closed label set appear, at zero."""
        for topic in topics:
            self.seen_again.labels(topic)
            for outcome in RecordOutcome:
                self.records.labels(topic, outcome)
        for source in sources:
            self.alert_latency.labels(source)
            self.answer_to_alert.labels(source)
            for box in Box:
                self.responses.labels(source, box)
        for reason in DeadLetterReason:
            self.dead_letters.labels(reason)
        for state in ("in_use", "idle"):
            self.database_connections.labels(state)
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

    # -- what the consumer tells (consumers.intake.surveys.Observer)

    def batch(self, report: Report, committed_at: datetime) -> None:
        harmless(self._count_batch, self.uncounted.inc)(report, committed_at)
        self.announce(report.moved)

    def _count_batch(self, report: Report, committed_at: datetime) -> None:
        for (topic, outcome), count in report.outcomes.items():
            self.records.labels(topic, outcome).inc(count)
        for topic, count in report.seen_again.items():
            self.seen_again.labels(topic).inc(count)
        for (source, box), count in report.responses.items():
            self.responses.labels(source, box).inc(count)
        for reason, count in report.dead_letters.items():
            self.dead_letters.labels(reason).inc(count)
        for raised in report.raised:
            latency = max(0.0, (committed_at - raised.recorded_at).total_seconds())
            self.alert_latency.labels(raised.source).observe(latency)
            since_answer = max(0.0, (committed_at - raised.answered_at).total_seconds())
            self.answer_to_alert.labels(raised.source).observe(since_answer)

    def lag(self, topic: str, partition: int, records: int, seconds: float) -> None:
        self.lag_records.labels(topic, partition).set(records)
        self.lag_seconds.labels(topic, partition).set(seconds)

    def forget(self, partitions: Iterable[tuple[str, int]]) -> None:
        for topic, partition in partitions:
            for gauge in (self.lag_records, self.lag_seconds, self.stopped_partitions):
                gauge.remove_by_labels({"topic": topic, "partition": str(partition)})

    def stopped(self, topic: str, partition: int, why: str) -> None:
        self.stopped_partitions.labels(topic, partition).set(1)

    def resumed(self, topic: str, partition: int) -> None:
        self.stopped_partitions.labels(topic, partition).set(0)

    def commit_failed(self) -> None:
        self.failed_commits.inc()

    # -- what moves tell

    def announce(self, moved: Iterable[Transition]) -> None:
        """Counts what happened; call it once, after the commit, in the process that moved the callback.

        Raises nothing: an event that cannot be counted is one more of `uncounted`, and the others are counted.
        """
        count = harmless(self._count, self.uncounted.inc)
        for each in moved:
            for event in each.events:
                count(event, each.callback.queue)

    def _count(self, event: Event, queue: str) -> None:
        queue, data = str(event.data.get("queue", queue)), event.data
        for name, clocks in event.measured.items():
            for clock, seconds in clocks.items():
                self.durations[name].labels(queue, clock).observe(seconds)
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

    # -- what is waiting right now

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

    # -- what the API tells

    def observe_http(self, route: str, status: int, seconds: float) -> None:
        self.http.labels(route, f"{status // 100}xx").observe(seconds)

    def page(self, accept: str | None) -> tuple[bytes, str]:
        """The page and its content type; OpenMetrics when the reader asks for it."""
        encode, content_type = choose_encoder(accept or "")
        return encode(self.registry), content_type
