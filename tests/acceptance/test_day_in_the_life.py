"""A day in the life of an advisory team: 40 customers in four time zones, over HTTP and Kafka only.

The scenes in `day_in_the_life/` set the clock and say who does what. What must come of them, worked out by hand, stands in
`day_in_the_life/expected.py`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.day_in_the_life import saturday, sunday
from tests.acceptance.day_in_the_life.expected import (
    CALLBACKS,
    COUNTERS,
    DURATIONS,
    GAUGES,
    OUTCOMES,
    POLICY,
    Row,
    Waited,
)
from tests.acceptance.day_in_the_life.stage import Day, Samples, counted, moment
from tests.parts.clock import Clock
from tests.parts.kafka import KafkaBroker
from tests.parts.reconcile import check_counters
from tests.parts.service import environment
from tests.parts.topics import unique_name
from tests.parts.town import Town, eventually

BUCKETS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 259200, 345600, 604800, 1209600)
AHEAD_MS = 2**62  # the story's clock is its own: Kafka may take records from any time, and keep them


@pytest.fixture
async def day(
    kafka: KafkaBroker,
    database_url: str,
    new_topic: Callable[..., Awaitable[str]],
    clock: Clock,
    tmp_path: Path,
) -> AsyncIterator[Day]:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    topic = await new_topic("surveys", partitions=3, message_timestamp_after_max_ms=AHEAD_MS, retention_ms=-1)
    dead = await new_topic("dead", max_message_bytes=16 * 1024 * 1024)
    env = environment(
        database=database_url,
        kafka=kafka.bootstrap,
        topics=topic,
        dead_letters=dead,
        group=unique_name("group"),
        POLICY_FILE=str(policy),
    )
    async with (
        Town.open(env, bootstrap=kafka.bootstrap, topic=topic, dead=dead, database=database_url) as town,
        Day.begin(town, clock) as begun,
    ):
        yield begun


async def test_a_day_in_the_life_of_a_team_ends_as_worked_out_by_hand(day: Day) -> None:
    for scene in (*saturday.SCENES, *sunday.SCENES):
        await scene(day)
    assert await final_callbacks(day) == CALLBACKS
    await check_stories(day)
    await check_metrics(day)
    await check_counters(day.town, day.service)
    assert await day.outcomes() == OUTCOMES


async def final_callbacks(day: Day) -> dict[str, Row]:
    """By the event that opened each."""
    listed = await day.lea.list()
    found = [await day.lea.get(f"/callbacks/{each['id']}") for each in listed]
    return {min(alert["event_id"] for alert in each["alerts"]): row(each) for each in found}


def row(callback: dict[str, Any]) -> Row:
    promise, cause = callback["promise"], callback["cause"]
    return Row(
        ended=callback["closed_reason"] or callback["outcome"] or callback["state"],
        queue=callback["queue"],
        priority=callback["priority"],
        attempts=" ".join(attempt["result"] for attempt in callback["attempts"]),
        targets=" ".join(target["result"] or "-" for target in callback["targets"]),
        flags=" ".join(callback["flags"]),
        promise=promise["state"] if promise else "",
        cause=f"{cause['kind']}/{cause['driver']}" if cause else "",
    )


async def check_stories(day: Day) -> None:
    """Each step is in the history, and a callback knows the one before it."""
    oda = await day.lea.callback("oda")
    assert [(each["kind"], each["actor"]) for each in oda["history"]] == [
        ("opened", "system"),
        ("escalated", "system"),  # 11:00, to the owner
        ("target_missed", "system"),  # 13:00
        ("escalated", "system"),
        ("claimed", "ben"),
        ("escalated", "system"),  # 15:00, to the manager
        ("released", "system"),
        ("claimed", "ben"),
        ("attempted", "ben"),
        ("released", "ben"),
        ("claimed", "ann"),
        ("attempted", "ann"),
        ("target_met", "system"),
        ("target_met", "system"),
        ("resolved", "ann"),
    ]
    bina = await day.lea.callback("bina")
    [before] = bina["earlier_callbacks"]
    assert bina["links"]["previous"] == f"/v1/callbacks/{before['id']}"
    assert bina["promise"]["at"] == "2027-03-29T05:00:00Z"


async def check_metrics(day: Day) -> None:
    async def gauges() -> dict[str, dict[str, float]]:
        samples = await day.samples()
        return {name: counted(samples, name) for name in GAUGES}

    await eventually(gauges, lambda found: found == GAUGES)
    samples = await day.samples()
    assert {name: counted(samples, name) for name in COUNTERS} == COUNTERS
    for name in Waited._fields:
        for queue, waits in DURATIONS.items():
            known = [each for wait in waits if (each := getattr(wait, name)) is not None]
            check_histogram(samples, f"time_to_{name}_seconds", f"callable/{queue}", [each[1] for each in known])
            check_histogram(samples, f"time_to_{name}_seconds", f"wall/{queue}", [each[0] for each in known])
    oldest = samples["oldest_waiting_callback_timestamp_seconds", "general"]
    assert 0 <= oldest - moment("Sat 08:50").timestamp() < 60  # lily


def check_histogram(samples: Samples, name: str, labels: str, waited: list[int]) -> None:
    """Each in its bucket, and their sum within a minute for each of the minutes on paper."""
    buckets = Counter(bucket_of(each) for each in waited)
    clock, queue = labels.split("/")
    seen, before = {}, 0.0
    for bound in BUCKETS:
        reached = samples[f"{name}_bucket", f"{clock}/{float(bound)}/{queue}"]
        seen[bound] = int(reached - before)
        before = reached
    assert {bound: count for bound, count in seen.items() if count} == dict(buckets), (name, labels)
    assert samples[f"{name}_count", labels] == len(waited)
    assert abs(samples[f"{name}_sum", labels] - 60 * sum(waited)) < 60 * len(waited), (name, labels)


def bucket_of(waited: int) -> int:
    """The bucket of so many minutes; none may lie where the process's own speed would decide."""
    first, last = (bisect_left(BUCKETS, 60 * waited + seconds) for seconds in (-29, 59))
    assert first == last, f"{waited} minutes are too close to the border of a bucket"
    return BUCKETS[first]
