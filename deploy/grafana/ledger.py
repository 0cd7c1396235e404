"""*Ledger*: what the weeks say, exactly, out of PostgreSQL; what a histogram of processes that restart cannot say."""

from __future__ import annotations

from typing import Any

from deploy.grafana.panel import Kind, LedgerPanel, dashboard

WEEK = "date_trunc('week', at) AS time"
IN_RANGE = "WHERE $__timeFilter(at)"
EACH_WEEK = "GROUP BY 1 ORDER BY 1"


def weekly(title: str, what: str, says: str, *, red: float, width: int = 8) -> LedgerPanel:
    """Half, and nine in ten, of a duration in each week, on both clocks."""
    shares = {"half": 0.5, "nine in ten": 0.9}
    clocks = {"wall": "as the clock runs", "callable": "in hours we may call"}
    columns = [
        f"percentile_cont({share}) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE clock = '{clock}') AS \"{name}, {words}\""
        for clock, words in clocks.items()
        for name, share in shares.items()
    ]
    sql = f"SELECT {WEEK}, {', '.join(columns)} FROM durations {IN_RANGE} AND what = '{what}' {EACH_WEEK}"
    return LedgerPanel(
        title=title, says=says, kind=Kind.COURSE, unit="s", asks={"A": sql}, yellow=red / 4, red=red, width=width
    )


BOTTOM = "avg((box = 'bottom')::int)::float8"
RECOVERED = "avg((outcome = 'recovered')::int)::float8"
"""Shares, 0 to 1."""


SPEED = [
    weekly(
        "Time to the first attempt, week by week",
        "time_to_first_attempt",
        "From the bad answer until somebody first phoned, of all that were first phoned in the week.",
        red=86400,
    ),
    weekly(
        "Time to contact, week by week",
        "time_to_contact",
        "From the bad answer until the customer was first reached, of all that were reached in the week.",
        red=172800,
    ),
    weekly(
        "Time to resolution, week by week",
        "time_to_resolution",
        "From the bad answer until the callback was resolved, of all that were resolved in the week.",
        red=345600,
    ),
]
HEARD = [
    LedgerPanel(
        title="Share of the bottom box, day by day",
        says="Of the answers of a day, the share that rated us 1 or 2 of 5; each answer as its newest revision says.",
        kind=Kind.COURSE,
        unit="percentunit",
        asks={
            "A": f"SELECT date_trunc('day', at) AS time, {BOTTOM} AS \"bottom box\" FROM answers {IN_RANGE} {EACH_WEEK}"
        },
        yellow=0.1,
        red=0.2,
        width=12,
    ),
    LedgerPanel(
        title="Bad answers by source",
        says="Answers in the bottom box of this range, by where they came from.",
        kind=Kind.SHARES,
        unit="short",
        asks={
            "A": f"SELECT source, count(*) AS answers FROM answers {IN_RANGE} AND box = 'bottom' GROUP BY 1 ORDER BY 2 DESC"
        },
        yellow=1000,
        red=10000,
        width=6,
    ),
    LedgerPanel(
        title="Open and overdue",
        says="Callbacks that are open now, and those of them that are past a time the company promises itself.",
        kind=Kind.SHARES,
        unit="short",
        asks={
            "A": "SELECT queue || ', ' || named AS queue, callbacks FROM"
            " (SELECT queue, count(*) AS open, count(*) FILTER (WHERE overdue) AS overdue FROM callbacks"
            " WHERE ended_at IS NULL GROUP BY 1) AS counted"
            " CROSS JOIN LATERAL (VALUES ('open', open), ('overdue', overdue)) AS each (named, callbacks) ORDER BY 1"
        },
        yellow=100,
        red=400,
        width=6,
        link="/v1/callbacks",
    ),
]
KEPT = [
    LedgerPanel(
        title="Targets kept, week by week",
        says="Of the promised times that were decided in the week, the share that was met, by what was promised.",
        kind=Kind.COURSE,
        unit="percentunit",
        asks={
            "A": f"SELECT {WEEK}, "
            + ", ".join(
                f"avg(met::int) FILTER (WHERE target = '{name}')::float8 AS \"{name.replace('_', ' ')}\""
                for name in ("first_attempt", "contact", "resolution")
            )
            + f" FROM targets {IN_RANGE} {EACH_WEEK}"
        },
        yellow=0.95,
        red=0.9,
        width=12,
        runbook="BottomboxResolutionsLate",
    ),
    LedgerPanel(
        title="What came of phoning",
        says="Attempts of this range, by their result.",
        kind=Kind.SHARES,
        unit="short",
        asks={"A": f"SELECT result, count(*) AS attempts FROM attempts {IN_RANGE} GROUP BY 1 ORDER BY 2 DESC"},
        yellow=1000,
        red=10000,
    ),
    LedgerPanel(
        title="Promises to customers",
        says="Calls promised for a stated time: kept, late or broken, in this range.",
        kind=Kind.SHARES,
        unit="short",
        asks={"A": f"SELECT result, count(*) AS promises FROM promises {IN_RANGE} GROUP BY 1 ORDER BY 1"},
        yellow=100,
        red=1000,
    ),
]
ENDED = "WHERE $__timeFilter(ended_at)"
CAME_OF_IT = [
    LedgerPanel(
        title="How callbacks ended",
        says="Callbacks that ended in this range: resolved, or closed without a conversation, and why.",
        kind=Kind.SHARES,
        unit="short",
        asks={
            "A": f"SELECT coalesce(closed_reason, state) AS ended, count(*) AS callbacks FROM callbacks {ENDED}"
            " GROUP BY 1 ORDER BY 2 DESC"
        },
        yellow=1000,
        red=10000,
        width=6,
    ),
    LedgerPanel(
        title="Causes",
        says="Causes of the callbacks that were resolved in this range, the most frequent first, with their kind.",
        kind=Kind.SHARES,
        unit="short",
        asks={
            "A": "SELECT cause_kind || ': ' || cause_driver AS cause, count(*) AS callbacks FROM callbacks"
            f" {ENDED} AND cause_driver IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 12"
        },
        yellow=1000,
        red=10000,
        width=6,
    ),
    LedgerPanel(
        title="Won back, by cause",
        says="Of the resolved callbacks of a cause in this range, the share whose customer was won back.",
        kind=Kind.SHARES,
        unit="percentunit",
        asks={
            "A": f"SELECT cause_kind || ': ' || cause_driver AS cause, {RECOVERED} AS recovered"
            f" FROM callbacks {ENDED} AND cause_driver IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 12"
        },
        yellow=0.6,
        red=0.4,
        width=6,
    ),
    LedgerPanel(
        title="Half are resolved within, by cause",
        says="Median time from the bad answer to the resolution, as the clock runs, by cause.",
        kind=Kind.SHARES,
        unit="s",
        asks={
            "A": "SELECT cause_driver AS cause, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds FROM durations"
            f" {IN_RANGE} AND what = 'time_to_resolution' AND clock = 'wall' GROUP BY 1 ORDER BY 2 DESC LIMIT 12"
        },
        yellow=86400,
        red=345600,
        width=6,
    ),
]
ACCOUNT = [
    LedgerPanel(
        title="Offsets without an account",
        says="Offsets that Kafka gave us and of which the ledger does not know where they ended. Anything but 0 is looked into.",
        kind=Kind.NOW,
        unit="short",
        asks={"A": "SELECT coalesce(sum(abs(difference)), 0) AS offsets FROM offsets"},
        yellow=1,
        red=2,
        runbook="BottomboxInvariantViolated",
        link="/v1/ledger",
    ),
    LedgerPanel(
        title="Dead letters that wait",
        says="Records that could not be read and were not sent again yet, by reason; of all time.",
        kind=Kind.SHARES,
        unit="short",
        asks={"A": "SELECT reason, count(*) AS records FROM dead_letters WHERE waits GROUP BY 1 ORDER BY 2 DESC"},
        yellow=1,
        red=100,
        runbook="BottomboxDeadLetters",
        link="/v1/dead-letters",
    ),
    LedgerPanel(
        title="Calls outside the permitted hours",
        says="Calls of this range that should not have been made and that a lead recorded.",
        kind=Kind.NOW,
        unit="short",
        asks={"A": f"SELECT count(*) AS calls FROM attempts {IN_RANGE} AND outside_window"},
        yellow=1,
        red=5,
        runbook="BottomboxCalledOutsideHours",
    ),
    LedgerPanel(
        title="Longest wait",
        says="How long ago the oldest callback that is still open was opened, by queue.",
        kind=Kind.SHARES,
        unit="s",
        asks={
            "A": "SELECT queue, extract(epoch FROM now() - min(opened_at))::float8 AS seconds FROM callbacks"
            " WHERE ended_at IS NULL GROUP BY 1 ORDER BY 2 DESC"
        },
        yellow=86400,
        red=259200,
        runbook="BottomboxCallbackForgotten",
        link="/v1/queues",
    ),
]


def build_ledger() -> Any:
    rows = {
        "How fast we act": SPEED,
        "What we hear": HEARD,
        "What we keep": KEPT,
        "What comes of it": CAME_OF_IT,
        "Whether the account is right": ACCOUNT,
    }
    says = "Exact figures over weeks, out of the ledger. Weeks and days begin in the time zone of the database."
    return dashboard("bottombox-ledger", "Ledger", says, rows, since="now-12w")
