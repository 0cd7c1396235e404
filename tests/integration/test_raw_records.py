"""The record of an answer is kept as it came only where the policy says so, and only for its days."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

from alerts.policy import Policy, read_policy, shipped_policy
from consumers.duties import worker_duties
from consumers.intake.record import Record
from tests.parts.clock import Clock
from tests.parts.desk import NOW, Desk
from tests.parts.town import answer

HEADERS = (("trace", b"\xff\x00"), ("nothing", None))
KEPT = "SELECT count(*) FROM raw_records"


def keeping(days: int) -> Policy:
    return read_policy(f"keep_raw_days: {days}", file="policy.yaml")


def record(offset: int, event: str | None = None) -> Record:
    value = json.dumps(answer(event or f"e{offset}", 1), indent=2).encode() + b" "
    return Record("surveys", 0, offset, int(NOW.timestamp() * 1000), b"k\xfe", value, HEADERS)


async def work(desk: Desk, policy: Policy) -> int:
    """Forgets as the worker does, for as long as there is more; how often that was."""
    duties = worker_duties(
        desk.engine,
        policy,
        announce=lambda moved: None,
        show_queues=lambda counts: None,
        show_audit=lambda audit: None,
        show_objectives=lambda totals: None,
    )
    (forget,) = (duty for duty in duties if duty.name == "forgetting old raw records")
    times = 0
    while await forget.step():
        times += 1
    return times


async def test_by_the_shipped_policy_nothing_raw_is_kept(desk: Desk) -> None:
    await desk.take([record(0)])
    assert await desk.value(KEPT) == 0


async def test_a_record_is_kept_byte_for_byte_beside_its_answer(desk: Desk) -> None:
    desk.intake.policy = keeping(30)
    unreadable = Record("surveys", 0, 2, int(NOW.timestamp() * 1000), b"k", b"{")
    first = record(0)
    await desk.take([first, record(1, event="e0"), unreadable])
    assert await desk.outcomes() == {"bottom_box": 1, "conflict": 1, "dead_lettered": 1}
    assert await desk.value(KEPT) == 1, "what is no answer of ours leaves nothing"
    query = "SELECT raw.{} FROM raw_records raw JOIN responses r ON r.id = raw.response_id WHERE r.event_id = 'e0'"
    assert await desk.value(query.format("value")) == first.value
    assert await desk.value(query.format("key")) == first.key
    headers = json.loads(await desk.value(query.format("headers")))
    assert [(name, None if value is None else base64.b64decode(value)) for name, value in headers] == [*HEADERS]


async def test_the_worker_forgets_in_pieces_what_has_had_its_days(desk: Desk, clock: Clock) -> None:
    desk.intake.policy = keeping(30)
    await desk.take([record(offset) for offset in range(250)])
    await clock.advance(timedelta(days=20))
    await desk.take([record(250)])
    assert await work(desk, keeping(30)) == 0
    await clock.advance(timedelta(days=10, seconds=1))
    assert await work(desk, keeping(30)) == 2, "200, and the rest"
    assert await desk.value(KEPT) == 1
    assert await desk.value("SELECT count(*) FROM responses") == 251, "the answers stay"
    assert await work(desk, keeping(5)) == 1, "a shorter policy holds for what was kept before"
    assert await desk.value(KEPT) == 0


async def test_a_policy_that_keeps_none_empties_the_shelf(desk: Desk) -> None:
    desk.intake.policy = keeping(30)
    await desk.take([record(0)])
    assert await work(desk, shipped_policy()) == 1
    assert await desk.value(KEPT) == 0
