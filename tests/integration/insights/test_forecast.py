"""What will be late today: the queue as it stands, the pace of the last hours, and the end of the calling day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.policy import read_policy
from app.api.schemas.insight import ForecastList
from tests.integration.api.front import NOON, Front, good, problem
from tests.integration.insights.byhand import utc

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
