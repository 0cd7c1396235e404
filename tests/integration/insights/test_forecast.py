"""What will be late today: the queue as it stands, the pace of the last hours, and the end of the calling day."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.policy import read_policy
from app.api.schemas.insight import ForecastList
from tests.integration.api.front import NOON, Front, good, problem
from tests.integration.insights.byhand import utc
from tests.parts.effort import times
from tests.unit.alerts.insights.simulated import say
from tests.unit.alerts.insights.test_forecast import END as DAY_ENDS
from tests.unit.alerts.insights.test_forecast import NOW as THREE
from tests.unit.alerts.insights.test_forecast import recorded_day

PATH = "/v1/insights/forecast"
MINUTE = timedelta(minutes=1)


async def ask(front: Front, **query: Any) -> dict[str, dict[str, Any]]:
    response = await (await front.key("callbacks:read")).get(PATH, params=query)
    ForecastList.model_validate_json(response.text)
    return {item["queue"]: item for item in good(response)["items"]}


async def wait_since(front: Front, ages: list[int], due: list[int], queue: str = "general") -> None:
    """Callbacks that were opened so many minutes ago, whose first attempt is due in so many."""
    moved = await front.answers([front.answer(rating=2) for _ in ages])
    for each, age, left in zip(moved, ages, due, strict=True):
        await front.run(
            "UPDATE callbacks SET opened_at = :opened, rank_at = :opened, due_first_attempt = :due, queue = :queue,"
            " callable_from = :opened WHERE id = CAST(:id AS uuid)",
            opened=NOON - age * MINUTE,
            due=NOON + left * MINUTE,
            queue=queue,
            id=each.callback.id,
        )


async def handled(front: Front, count: int, minutes_ago: int) -> None:
    """So many callbacks that were tried and ended."""
    moved = await front.answers([front.answer(rating=2) for _ in range(count)])
    for each in moved:
        await front.run(
            "UPDATE callbacks SET state = 'closed', closed_reason = 'expired', ready = false, wake_at = NULL,"
            " ended_at = :at, opened_at = :opened WHERE id = CAST(:id AS uuid)",
            at=NOON,
            opened=NOON - timedelta(days=1),
            id=each.callback.id,
        )
        await front.run(
            "INSERT INTO history (callback_id, at, kind, actor, data, measured, version)"
            " SELECT CAST(:id AS uuid), :at, 'attempted', 'ann', '{}', '{}', 99 FROM generate_series(1, 2)",
            id=each.callback.id,
            at=NOON - minutes_ago * MINUTE,
        )


async def test_what_waits_is_handed_out_at_the_pace_of_the_last_hours(front: Front) -> None:
    """Open since nine, in UTC; six callbacks were tried in the three hours until noon, so two an hour."""
    await handled(front, 6, 100)
    await wait_since(front, [300, 290, 280, 270, 260], [20, 45, 70, 95, -5])
    found = (await ask(front))["general"]
    assert found["until"] == utc(NOON.replace(hour=20))
    assert (found["pace"]["handled"], round(found["pace"]["hours"], 3)) == (6, 3.0)
    # handed out at 12:30, 13:00, 13:30, 14:00, 14:30: due at 12:20, 12:45, 13:10, 13:35
    assert (found["due"], found["will_miss"], found["overdue"], found["arriving"]) == (4, 4, 1, 0)
    assert found["first_at"] == utc(NOON + 20 * MINUTE)
    assert found["low"] <= 4 <= found["high"]


async def test_what_came_in_the_last_hours_will_come_again(front: Front) -> None:
    await handled(front, 6, 100)
    await wait_since(front, [60], [480 - 61])
    found = (await ask(front))["general"]
    # the one that waits, and at 15:00 and at 19:00 one more each, due eight hours after they came
    assert (found["due"], found["arriving"], found["will_miss"]) == (1, 2, 0)


async def test_nobody_works_so_everything_that_comes_due_today_is_missed(front: Front) -> None:
    await wait_since(front, [300, 300], [100, 600])
    found = (await ask(front))["general"]
    assert (found["due"], found["will_miss"], found["pace"]["handled"]) == (1, 1, 0)


async def test_each_queue_has_its_own_day_and_can_be_asked_for_alone(front: Front) -> None:
    front.policy = read_policy(
        "queues:\n- {name: general, zone: UTC}\n- {name: tokyo, zone: Asia/Tokyo}\n", file="p.yaml"
    )
    front.rebuild()
    await wait_since(front, [10], [60])
    await wait_since(front, [10], [60], queue="tokyo")
    found = await ask(front)
    assert found["general"]["until"] == utc(NOON.replace(hour=20))
    # 21:00 in Tokyo: the day is over, and tomorrow ends at 20:00 there
    assert found["tokyo"]["until"] == utc(datetime(2026, 11, 25, 11, tzinfo=UTC))
    assert list(await ask(front, queue="tokyo")) == ["tokyo"]
    assert await ask(front, queue="nobody") == {}


async def test_the_canary_and_what_somebody_holds_are_not_waited_for(front: Front) -> None:
    await wait_since(front, [300], [60], queue="canary")
    await wait_since(front, [300], [60])
    ann = await front.advisor("ann")
    good(await ann.post("/v1/callbacks/claim", json={"queues": ["general"]}))
    assert (await ask(front)).keys() <= {"general"}
    assert all(each["due"] == 0 for each in (await ask(front)).values())


@pytest.mark.parametrize("query", ["from=2026-11-24T00:00:00Z", "zone=UTC", "queue="])
async def test_there_is_no_range_to_ask_for(front: Front, query: str) -> None:
    problem(await (await front.key("callbacks:read")).get(f"{PATH}?{query}"), 422, "validation")


# The callbacks of one day as they stood at three o'clock, made of the one that is there, and who was tried until then.
CLEAR = ("DELETE FROM history", "DELETE FROM alerts", "DELETE FROM callbacks WHERE id <> :pattern")
STOOD = """
INSERT INTO callbacks SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'customer_id', k.id,
    'queue', 'general', 'opened_at', d.opened, 'rank_at', d.rank, 'callable_from', d.opened, 'due_first_attempt', d.due,
    'due_contact', d.due + interval '9 days', 'due_resolution', d.due + interval '9 days', 'first_attempt_at', d.tried,
    'state', CASE WHEN d.tried IS NULL THEN 'waiting' ELSE 'closed' END,
    'closed_reason', CASE WHEN d.tried IS NOT NULL THEN 'expired' END, 'ready', d.tried IS NULL, 'ended_at', d.tried,
    'wake_at', CASE WHEN d.tried IS NULL THEN d.due END))).*
FROM callbacks AS c, (SELECT id, row_number() OVER (ORDER BY id) AS number FROM customers WHERE key LIKE 'day:%') AS k
JOIN unnest(CAST(:opened AS timestamptz[]), CAST(:rank AS timestamptz[]), CAST(:due AS timestamptz[]),
    CAST(:tried AS timestamptz[])) WITH ORDINALITY AS d(opened, rank, due, tried, number) ON d.number = k.number
WHERE c.id = :pattern
"""
TRIED = """
INSERT INTO history (callback_id, at, kind, actor, data, measured, version)
SELECT id, first_attempt_at, 'attempted', 'ann', '{}', '{}', 2 FROM callbacks
WHERE first_attempt_at IS NOT NULL AND id <> :pattern
"""


async def test_over_thirty_replayed_days_what_was_forecast_from_the_ledger_is_near_what_happened(front: Front) -> None:
    await front.clock.set(THREE)
    pattern = (await front.bad_answer(zone="UTC", answered_at=THREE)).callback.id
    await front.run("UPDATE callbacks SET queue = 'elsewhere' WHERE id = CAST(:id AS uuid)", id=pattern)
    await front.run(
        "INSERT INTO customers (key, facts_as_of) SELECT 'day:' || n, now() FROM generate_series(1, 600) AS n"
    )
    errors, missed, within = [], [], 0
    for seed in range(times(30, least=6)):
        arrived, called = recorded_day(seed)
        known = [each for each in arrived if each.arrives <= THREE]
        tried = [None if called.get(each, DAY_ENDS) > THREE else called[each] for each in known]
        for statement in CLEAR:
            await front.run(statement, **({"pattern": pattern} if ":pattern" in statement else {}))
        await front.run(
            STOOD,
            pattern=pattern,
            opened=[each.arrives for each in known],
            rank=[each.rank for each in known],
            due=[each.due for each in known],
            tried=tried,
        )
        await front.run(TRIED, pattern=pattern)
        found = (await ask(front))["general"]
        never = DAY_ENDS + timedelta(days=1)
        truth = sum(THREE < each.due <= DAY_ENDS and called.get(each, never) > each.due for each in arrived)
        errors.append(abs(found["will_miss"] - truth))
        missed.append(truth)
        within += found["low"] <= truth <= found["high"]
    say("days, median and mean error", (len(errors), statistics.median(errors), statistics.fmean(errors)))
    say("mean missed, days within low and high", (statistics.fmean(missed), within))
    assert statistics.fmean(errors) < statistics.fmean(abs(each - statistics.fmean(missed)) for each in missed)
    assert within >= len(errors) * 2 / 3
