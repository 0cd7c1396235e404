"""Revisions of answers in any order, with duplicates, end as they would have in the order in which they were made (I8)."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.intake.record import Record
from tests.parts.desk import NOW, Desk
from tests.parts.effort import times

ANSWERS = 10
"""In each of the streams; `make soak` makes 50 streams of them."""

STREAMS, OFFSETS = count(), count()
IN_FORCE = """
    SELECT DISTINCT ON (response_id) response_id, event_id, rating, box FROM responses WHERE event_source = $1
    ORDER BY response_id, revised_at DESC
"""
CALLED = """
    SELECT DISTINCT r.event_id FROM alerts a JOIN responses r ON r.id = a.response_id JOIN callbacks c ON c.id = a.callback_id
    WHERE r.event_source = $1 AND c.state = 'waiting' AND r.event_id = ANY($2)
"""
TO_CALL = """
    SELECT k.key FROM callbacks c JOIN customers k ON k.id = c.customer_id
    WHERE c.state = 'waiting' AND k.key LIKE '%' || $1 || '%'
"""


def revisions(dice: Random, stream: str) -> list[dict[str, Any]]:
    """In the order in which they were made: one to six of each answer, of customers who gave several."""
    made: list[dict[str, Any]] = []
    for number in range(ANSWERS):
        customer = f"{stream}-{dice.randrange(ANSWERS // 2)}"
        for revision in range(dice.randint(1, 6)):
            made.append(
                {
                    "specversion": "1.0",
                    "type": "survey.response.submitted.v1",
                    "source": f"/{stream}",
                    "id": f"a{number}.{revision}",
                    "time": (NOW - timedelta(days=1) + timedelta(minutes=len(made))).isoformat(),
                    "data": {
                        "response_id": f"a{number}",
                        "rating": dice.randint(1, 5),
                        "answered_at": (NOW - timedelta(days=2)).isoformat(),
                        "customer": {"id": customer},
                    },
                }
            )
    return sorted(made, key=lambda each: str(each["time"]))


def record(event: dict[str, Any]) -> Record:
    return Record("surveys", 0, next(OFFSETS), int(NOW.timestamp() * 1000), None, json.dumps(event).encode())


async def deliver(desk: Desk, events: list[dict[str, Any]], dice: Random) -> None:
    """In polls of one to eight records."""
    while events:
        some, events = events[: (size := dice.randint(1, 8))], events[size:]
        await desk.take([record(each) for each in some])


async def ended(desk: Desk, stream: str) -> tuple[Any, ...]:
    """What holds in the end: the revision in force of each answer, which of them are behind a callback, and whom to call."""
    source = f"/{stream}"
    in_force = await desk.rows(IN_FORCE, source)
    called = await desk.rows(CALLED, source, [row["event_id"] for row in in_force])
    to_call = await desk.rows(TO_CALL, stream)
    keys = sorted(row["key"].replace(stream, "") for row in to_call)
    return [tuple(row.values()) for row in in_force], sorted(row["event_id"] for row in called), keys


@settings(max_examples=times(50), deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(0, 2**32))
async def test_revisions_in_any_order_end_as_in_the_right_one(desk: Desk, seed: int) -> None:
    dice, number = Random(seed), next(STREAMS)
    ordered, shuffled = f"ordered{number:04}x", f"shuffled{number:04}x"
    in_order = revisions(Random(seed), ordered)
    in_disorder = revisions(Random(seed), shuffled)
    in_disorder += [each for each in in_disorder if dice.random() < 0.3]
    dice.shuffle(in_disorder)
    await deliver(desk, in_order, dice)
    await deliver(desk, in_disorder, dice)
    wanted, found = await ended(desk, ordered), await ended(desk, shuffled)
    assert found == wanted
    last = {each["data"]["response_id"]: each for each in in_order}
    bottom = sorted(each["id"] for each in last.values() if each["data"]["rating"] <= 2)
    assert wanted[1] == bottom, "everybody whose last word was bad, and nobody else"
