"""*Alert latency and service*: how fast a bad answer becomes a callback, and whether the parts are well."""

from __future__ import annotations

from typing import Any

from deploy.grafana.panel import Kind, Panel, dashboard

BUCKETS = "sum by (le) (rate(bottombox_alert_latency_seconds_bucket[$__rate_interval]))"
IN_TIME = (
    'sum(increase(bottombox_alert_latency_seconds_bucket{le="5.0"}[$__range]))'
    " / (sum(increase(bottombox_alert_latency_seconds_count[$__range])) > 0)"
)

LATENCY = [
    Panel(
        title="Alert latency",
        says="From the Kafka record's timestamp to the callback, each column a moment, the darker the more alerts.",
        kind=Kind.HEAT,
        unit="s",
        asks={"{{le}}": BUCKETS},
        yellow=5,
        red=60,
        width=8,
        runbook="BottomboxAlertLatencyBurn",
    ),
    Panel(
        title="Alert latency, half and the slowest",
        says="Half of the alerts, 95 and 99 in a hundred were on a callback within this time.",
        kind=Kind.COURSE,
        unit="s",
        asks={f"p{percent}": f"histogram_quantile({percent / 100}, {BUCKETS})" for percent in (50, 95, 99)},
        yellow=5,
        red=60,
        width=8,
        runbook="BottomboxAlertLatencyBurnSlow",
    ),
    Panel(
        title="Within 5 seconds",
        says="The share of alerts that were on a callback within 5 seconds. The objective is 99.9 %.",
        kind=Kind.NOW,
        unit="percentunit",
        asks={"in time": IN_TIME},
        yellow=0.9995,
        red=0.999,
        width=4,
        runbook="BottomboxAlertLatencyBurn",
    ),
    Panel(
        title="How fast the allowance burns",
        says="Failures of the last hour beside what each objective allows: at 1 the month's allowance lasts for a month.",
        kind=Kind.COURSE,
        unit="short",
        asks={
            "{{slo}}": 'slo:sli_error:ratio_rate1h{slo="alert_latency"} / 0.001'
            ' or slo:sli_error:ratio_rate1h{slo="first_attempt"} / 0.05'
            ' or slo:sli_error:ratio_rate1h{slo="resolution"} / 0.1'
        },
        yellow=1,
        red=6,
        width=4,
        runbook="BottomboxFirstAttemptsLate",
    ),
]
INTAKE = [
    Panel(
        title="Lag",
        says="How long answers have waited to be taken in, by partition; 0 when there are none.",
        kind=Kind.COURSE,
        unit="s",
        asks={"{{topic}}-{{partition}}": "max by (topic, partition) (bottombox_consumer_lag_seconds)"},
        yellow=30,
        red=300,
        runbook="BottomboxConsumerLag",
    ),
    Panel(
        title="Stopped partitions",
        says="Partitions that wait for a person.",
        kind=Kind.NOW,
        unit="short",
        asks={"stopped": "sum(max by (topic, partition) (bottombox_consumer_stopped_partitions))"},
        yellow=1,
        red=1.5,
        width=3,
        runbook="BottomboxPartitionStopped",
    ),
    Panel(
        title="Records, by where they end",
        says="Records taken in per second, by their outcome.",
        kind=Kind.COURSE,
        unit="cps",
        asks={"{{outcome}}": "sum by (outcome) (rate(bottombox_records_total[$__rate_interval]))"},
        yellow=1000,
        red=5000,
        runbook="BottomboxConsumerStuck",
    ),
    Panel(
        title="Dead letters",
        says="Records of this range that could not be read, by reason.",
        kind=Kind.SHARES,
        unit="short",
        asks={"{{reason}}": "sum by (reason) (increase(bottombox_dead_letters_total[$__range]))"},
        yellow=1,
        red=100,
        runbook="BottomboxDeadLetters",
        link="/v1/dead-letters",
    ),
    Panel(
        title="Since the last canary",
        says="How long ago an answer of our own last came the whole way, from Kafka to a claim; one is sent every 20 seconds.",
        kind=Kind.NOW,
        unit="s",
        asks={"ago": "time() - (max(bottombox_canary_last_seen_timestamp_seconds) > 0)"},
        yellow=60,
        red=90,
        width=3,
        runbook="BottomboxCanaryLate",
    ),
]
LEDGER = [
    Panel(
        title="Database",
        says="1 while at least one process reaches PostgreSQL.",
        kind=Kind.NOW,
        unit="bool_yes_no",
        asks={"there": "max(bottombox_database_up)"},
        yellow=1,
        red=0.5,
        runbook="BottomboxDatabaseAway",
    ),
    Panel(
        title="Connections",
        says="Connections to PostgreSQL of all processes, by whether they are in use.",
        kind=Kind.COURSE,
        unit="short",
        asks={"{{state}}": "sum by (state) (bottombox_database_connections)"},
        yellow=60,
        red=90,
    ),
    Panel(
        title="Broken promises of the ledger",
        says="What the last audit found broken, by check. Anything but 0 is looked into.",
        kind=Kind.SHARES,
        unit="short",
        asks={"{{check}}": "max by (check) (bottombox_invariant_violations)"},
        yellow=1,
        red=2,
        runbook="BottomboxInvariantViolated",
        link="/v1/ledger",
    ),
    Panel(
        title="Since the last audit",
        says="How long ago `work` last looked after the ledger; it does so once a minute.",
        kind=Kind.NOW,
        unit="s",
        asks={"ago": "time() - (max(bottombox_auditor_last_success_timestamp_seconds) > 0)"},
        yellow=150,
        red=300,
        runbook="BottomboxAuditorSilent",
    ),
]
PROCESSES = [
    Panel(
        title="Processes",
        says="Processes that answer Prometheus, by version.",
        kind=Kind.NOW,
        unit="short",
        asks={"{{version}}": "count by (version) (bottombox_build_info)"},
        yellow=2,
        red=1,
        runbook="BottomboxAway",
    ),
    Panel(
        title="Event loop",
        says="How late each process ran a timer just now.",
        kind=Kind.COURSE,
        unit="s",
        asks={"{{instance}}": "max by (instance) (bottombox_event_loop_lag_seconds)"},
        yellow=0.1,
        red=1,
        runbook="BottomboxEventLoopLate",
    ),
    Panel(
        title="Requests",
        says="Requests per second, by the class of their status.",
        kind=Kind.COURSE,
        unit="reqps",
        asks={"{{status}}": "sum by (status) (rate(bottombox_http_request_seconds_count[$__rate_interval]))"},
        yellow=100,
        red=500,
    ),
    Panel(
        title="Not counted",
        says="What was recorded in this range and could not be counted: the figures are too low by so much.",
        kind=Kind.NOW,
        unit="short",
        asks={"uncounted": "sum(increase(bottombox_uncounted_total[$__range]))"},
        yellow=1,
        red=10,
        runbook="BottomboxUncounted",
    ),
]


def build_service() -> Any:
    rows = {"How fast we hear": LATENCY, "Intake": INTAKE, "The ledger": LEDGER, "The processes": PROCESSES}
    says = "How fast a bad answer becomes a callback, and whether the parts are well."
    return dashboard("bottombox-service", "Alert latency and service", says, rows, since="now-6h")
