"""What comes in: records, survey responses, dead letters, lag. Hears of a batch once it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from alerts.arrival import RecordOutcome
from alerts.callback import Transition
from alerts.ledger.intake.batch import Report
from alerts.members import DROPPABLE
from alerts.scale import Box
from app.listeners import harmless
from app.metrics.registry import LATENCY, Registry, exemplar
from consumers.intake.reason import DeadLetterReason


class IntakeMetrics:
    """The consumer's observer (`consumers.intake.surveys.Observer`). `announce` hears what a batch did to callbacks.

    `canary` hears of each canary that came through: when it was recorded, and when its batch was committed.
    """

    def __init__(
        self,
        registry: Registry,
        announce: Callable[[Sequence[Transition]], None],
        canary: Callable[[datetime, datetime], None],
    ) -> None:
        self._announce = announce
        self._topics: frozenset[str] = frozenset()
        self._canary = canary
        self._uncounted = registry.uncounted
        counter, gauge = registry.counter, registry.gauge
        self.records = counter("records_total", "Kafka records accounted for, by where they ended.", "topic", "outcome")
        self.seen_again = counter("records_seen_again_total", "Records at offsets already accounted for.", "topic")
        self.responses = counter("responses_total", "Survey responses stored.", "source", "box")
        self.fields_dropped = counter(
            "fields_dropped_total", "Optional members of stored answers that could not be used.", "source", "field"
        )
        self.dead_letters = counter("dead_letters_total", "Records set aside.", "reason")
        self.unrated = counter("unrated_total", "Answers without a rating that were passed over.", "source")
        self.alert_latency = registry.histogram(
            "alert_latency_seconds",
            "From the Kafka record's timestamp to the commit that opened or joined the callback.",
            "source",
            buckets=LATENCY,
        )
        self.answer_to_alert = registry.histogram(
            "answer_to_alert_seconds",
            "From the customer's answer to the commit that opened or joined the callback.",
            "source",
            buckets=LATENCY,
        )
        self.lag_records = gauge("consumer_lag_records", "Records not yet taken in.", "topic", "partition")
        self.lag_seconds = gauge(
            "consumer_lag_seconds", "How long records have waited to be taken in; 0 if none.", "topic", "partition"
        )
        self.stopped_partitions = gauge(
            "consumer_stopped_partitions", "1 for a partition that waits for a person.", "topic", "partition"
        )
        self.missing_topics = gauge(
            "consumer_missing_topics", "1 for a topic that does not exist, or that we have no right to see.", "topic"
        )
        self.failed_commits = counter("consumer_commit_failures_total", "Offset commits that failed; harmless.")

    def prepare(self, topics: Iterable[str], sources: Iterable[str]) -> None:
        self._topics = frozenset(topics)
        for topic in self._topics:
            self.seen_again.labels(topic)
            for outcome in RecordOutcome:
                self.records.labels(topic, outcome)
        for source in sources:
            self.alert_latency.labels(source)
            self.answer_to_alert.labels(source)
            self.unrated.labels(source)
            for box in Box:
                self.responses.labels(source, box)
            for member in DROPPABLE:
                self.fields_dropped.labels(source, member)
        for reason in DeadLetterReason:
            self.dead_letters.labels(reason)

    def batch(self, report: Report, committed_at: datetime) -> None:
        harmless(self._count, self._uncounted.inc)(report, committed_at)
        self._announce(report.moved)

    def _count(self, report: Report, committed_at: datetime) -> None:
        for (topic, outcome), count in report.outcomes.items():
            self.records.labels(topic, outcome).inc(count)
        for topic, count in report.seen_again.items():
            self.seen_again.labels(topic).inc(count)
        for (source, box), count in report.responses.items():
            self.responses.labels(source, box).inc(count)
        for (source, member), count in report.dropped.items():
            self.fields_dropped.labels(source, member).inc(count)
        for reason, count in report.dead_letters.items():
            self.dead_letters.labels(reason).inc(count)
        for source, count in report.unrated.items():
            self.unrated.labels(source).inc(count)
        for raised in report.raised:
            latency = max(0.0, (committed_at - raised.recorded_at).total_seconds())
            self.alert_latency.labels(raised.source).observe(latency, exemplar(raised.trace))
            since_answer = max(0.0, (committed_at - raised.answered_at).total_seconds())
            self.answer_to_alert.labels(raised.source).observe(since_answer, exemplar(raised.trace))

        for recorded_at in report.canaries:
            self._canary(recorded_at, committed_at)

    def set_aside(self, reason: str) -> None:
        """By the worker: a notice whose answer could not be fetched."""
        self.dead_letters.labels(reason).inc()

    def lag(self, topic: str, partition: int, records: int, seconds: float) -> None:
        self.lag_records.labels(topic, partition).set(records)
        self.lag_seconds.labels(topic, partition).set(seconds)

    def forget(self, partitions: Iterable[tuple[str, int]]) -> None:
        for topic, partition in partitions:
            for gauge in (self.lag_records, self.lag_seconds, self.stopped_partitions):
                gauge.remove_by_labels({"topic": topic, "partition": str(partition)})

    def missing(self, topics: Iterable[str]) -> None:
        """Of all that are to be read."""
        missing = frozenset(topics)
        for topic in self._topics | missing:
            self.missing_topics.labels(topic).set(topic in missing)

    def stopped(self, topic: str, partition: int, why: str) -> None:
        self.stopped_partitions.labels(topic, partition).set(1)

    def resumed(self, topic: str, partition: int) -> None:
        self.stopped_partitions.labels(topic, partition).set(0)

    def commit_failed(self) -> None:
        self.failed_commits.inc()
