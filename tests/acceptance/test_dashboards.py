"""Every expression of every dashboard and rule, asked of a real Prometheus and of the ledger while the service works."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.metrics.registry import WORK
from deploy.grafana.preview import Answer, draw
from deploy.prometheus.server import PrometheusServer, missing_prometheus
from tests.acceptance.test_main_job import key
from tests.parts.checks import check_conservation
from tests.parts.clock import Clock
from tests.parts.deployment import DASHBOARDS, ShownPanel, read_board, rules, shown_panels, with_ranges
from tests.parts.effort import EFFORT, FULL
from tests.parts.prometheus import run_program
from tests.parts.prometheus_answers import PrometheusAnswers, Series
from tests.parts.reports import ask_reports, make_reports
from tests.parts.requirements import require
from tests.parts.service import Service
from tests.parts.town import Town, eventually
from tests.parts.weeks import CUSTOMERS, NOTE, Weeks

WEEKS, ANSWERS = (4, 40) if EFFORT < FULL else (8, 100)
ADVISOR = "xenia-the-advisor"

NOTHING_TO_SHOW = {
    "ledger.json Longest wait": "every callback of these weeks may have ended; then nobody waits",
    "ledger.json Open and overdue": "every callback of these weeks may have ended; then none is open",
    "advisory.json Longest wait": "nobody may wait at the end",
}
"""Panels that may be empty here, and why."""

QUIET = {
    "BottomboxAlertLatencyBurn": "answers become callbacks within 5 s",
    "BottomboxAlertLatencyBurnSlow": "answers become callbacks within 5 s",
    "BottomboxFirstAttemptsLate": "first attempts come in time, as far as the jumping clock allows",
    "BottomboxResolutionsLate": "resolutions come in time, as far as the jumping clock allows",
    "BottomboxNobodyConsumes": "somebody does",
    "BottomboxConsumerStuck": "it reads what there is",
    "BottomboxConsumerLag": "nothing waits for five minutes",
    "BottomboxPartitionStopped": "no dead letter was refused",
    "BottomboxTopicMissing": "each topic of the settings is there, and may be read",
    "BottomboxCanaryLate": "the canaries come through",
    "BottomboxConflicts": "no id was used for another answer",
    "BottomboxSourceSilent": "there is no Prometheus with weeks behind it",
    "BottomboxInvariantViolated": "the ledger keeps its promises",
    "BottomboxTimersLate": "the worker is there",
    "BottomboxAuditorSilent": "the audit is there",
    "BottomboxCallbackForgotten": "callbacks end before three days have passed",
    "BottomboxCalledOutsideHours": "nobody called at night",
    "BottomboxDatabaseAway": "the database is there",
    "BottomboxAway": "the processes are there",
    "BottomboxUncounted": "everything could be counted",
    "BottomboxEventLoopLate": "no process is late by a second",
}
"""Alerts whose expression may find nothing here, and why. What they look at must be there all the same."""

UNSEEN = {"bottombox_consumer_stopped_partitions": "shown once a partition has stopped"}
"""Series that a rule looks at and that are not there yet, and why."""


@dataclass
class Watched:
    """A service that has worked for a while, what watches it, and since when and until when (Unix time)."""

    town: Town
    prometheus: PrometheusAnswers
    reader: str
    metrics: list[str]
    since: float
    until: float

    @property
    def whole(self) -> str:
        return f"{self.until - self.since:.0f}s"

    def ranges(self, expression: str) -> str:
        return with_ranges(expression, rate="10s", whole=self.whole)

    async def sql(self, text: str) -> list[dict[str, Any]]:
        until = datetime.now(UTC) + timedelta(minutes=1)
        return await ask_reports(self.reader, text, until - timedelta(weeks=WEEKS + 1), until)

    async def series(self, target: dict[str, Any]) -> list[Series]:
        asked = self.ranges(target["expr"])
        if target.get("instant"):
            return await self.prometheus.now(asked, self.until)
        return await self.prometheus.course(asked, self.since, self.until, max(1.0, (self.until - self.since) / 120))


@pytest.fixture
async def watched(town: Town, clock: Clock) -> AsyncIterator[Watched]:
    require("prometheus", missing_prometheus())
    reader = await make_reports(town.database)
    advisor = key(town, ADVISOR, "callbacks:work", advisor=ADVISOR)
    with (
        Service.start("api", town.env) as api,
        Service.start("consume", town.env) as consume,
        Service.start("work", town.env) as work,
    ):
        metrics = [each.metrics for each in (api, consume, work)]
        since = time.time()  # so that the counters' first zero lies within
        with PrometheusServer.start(metrics) as server:
            async with PrometheusAnswers(server.url) as prometheus:
                await eventually(lambda: prometheus.value("count(bottombox_build_info)"), lambda found: found == 3)
                await Weeks(town, clock, api.http, advisor).live(WEEKS, ANSWERS)
                await _seen(town, prometheus)
                yield Watched(town, prometheus, reader, metrics, since, time.time())


async def _seen(town: Town, prometheus: PrometheusAnswers) -> None:
    """Until Prometheus has seen the last of it, and the gauges of the queues, which are counted every ten seconds."""
    ended = await town.value("SELECT count(*) FROM history WHERE kind IN ('resolved', 'closed')")
    await eventually(lambda: prometheus.value("sum(bottombox_callbacks_closed_total)"), lambda found: found == ended)
    still_open = await town.value("SELECT count(*) FROM callbacks WHERE ended_at IS NULL")
    gauges = "sum(max by (queue, state) (bottombox_callbacks))"
    await eventually(lambda: prometheus.value(gauges), lambda found: found == still_open)
    burning = "count(slo:sli_error:ratio_rate1h offset 3s)"  # counted every ten seconds, and seen by a course of them
    await eventually(lambda: prometheus.value(burning), lambda found: found is not None and found >= 3)
    if EFFORT >= FULL:  # the audit goes by the ledger's clock, which is right again since a minute at most
        age = "time() - max(bottombox_auditor_last_success_timestamp_seconds)"
        await eventually(lambda: prometheus.value(age), lambda found: found is not None and found < 120)
    await eventually(lambda: prometheus.value("sum(up)"), lambda found: found == 3)  # a busy machine may miss a scrape


async def test_every_panel_and_every_rule_finds_what_it_asks_for(watched: Watched) -> None:
    found = {panel.name: await asked(watched, panel) for panel in shown_panels()}
    empty = {name for name, expressions in found.items() if not all(expressions)}
    assert empty <= set(NOTHING_TO_SHOW), empty
    await check_rules(watched)
    await check_medians(watched)
    await check_shares(watched)
    await check_nobody_is_named(watched)
    await check_conservation(watched.town)
    for page in watched.metrics:
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{page}/metrics")).text
        run_program("promtool", "check", "metrics", folder=Path(), told=text)
    if folder := os.environ.get("BOTTOMBOX_TEST_PREVIEWS"):
        answers = {name: list(chain(*expressions)) for name, expressions in found.items()}
        await asyncio.to_thread(draw_all, Path(folder), answers)


def draw_all(folder: Path, answers: dict[str, list[Answer]]) -> None:
    """The pictures of docs/: see docs/operations.md, "Dashboards"."""
    for path in DASHBOARDS.glob("*.json"):
        board = read_board(path.name)
        shown = {
            panel["title"]: answers[f"{path.name} {panel['title']}"] for panel in board["panels"] if "targets" in panel
        }
        (folder / f"{path.stem}.svg").write_text(draw(board, shown), encoding="utf-8")


async def asked(watched: Watched, panel: ShownPanel) -> list[list[Answer]]:
    """What each expression of a panel shows: of SQL every column of figures, of Prometheus every series by its legend."""
    if panel.is_sql:
        return [columns(panel, await watched.sql(text)) for text in panel.asks]
    return [
        [
            Answer(legend(target["legendFormat"], series.labels), series.points)
            for series in await watched.series(target)
        ]
        for target in panel.told["targets"]
    ]


def columns(panel: ShownPanel, rows: list[dict[str, Any]]) -> list[Answer]:
    if panel.told["type"] == "timeseries":
        names = [name for name in rows[0] if name != "time"] if rows else []
        lines = {
            name: [(row["time"].timestamp(), float(row[name])) for row in rows if row[name] is not None]
            for name in names
        }
        return [Answer(name, points) for name, points in lines.items() if points]
    return [Answer(_words(row), [(0.0, _figure(row))]) for row in rows]


def _words(row: dict[str, Any]) -> str:
    return next((value for value in row.values() if isinstance(value, str)), next(iter(row)))


def _figure(row: dict[str, Any]) -> float:
    return float(next(value for value in row.values() if not isinstance(value, str)))


def legend(template: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), template)


async def check_rules(watched: Watched) -> None:
    """Prometheus could judge each; each finds something or may be quiet; and what an alert looks at is there."""
    judged = await watched.prometheus.rules()
    assert sorted(rule["name"] for rule in judged) == sorted(rule.get("alert") or rule["record"] for rule in rules())
    assert [(rule["name"], rule["lastError"]) for rule in judged if rule["health"] != "ok"] == []
    silent = {
        rule.get("alert") or rule["record"]
        for rule in rules()
        if not await watched.prometheus.now(rule["expr"], watched.until)
    }
    assert silent <= set(QUIET), silent - set(QUIET)
    looked_at = {each for rule in rules() for each in selectors(rule["expr"])}
    missing = {each for each in looked_at if not await watched.prometheus.now(f"count({each})", watched.until)}
    assert missing <= set(UNSEEN), missing - set(UNSEEN)


def selectors(expression: str) -> set[str]:
    """`bottombox_records_total{outcome="conflict"}`, without ranges and offsets."""
    return set(re.findall(r"(?:\bbottombox_\w+|\bslo:[\w:]+)(?:\{[^}]*\})?", expression))


async def check_medians(watched: Watched) -> None:
    """A histogram knows the bucket in which the median lies. The lower of two middle ones, as Prometheus takes it."""
    for name in ("time_to_claim", "time_to_first_attempt", "time_to_contact", "time_to_resolution"):
        for clock in ("wall", "callable"):
            (row,) = await watched.sql(
                "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) AS median, count(*) AS count FROM durations"
                f" WHERE what = '{name}' AND clock = '{clock}'"
            )
            assert row["count"] > 10
            buckets = f'sum by (le) (increase(bottombox_{name}_seconds_bucket{{clock="{clock}"}}[{watched.whole}]))'
            named = await watched.prometheus.value(f"histogram_quantile(0.5, {buckets})", watched.until)
            assert named is not None
            assert bucket_of(named) == bucket_of(row["median"]), (name, clock, named, row["median"])


def bucket_of(seconds: float) -> float:
    return next((bound for bound in WORK if seconds <= bound), float("inf"))


async def check_shares(watched: Watched) -> None:
    """The same share, by counting what happened and by asking the ledger."""
    part_of = {
        "bottom box": (
            "responses_total",
            'box="bottom"',
            "SELECT avg((box = 'bottom')::int)::float8 AS share FROM answers",
        ),
        "targets": ("targets_total", 'result="met"', "SELECT avg(met::int)::float8 AS share FROM targets"),
        "recovered": (
            "resolutions_total",
            'outcome="recovered"',
            "SELECT avg((outcome = 'recovered')::int)::float8 AS share FROM callbacks WHERE state = 'resolved'",
        ),
        "connected": (
            "attempts_total",
            'result="connected"',
            "SELECT avg((result = 'connected')::int)::float8 AS share FROM attempts",
        ),
        "malformed": (
            "dead_letters_total",
            'reason="malformed"',
            "SELECT avg((reason = 'malformed')::int)::float8 AS share FROM dead_letters",
        ),
    }
    for name, (metric, condition, sql) in part_of.items():
        # Not by `increase`: it reckons beyond the last scrape, for each process by its own, and a busy machine misses some.
        counted = f"sum(max_over_time(bottombox_{metric}{{}}[{watched.whole}]))"
        share = f"{counted.replace('{}', '{' + condition + '}')} / {counted.replace('{}', '')}"
        seen = await watched.prometheus.value(share, watched.until)
        [(told,)] = [row.values() for row in await watched.sql(sql)]
        assert 0 < told < 1, name
        assert seen == pytest.approx(told, abs=0.01), name


async def check_nobody_is_named(watched: Watched) -> None:
    """In no row of what the reader may read, though the ledger holds it all."""
    held = await watched.town.value("SELECT string_agg(c::text, '') FROM customers AS c")
    assert CUSTOMERS in held
    assert "Vera Example" in held
    views = await watched.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'bottombox_reports'"
    )
    for view in views:
        text = str(await watched.sql(f"SELECT * FROM {view['table_name']}"))
        assert len(text) > 100, view
        for secret in (CUSTOMERS, NOTE, ADVISOR, "Vera"):
            assert secret not in text, view
