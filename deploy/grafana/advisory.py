"""*Advisory today*: how many customers wait, how fast they are helped, and what comes of it."""

from __future__ import annotations

from typing import Any

from deploy.grafana.panel import Kind, Panel, dashboard

BOTTOM_SHARE = (
    'sum(increase(bottombox_responses_total{box="bottom"}[1h])) / (sum(increase(bottombox_responses_total[1h])) > 0)'
)


def quantile(share: float, what: str, clock: str) -> str:
    rate = f'sum by (le) (increase(bottombox_{what}_seconds_bucket{{clock="{clock}"}}[$__range]))'
    return f"histogram_quantile({share}, {rate})"


def kept(target: str) -> str:
    met = f'sum(increase(bottombox_targets_total{{target="{target}",result="met"}}[$__range]))'
    return f'{met} / (sum(increase(bottombox_targets_total{{target="{target}"}}[$__range])) > 0)'


def speed(title: str, what: str, says: str) -> Panel:
    asks = {
        f"{name}, {words}": quantile(share, what, clock)
        for clock, words in (("wall", "as the clock runs"), ("callable", "in hours we may call"))
        for name, share in (("half", 0.5), ("nine in ten", 0.9))
    }
    return Panel(title=title, says=says, kind=Kind.NOW, unit="s", asks=asks, yellow=14400, red=86400)


def by(label: str, metric: str) -> dict[str, str]:
    return {f"{{{{{label}}}}}": f"sum by ({label}) (increase(bottombox_{metric}[$__range]))"}


WAITING = [
    Panel(
        title="Waiting",
        says="Customers who rated us badly and wait for a call, by queue, whether they may be phoned right now or not.",
        kind=Kind.NOW,
        unit="short",
        asks={"{{queue}}": 'max by (queue) (bottombox_callbacks{state="waiting"})'},
        yellow=50,
        red=200,
        link="/v1/queues",
    ),
    Panel(
        title="Longest wait",
        says="How long the oldest waiting callback has been open, by queue. Figures of what has ended do not show it.",
        kind=Kind.NOW,
        unit="s",
        asks={"{{queue}}": "time() - (max by (queue) (bottombox_oldest_waiting_callback_timestamp_seconds) > 0)"},
        yellow=86400,
        red=259200,
        runbook="BottomboxCallbackForgotten",
        link="/v1/callbacks",
    ),
    Panel(
        title="Overdue",
        says="Open callbacks past a time that the company promises itself, by what was promised.",
        kind=Kind.NOW,
        unit="short",
        asks={"{{target}}": "sum by (target) (max by (queue, target) (bottombox_callbacks_overdue))"},
        yellow=1,
        red=20,
        runbook="BottomboxFirstAttemptsLate",
    ),
    Panel(
        title="Promised calls",
        says="Calls promised to customers for a stated time that is still to come, by queue.",
        kind=Kind.NOW,
        unit="short",
        asks={"{{queue}}": 'max by (queue) (bottombox_callbacks{state="scheduled"})'},
        yellow=50,
        red=200,
    ),
]
HEARD = [
    Panel(
        title="Share of the bottom box, hour by hour",
        says="Of all answers of an hour, the share that rated us 1 or 2 of 5.",
        kind=Kind.COURSE,
        unit="percentunit",
        asks={"bottom box": BOTTOM_SHARE},
        yellow=0.1,
        red=0.2,
        width=12,
    ),
    Panel(
        title="Open callbacks",
        says="How many wait, are in an advisor's hands, or are promised for later.",
        kind=Kind.COURSE,
        unit="short",
        asks={"{{state}}": "sum by (state) (max by (queue, state) (bottombox_callbacks))"},
        yellow=100,
        red=400,
        width=12,
    ),
]
SPEED = [
    speed("Time to claim", "time_to_claim", "From the bad answer until an advisor first took the callback."),
    speed("Time to the first attempt", "time_to_first_attempt", "From the bad answer until somebody first phoned."),
    speed("Time to contact", "time_to_contact", "From the bad answer until the customer was first reached."),
    speed("Time to resolution", "time_to_resolution", "From the bad answer until the callback was resolved."),
]
KEPT = [
    Panel(
        title="Targets kept",
        says="Of the promised times that were decided, the share that was met.",
        kind=Kind.SHARES,
        unit="percentunit",
        asks={name.replace("_", " "): kept(name) for name in ("first_attempt", "contact", "resolution")},
        yellow=0.95,
        red=0.9,
        width=8,
        runbook="BottomboxResolutionsLate",
    ),
    Panel(
        title="Promises to customers",
        says="Calls promised for a stated time: kept, late or broken.",
        kind=Kind.SHARES,
        unit="short",
        asks=by("result", "promises_total"),
        yellow=100,
        red=1000,
        width=8,
    ),
    Panel(
        title="Attempts",
        says="What came of phoning.",
        kind=Kind.SHARES,
        unit="short",
        asks=by("result", "attempts_total"),
        yellow=1000,
        red=10000,
        width=8,
    ),
]
CAME_OF_IT = [
    Panel(
        title="From a bad answer to a resolution",
        says="Callbacks opened, attempts, conversations and resolutions. The steps are of this range, not of the same callbacks.",
        kind=Kind.SHARES,
        unit="short",
        asks={
            "opened": "sum(increase(bottombox_callbacks_opened_total[$__range]))",
            "attempted": 'sum(increase(bottombox_time_to_first_attempt_seconds_count{clock="wall"}[$__range]))',
            "reached": 'sum(increase(bottombox_time_to_contact_seconds_count{clock="wall"}[$__range]))',
            "resolved": "sum(increase(bottombox_resolutions_total[$__range]))",
        },
        yellow=1000,
        red=10000,
        width=8,
    ),
    Panel(
        title="Skill beside operations",
        says="Whether the causes of resolved callbacks lie with how people work, or with how the company works.",
        kind=Kind.SHARES,
        unit="short",
        asks=by("cause", "resolutions_total"),
        yellow=1000,
        red=10000,
        width=8,
    ),
    Panel(
        title="Outcomes",
        says="Whether the customer was won back.",
        kind=Kind.SHARES,
        unit="short",
        asks=by("outcome", "resolutions_total"),
        yellow=1000,
        red=10000,
        width=8,
    ),
]

LEARNING = [
    Panel(
        title="Action plans under way",
        says="What is done so that it does not happen again: plans that are neither complete nor cancelled, by state.",
        kind=Kind.NOW,
        unit="short",
        asks={"{{state}}": 'max by (state) (bottombox_actions{state=~"planned|in_progress|on_hold"})'},
        yellow=30,
        red=100,
        link="/v1/actions",
    ),
    Panel(
        title="Action plans overdue",
        says="Open plans past the day on which they were due.",
        kind=Kind.NOW,
        unit="short",
        asks={"overdue": "max(bottombox_actions_overdue)"},
        yellow=1,
        red=5,
        link="/v1/actions",
    ),
    Panel(
        title="Action plans completed",
        says="Plans that are complete, by whether that was so on the due day or before, or later.",
        kind=Kind.SHARES,
        unit="short",
        asks={"{{result}}": "max by (result) (bottombox_actions_completed)"},
        yellow=100,
        red=1000,
    ),
    Panel(
        title="Known problems",
        says="Problems that explain many callbacks at once and are not solved yet.",
        kind=Kind.NOW,
        unit="short",
        asks={"open": 'max(bottombox_problems{state="open"})'},
        yellow=1,
        red=3,
        link="/v1/problems",
    ),
    Panel(
        title="Signals",
        says="How often more answers than usual were bad, or a source was silent, each hour.",
        kind=Kind.COURSE,
        unit="short",
        asks={"{{kind}}": "sum by (kind) (increase(bottombox_signals_total[1h]))"},
        yellow=1,
        red=5,
        width=24,
        link="/v1/signals",
    ),
]


def build_advisory() -> Any:
    rows = {
        "Who waits": WAITING,
        "What we hear": HEARD,
        "How fast we act": SPEED,
        "What we keep": KEPT,
        "What comes of it": CAME_OF_IT,
        "Learning": LEARNING,
    }
    says = "How many customers wait, how fast they are helped, and what comes of it."
    return dashboard("bottombox-advisory", "Advisory today", says, rows, since="now/d")
