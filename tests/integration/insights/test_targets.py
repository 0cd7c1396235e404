"""Whether customers were tried, reached and helped in time, held against what the simulated advisors wrote down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from alerts.callback import Target
from app.api.schemas.insight import TargetList
from tests.integration.api.front import NOON, Front, good
from tests.integration.insights.byhand import is_close, utc, wilson
from tests.integration.insights.test_causes import KEEP, passes
from tests.integration.insights.worked import BEGIN, DAY, NOW, Call, Centre

PATH = "/v1/insights/targets"


def decided(call: Call, target: Target) -> str | None:
    """Met or missed; None while it is open, or when the callback ended before its time for another reason."""
    reached, due = call.reached.get(target), call.due[target]
    if reached is not None:
        return "met" if reached <= due else "missed"
    if call.ended_at is not None and (call.given_up or due <= call.ended_at):
        return "missed"
    return None


def quantiles(values: Sequence[float]) -> dict[str, Any]:
    p50, p90 = np.quantile(values, [0.5, 0.9]) if values else (None, None)
    return {"of": len(values), "p50": p50, "p90": p90}


def by_hand(calls: list[Call]) -> list[dict[str, Any]]:
    found = []
    for queue, priority in sorted({(call.queue, call.priority) for call in calls}):
        own = [call for call in calls if (call.queue, call.priority) == (queue, priority)]
        for target in Target:
            results = [decided(call, target) for call in own]
            reached = [call for call in own if target in call.reached]
            found.append(
                {
                    "queue": queue,
                    "priority": priority,
                    "target": target,
                    "met": results.count("met"),
                    "missed": results.count("missed"),
                    "pending": sum(call.ended_at is None for call in own),
                    "share": wilson(results.count("met"), results.count("met") + results.count("missed")),
                    "wall": quantiles([(call.reached[target] - call.spoken.at).total_seconds() for call in reached]),
                    "callable": quantiles([call.could[target] for call in reached]),
                }
            )
    return found


async def test_targets_are_kept_as_often_and_as_late_as_it_happened(desk: Front, centre: Centre) -> None:
    for keep in KEEP:
        await check_targets(desk, centre, keep)


async def check_targets(desk: Front, centre: Centre, keep: dict[str, list[str]]) -> None:
    reader = await desk.key("callbacks:read")
    for since, until in ((BEGIN, NOW), (NOW - 28 * DAY, NOW), (BEGIN + 3 * DAY, BEGIN + 5 * DAY)):
        calls = [call for call in centre.calls if since <= call.opened_at < until and passes(call, keep)]
        response = await reader.get(PATH, params={"from": utc(since), "to": utc(until), **keep})
        TargetList.model_validate_json(response.text, by_alias=True)
        expected = by_hand(calls)
        found = good(response)["items"]
        assert is_close(found, expected), [pair for pair in zip(found, expected, strict=True) if not is_close(*pair)][
            :1
        ]


async def test_what_is_told_is_worth_telling(centre: Centre) -> None:
    """The dice have made some of everything, or the comparison would show nothing."""
    every = by_hand(centre.calls)
    assert all(item["met"] and item["missed"] and item["pending"] for item in every if item["priority"] == 1)
    assert {call.queue for call in centre.calls} == {"billing", "general"}


async def test_of_a_callback_that_was_reopened_only_what_was_done_since_counts(front: Front) -> None:
    """Answered an hour before noon and helped at noon; reopened a day later, and helped after ten minutes."""
    moved = await front.bad_answer()
    ann, lea = await front.advisor("ann"), await front.lead()
    path = f"/v1/callbacks/{moved.callback.id}"

    async def help_out() -> None:
        token = good(await ann.post(f"{path}/claim", json={}))["lease"]["token"]
        body = {"cause": {"kind": "skill", "driver": "courtesy"}, "outcome": "recovered", "lease_token": token}
        good(await ann.post(f"{path}/resolve", json=body))

    await help_out()
    await front.clock.set(NOON + DAY)
    good(await lea.post(f"{path}/reopen", json={}))
    reader = await front.key("callbacks:read")
    reopened = good(await reader.get(PATH))["items"]
    assert [(each["pending"], each["wall"]["of"]) for each in reopened] == [(1, 0)] * 3
    await front.clock.set(NOON + DAY + DAY / 144)
    await help_out()
    settled = good(await reader.get(PATH))["items"]
    assert [(each["met"], each["wall"]["of"], round(each["wall"]["p50"], -1)) for each in settled] == [(1, 1, 600)] * 3
