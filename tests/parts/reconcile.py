"""The figures of the processes, summed, beside those of the ledger (I30): for the end of a story, while the processes live."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.parts.service import Service
from tests.parts.town import Town, eventually

Figures = dict[str, float]
"""`responses_total bottom cloudevents` -> 31; what is zero is not there."""

ALERTS_BY_SOURCE = "SELECT source, count(*) FROM alerts AS a JOIN responses AS r ON r.id = a.response_id GROUP BY 1"

PATIENCE = 15.0  # seconds; a process counts right after its commit

# By the name of the metric: its labels in the order of their names, and what of the history it counts.
HAPPENED = {
    "callbacks_opened_total": ("data ->> 'queue'", "kind = 'opened'"),
    "callbacks_joined_total": ("data ->> 'queue'", "kind = 'joined'"),
    "callbacks_closed_total": ("data ->> 'queue', coalesce(data ->> 'reason', kind)", "kind IN ('closed', 'resolved')"),
    "resolutions_total": ("data ->> 'cause', data ->> 'outcome', data ->> 'queue'", "kind = 'resolved'"),
    "attempts_total": ("data ->> 'queue', data ->> 'result'", "kind = 'attempted'"),
    "attempts_outside_window_total": ("data ->> 'queue'", "kind = 'attempted' AND data ->> 'outside_window' = 'true'"),
    "targets_total": (
        "data ->> 'priority', data ->> 'queue', data ->> 'result', data ->> 'target'",
        "kind IN ('target_met', 'target_missed')",
    ),
    "promises_total": ("data ->> 'queue', data ->> 'result'", "kind = 'promise_decided'"),
    "escalations_total": ("data ->> 'queue', data ->> 'step'", "kind = 'escalated'"),
    "leases_expired_total": ("data ->> 'queue'", "kind = 'released' AND data ->> 'reason' = 'lease_expired'"),
    "skips_total": ("data ->> 'queue', data ->> 'skip_reason'", "kind = 'released' AND data ->> 'reason' = 'skipped'"),
}

# By the name of the metric: its labels in the order of their names, and the number.
IN_THE_LEDGER = {
    "records_total": "SELECT o.key, topic, sum(o.value::bigint) FROM partitions, jsonb_each_text(outcomes) AS o GROUP BY 1, 2",
    "records_seen_again_total": "SELECT topic, sum(seen_again) FROM partitions GROUP BY 1",
    "responses_total": "SELECT box, source, count(*) FROM responses GROUP BY 1, 2",
    "dead_letters_total": "SELECT reason, count(*) FROM dead_letters GROUP BY 1",
    "alert_latency_seconds_count": ALERTS_BY_SOURCE,
    "answer_to_alert_seconds_count": ALERTS_BY_SOURCE,
    **{
        name: f"SELECT {labels}, count(*) FROM history WHERE {happened} GROUP BY {labels}"
        for name, (labels, happened) in HAPPENED.items()
    },
    **{
        f"time_to_{end}_seconds_count": "SELECT clock.key, data ->> 'queue', count(*) FROM history,"
        f" jsonb_each(measured -> 'time_to_{end}') AS clock GROUP BY 1, 2"
        for end in ("claim", "first_attempt", "contact", "resolution")
    },
}


async def check_counters(town: Town, *services: Service) -> None:
    """`services` are all that ever worked on this ledger, and none of them died."""
    await eventually(lambda: _differences(town, services), lambda found: not found, within=PATIENCE)


async def _differences(town: Town, services: Iterable[Service]) -> dict[str, tuple[float, float]]:
    """What the processes say where it is not what the ledger says: (theirs, the ledger's)."""
    found, wanted = await _counted(services), await _in_the_ledger(town)
    return {
        name: (found.get(name, 0), wanted.get(name, 0))
        for name in found.keys() | wanted.keys()
        if found.get(name, 0) != wanted.get(name, 0)
    }


async def _in_the_ledger(town: Town) -> Figures:
    figures: Figures = {}
    for name, query in IN_THE_LEDGER.items():
        for *labels, number in await town.ledger.fetch(query):
            figures[" ".join((name, *map(str, labels)))] = float(number)
    return {name: number for name, number in figures.items() if number}


async def _counted(services: Iterable[Service]) -> Figures:
    figures: defaultdict[str, float] = defaultdict(float)
    async with httpx.AsyncClient() as client:
        pages = [(await client.get(f"{each.metrics}/metrics")).text for each in services]
    for page in pages:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                name = sample.name.removeprefix("bottombox_")
                if name in IN_THE_LEDGER:
                    labels = [sample.labels[label] for label in sorted(sample.labels)]
                    figures[" ".join((name, *labels))] += sample.value
    return {name: number for name, number in figures.items() if number}
