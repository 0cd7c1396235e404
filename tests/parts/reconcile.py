"""The figures of the processes, summed, beside those of the ledger (I30).

Every ledger of a story has `Books`: at its end no process has counted more than was recorded, and where each was asked before
it ended, no less. `check_counters` asks in the middle of a story.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import urlopen

import asyncpg
from prometheus_client.parser import text_string_to_metric_families

from tests.parts.town import Town, eventually

Figures = dict[str, float]
"""`responses_total bottom cloudevents` -> 31; what is zero is not there."""

Differences = dict[str, tuple[float, float]]
"""What the processes say and what the ledger says, where one does not follow from the other."""

UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""A process or a database that a story has stopped, paused, or protected; `URLError` is an `OSError`."""

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


class Counting(Protocol):
    """A process that tells what it has counted at the port `metrics`."""

    metrics: str


class Books:
    """What the processes of one ledger have counted, each asked once more before it ends."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._running: list[Counting] = []
        self._last_pages: list[str] = []
        self._is_whole = True  # each process that ended was asked after the last that it did
        self._recorded: Figures = {}
        self._uncounted: Differences = {}

    def begin(self, process: Counting) -> None:
        self._running.append(process)

    def lose(self, process: Counting) -> None:
        """It ended without having been asked, and what it had counted is gone."""
        self._running.remove(process)
        self._is_whole = False

    def ask(self, process: Counting) -> str | None:
        """The page of one that will end now, once all is counted that is in the ledger; None if there is none to be had."""
        try:
            self._recorded = recorded(self._database)
            deadline = time.monotonic() + PATIENCE
            while True:
                pages = {id(each): _page(each) for each in self._running}
                counted = figures([*self._last_pages, *pages.values()])
                self._uncounted = _where(counted, self._recorded, lambda theirs, ours: theirs < ours)
                if not (self._uncounted and self._is_whole) or time.monotonic() > deadline:
                    self._last_pages.append(pages[id(process)])
                    return pages[id(process)]
                time.sleep(0.02)
        except UNREACHABLE:
            self._is_whole = False
            return None

    def close(self, process: Counting) -> None:
        """It has ended. What it did after it was asked, nobody has counted."""
        self._running.remove(process)
        try:
            self._is_whole &= recorded(self._database) == self._recorded
        except UNREACHABLE:
            self._is_whole = False

    def put_back(self) -> None:
        """The ledger is as it was at an earlier moment; what was counted until now is more than it holds."""
        self._last_pages.clear()
        self._is_whole = False

    def check(self) -> None:
        """At the end of a story, when no process runs any more."""
        if self._last_pages:
            counted = figures(self._last_pages)
            too_many = _where(counted, recorded(self._database), lambda theirs, ours: theirs > ours)
            assert not too_many, f"more was counted than recorded: {too_many}"
        assert not (self._is_whole and self._uncounted), f"recorded, and not counted: {self._uncounted}"


_BOOKS: dict[str, Books] = {}  # by the name of the database; one that is dropped takes its own along


def books_of(database: str) -> Books:
    """Those of the ledger at this address, through whatever pooler."""
    return _BOOKS.setdefault(urlsplit(database).path, Books(database))


async def check_counters(town: Town, *services: Counting) -> None:
    """`services` are all that ever worked on this ledger, and none of them died."""

    def differences() -> Differences:
        return _where(figures(map(_page, services)), recorded(town.database), lambda theirs, ours: theirs != ours)

    await eventually(lambda: asyncio.to_thread(differences), lambda found: not found, within=PATIENCE)


def check_page(page: str, database: str, *, is_all: bool) -> None:
    """`is_all`: whoever has this page did all that is in the ledger; else it may not say more than that."""
    found = _where(
        figures([page]), recorded(database), lambda theirs, ours: theirs != ours if is_all else theirs > ours
    )
    assert not found, f"counted, and recorded: {found}"


def _where(counted: Figures, recorded: Figures, differ: Callable[[float, float], bool]) -> Differences:
    both = {name: (counted.get(name, 0), recorded.get(name, 0)) for name in counted.keys() | recorded.keys()}
    return {name: pair for name, pair in both.items() if differ(*pair)}


def recorded(database: str) -> Figures:
    """What the ledger holds of everything that is counted."""

    async def ask() -> Figures:
        connection = await asyncpg.connect(database, timeout=10, statement_cache_size=0)
        try:
            rows = {name: await connection.fetch(query) for name, query in IN_THE_LEDGER.items()}
        finally:
            await connection.close()
        return {" ".join((name, *map(str, labels))): float(n) for name in rows for *labels, n in rows[name] if n}

    with ThreadPoolExecutor(1) as elsewhere:  # the caller's thread may already run an event loop
        return elsewhere.submit(asyncio.run, ask()).result()


def figures(pages: Iterable[str]) -> Figures:
    """The sum of the pages, of what the ledger holds too."""
    found: defaultdict[str, float] = defaultdict(float)
    for page in pages:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                name = sample.name.removeprefix("bottombox_")
                if name in IN_THE_LEDGER:
                    labels = [sample.labels[label] for label in sorted(sample.labels)]
                    found[" ".join((name, *labels))] += sample.value
    return {name: number for name, number in found.items() if number}


def _page(process: Counting) -> str:
    with urlopen(f"{process.metrics}/metrics", timeout=10) as page:
        return str(page.read().decode())
