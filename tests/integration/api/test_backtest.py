"""A backtest is what a fresh ledger under the other policy would have come to, and leaves the ledger it reads as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from alerts.arrival import Answer
from alerts.learning.backtest import Comparison, rank_of
from alerts.learning.simulation import Simulation
from alerts.ledger.database import open_engine
from alerts.ledger.learning.backtesting import replay_answers
from alerts.policy import Policy, read_policy, shipped_policy
from tests.integration.api.front import NOON, Front
from tests.parts.clock import Clock
from tests.parts.effort import times
from tests.parts.postgres import PostgresServer
from tests.parts.topics import unique_name

OTHER = """
scoring:
  severity_of_2: 85
  reasons:
    - {name: segment, when: {segments: [gold]}}
    - {name: again, when: {bottom_box_within_days: 9}}
routing:
  routes:
    - {when: {queues: [billing], segments: [gold]}, queue: premium, priority: 1}
    - {when: {queues: [billing]}, queue: billing}
order:
  lift_minutes: {again: 45}
surveys:
  - {survey: short, bottom_at_most: 3}
expire_after_days: 4
"""
BEGIN = NOON - timedelta(days=40)


def made(front: Front, seed: int, answers: int) -> list[tuple[datetime, Answer]]:
    """Answers of a dozen customers over five weeks, some of them put right or made worse later, some out of order."""
    random = Random(seed)
    found: list[tuple[datetime, Answer]] = []
    for number in range(answers):
        at = BEGIN + timedelta(
            hours=number * 37 * 24 / answers
        )  # no two are an expiry apart, whatever the clock has ticked on
        customer = random.randrange(12)
        facts: dict[str, Any] = {"segment": ["gold", "basic"][customer % 2]}
        each = front.answer(f"c-{customer}", rating=random.choice([1, 1, 2, 3, 4, 5]), answered_at=at, **facts)
        said: dict[str, Any] = {"survey_id": random.choice(["short", "long"])}
        said["interaction"] = replace(each.response.interaction, queue=random.choice(["billing", "desk", None]))
        if found and random.random() < 0.3:
            _, before = random.choice(found)
            said |= {"response_id": before.response.response_id, "customer": before.response.customer}
            said["revised_at"] = before.response.revised_at + timedelta(hours=random.choice([-3, 3, 50]))
        digest = bytes([number % 256]) * 32
        response = replace(each.response, **said)
        found.append((at, replace(each, response=response, value_hash=digest, content_hash=digest)))
    return found


async def lived(front: Front, policy: Policy, answers: Sequence[tuple[datetime, Answer]]) -> None:
    """Each answer taken in at its time, the timers between them."""
    front.policy = policy
    for at, answer in answers:
        await front.clock.set(at)
        await front.wake()
        await front.answers([answer])
    await front.clock.set(NOON)


async def in_ledger(front: Front) -> dict[str, tuple[Any, ...]]:
    rows = await front.sql("""
        SELECT (array_agg(r.event_id ORDER BY a.raised_at, r.id))[1] AS opened_by, count(*) - 1 AS joins, c.queue, c.priority,
               c.severity, c.points, c.reasons, c.rank_at - c.opened_at AS rank
        FROM callbacks AS c JOIN alerts AS a ON a.callback_id = c.id JOIN responses AS r ON r.id = a.response_id GROUP BY c.id
    """)
    return {
        row.opened_by: (row.queue, row.priority, row.severity, row.points, tuple(row.reasons), row.rank, row.joins)
        for row in rows
    }


def simulated(side: Simulation) -> dict[str, tuple[Any, ...]]:
    return {
        key[1]: (each.queue, each.priority, each.severity, each.points, each.reasons, rank_of(each), side.joins[key])
        for key, each in side.callbacks.items()
    }


@pytest.fixture
async def fresh(postgres: PostgresServer, template: str) -> AsyncIterator[Front]:
    """A ledger for the other policy."""
    name = unique_name("fresh")
    url = postgres.create_database(name, template)
    connection = await asyncpg.connect(url)
    front = Front(open_engine(url), Clock(connection))
    yield front
    await front.close()
    await connection.close()
    postgres.drop_database(name)


async def digest(front: Front) -> dict[str, str]:
    """A hash of every table of the ledger."""
    tables = [row.tablename for row in await front.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert {"callbacks", "outbox", "audit"} <= set(tables)
    hashed = {}
    for name in tables:
        ((found,),) = await front.sql(f"SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {name} AS t")
        hashed[name] = found
    return hashed


async def test_a_backtest_equals_a_fresh_ledger_and_writes_nothing(front: Front, fresh: Front) -> None:
    ours, other = shipped_policy(), read_policy(OTHER, file="other.yaml")
    answers = made(front, 7, times(600))
    await lived(front, ours, answers)
    await lived(fresh, other, answers)
    before = await digest(front)
    compared = Comparison(ours, other)
    held = await replay_answers(front.engine, BEGIN, NOON, compared.take)
    assert await digest(front) == before
    assert simulated(compared.now) == await in_ledger(front)
    expected = await in_ledger(fresh)
    assert simulated(compared.then) == expected
    result = compared.result(held)
    assert (result.answers, result.then.callbacks) == (len(answers), len(expected))
    assert result.then.joined == sum(each[-1] for each in expected.values()) > 0
    assert result.added > 0 < result.moved
    assert result.added - result.removed == result.then.callbacks - result.now.callbacks
    assert result.then.by_queue.keys() == {"billing", "general", "premium"}
    assert result.now.agent_hours is None


async def test_the_hours_are_callbacks_times_the_median_time_held(front: Front) -> None:
    ann = await front.advisor()
    for minutes in (10, 30, 90):
        moved = await front.bad_answer()
        url = f"/v1/callbacks/{moved.callback.id}"
        token = (await ann.post(f"{url}/claim", json={"lease_seconds": 3600})).json()["lease"]["token"]
        await ann.post(f"{url}/extend", json={"lease_token": token, "lease_seconds": 3600})
        await front.run(
            "UPDATE history SET at = at - CAST(:held AS interval) WHERE kind = 'claimed' AND callback_id = :id",
            held=timedelta(minutes=minutes),
            id=moved.callback.id,
        )
        cause = {"kind": "skill", "driver": "other"}
        body = {"lease_token": token, "cause": cause, "outcome": "recovered"}
        assert (await ann.post(f"{url}/resolve", json=body)).status_code == 200
    compared = Comparison(front.policy, front.policy)
    held = await replay_answers(front.engine, NOON - timedelta(days=1), NOON + timedelta(days=1), compared.take)
    assert held is not None
    assert round(held / timedelta(minutes=1)) == 30
    result = compared.result(held)
    assert (result.now.agent_hours, result.added, result.removed, result.moved, result.reranked) == (2, 0, 0, 0, 0)
