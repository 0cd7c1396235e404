"""What a scrape costs: the page of `/metrics` with ten queues and twenty sources; and what counting costs the intake.

All figures are of one process: the page has every label set from the start, so its size hardly grows with traffic.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from alerts.ledger.database import open_engine
from alerts.ledger.intake.batch import ingest_batch
from alerts.policy import Policy, QueueRules, shipped_policy
from app.metrics import Metrics
from benchmarks.answers import survey_answers
from benchmarks.goals import Figure
from benchmarks.ledgers import conditions, durable_postgres, fresh_ledger, make_template
from benchmarks.results import Cell, Findings, Table
from benchmarks.rounds import percentile
from consumers.intake.record import CLOUDEVENTS, Record, read_record
from consumers.sources.catalogue import load_catalogue

QUEUES, SOURCES, PARTITIONS, BATCH = 10, 20, 6, 2000
TOPIC = "survey.responses"
FORMATS = {"text": None, "OpenMetrics": "application/openmetrics-text; version=1.0.0"}


async def run(quick: bool) -> Findings:
    pages, batches = (5, 2) if quick else (50, 10)
    with durable_postgres() as postgres:
        await make_template(postgres)
        async with fresh_ledger(postgres) as url:
            metrics, policy = _metrics(), _policy()
            took, counted = await _take(url, metrics, policy, batches)
        notes = [await conditions(postgres)]
    share = counted / (took + counted)
    return Findings(
        name="scrape",
        tables=[
            Table(
                title=f"A page of /metrics with {QUEUES} queues, {SOURCES} sources, {PARTITIONS} partitions",
                columns=("", "KiB", "series", "CPU p50, ms", "p50, ms", "longest, ms"),
                rows=[_page(name, metrics, accept, pages) for name, accept in FORMATS.items()],
            ),
            Table(
                title=f"Milliseconds of CPU for {BATCH:,} answers, of which 13 % are bad, in the consumer's process",
                columns=("", "a batch"),
                rows=[("reading and taking in", took / batches), ("counting", counted / batches)],
            ),
        ],
        notes=notes,
        figures={"scrape.counting": Figure(share, share)},
    )


def _policy() -> Policy:
    return shipped_policy().model_copy(
        update={"queues": tuple(QueueRules(name=f"queue-{number}") for number in range(QUEUES - 1))}
    )


def _metrics() -> Metrics:
    metrics, policy = Metrics(), _policy()
    assert len(policy.queue_names) == QUEUES
    sources = [CLOUDEVENTS, *(f"source-{number}" for number in range(SOURCES - 1))]
    metrics.prepare(policy, [TOPIC], sources, sources[1:])
    for partition in range(PARTITIONS):
        metrics.intake.lag(TOPIC, partition, 0, 0.0)
    return metrics


async def _take(url: str, metrics: Metrics, policy: Policy, batches: int) -> tuple[float, float]:
    """Milliseconds of this process's CPU: for taking the answers in, and for counting them."""
    engine, catalogue = open_engine(url, pool_size=1), load_catalogue(None)
    answers, now = survey_answers(BATCH * batches), datetime.now(UTC)
    took = counted = 0.0
    try:
        for start in range(0, len(answers), BATCH):
            part = answers[start : start + BATCH]
            begun = time.process_time()
            records = (
                Record(TOPIC, 0, start + place, int(now.timestamp() * 1000), each.key, each.value)
                for place, each in enumerate(part)
            )
            report = await ingest_batch(engine, [read_record(each, catalogue, now) for each in records], policy)
            took += time.process_time() - begun
            counted += _cpu(lambda report=report: metrics.intake.batch(report, datetime.now(UTC)))  # type: ignore[misc]
    finally:
        await engine.dispose()
    return took * 1000, counted * 1000


def _cpu(step: Callable[[], None]) -> float:
    begun = time.process_time()
    step()
    return time.process_time() - begun


def _page(name: str, metrics: Metrics, accept: str | None, times: int) -> tuple[Cell, ...]:
    taken, used, body = [], [], b""
    for _ in range(times):
        start, begun = time.perf_counter(), time.process_time()
        body, _ = metrics.registry.page(accept)
        used.append((time.process_time() - begun) * 1000)
        taken.append((time.perf_counter() - start) * 1000)
    series = sum(not line.startswith(b"#") for line in body.splitlines())
    return (name, len(body) / 1024, series, percentile(used, 0.5), percentile(taken, 0.5), max(taken))
