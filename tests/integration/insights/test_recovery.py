"""Whether the calls helped, held against what the simulated advisors and customers did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from app.api.schemas.insight import RecoveryList
from tests.integration.api.front import NOON, Front, good, problem
from tests.integration.insights.byhand import is_close, newcombe, utc, wilson
from tests.integration.insights.test_causes import KEEP, passes
from tests.integration.insights.worked import BEGIN, DAY, HOUR, NOW, Call, Centre

PATH = "/v1/insights/recovery"
OUTCOMES = {
    "recovered": "recovered",
    "partly": "partly_recovered",
    "not": "not_recovered",
    "information": "information_only",
}


async def ask(front: Front, scope: str = "callbacks:read", **query: Any) -> list[dict[str, Any]]:
    params = {name.rstrip("_"): utc(each) if isinstance(each, datetime) else each for name, each in query.items()}
    response = await (await front.key(scope)).get(PATH, params=params)
    RecoveryList.model_validate_json(response.text, by_alias=True)
    found: list[dict[str, Any]] = good(response)["items"]
    return found


def delay(call: Call) -> str:
    assert call.contacted_at
    hours = (call.contacted_at - call.spoken.at) / HOUR
    if hours < 1:
        return "under 1 h"
    if hours < 4:
        return "1 to 4 h"
    return "4 to 24 h" if hours < 24 else "1 to 3 days" if hours < 72 else "over 3 days"


BY: dict[str | None, Callable[[Call], str | None]] = {
    None: lambda call: None,
    "driver": lambda call: call.cause.driver if call.cause else None,
    "advisor": lambda call: call.advisor,
    "delay": delay,
}


def better_next(call: Call, centre: Centre) -> bool | None:
    """Whether the customer's next answer was better; None where there was none within 90 days."""
    assert call.ended_at
    later = [
        said
        for said in centre.spoken
        if said.customer == call.spoken.customer and call.ended_at < said.at <= call.ended_at + 90 * DAY
    ]
    return not min(later, key=lambda said: said.at).is_bad if later else None


@pytest.mark.parametrize("by", BY)
async def test_recovery_is_what_was_recorded_and_what_customers_said_next(
    desk: Front, centre: Centre, by: str | None
) -> None:
    for keep in KEEP:
        await check_recovery(desk, centre, by, keep)


async def check_recovery(desk: Front, centre: Centre, by: str | None, keep: dict[str, list[str]]) -> None:
    for since, until in ((BEGIN, NOW), (BEGIN + 10 * DAY, BEGIN + 24.2 * DAY)):
        ended = [
            call for call in centre.calls if call.ended_at and since <= call.ended_at < until and passes(call, keep)
        ]
        groups: dict[str | None, list[Call]] = defaultdict(list)
        for call in ended:
            if call.contacted_at:
                groups[BY[by](call)].append(call)
        if by is None:
            groups[None] = groups[None]
        never = [better_next(call, centre) for call in ended if not call.contacted_at]
        expected = {}
        for value, calls in groups.items():
            resolved = [call for call in calls if call.outcome]
            next_ = [better_next(call, centre) for call in calls]
            reached, unreached = ((each.count(True), len(each) - each.count(None)) for each in (next_, never))
            shares = {
                name: wilson(sum(call.outcome == outcome for call in resolved), len(resolved))
                for name, outcome in OUTCOMES.items()
            }
            rerated = {
                "reached": wilson(*reached),
                "unreached": wilson(*unreached),
                "difference": newcombe(*reached, *unreached),
            }
            expected[value] = {"value": value, "resolved": len(resolved), **shares, "rerated": rerated}
        query = {"by": by} if by else {}
        found = await ask(desk, "callbacks:lead", from_=since, to=until, **query, **keep)
        assert is_close({item["value"]: item for item in found}, expected)
        assert len(found) == len(expected)
        assert [item["resolved"] for item in found] == sorted((item["resolved"] for item in found), reverse=True)


async def test_those_who_were_reached_answer_better_by_as_much_as_the_dice_say(desk: Front) -> None:
    (all_,) = await ask(desk, from_=BEGIN, to=NOW)
    rerated = all_["rerated"]
    for name, truth in (("reached", 0.85), ("unreached", 0.5)):
        found = rerated[name]
        assert abs(found["share"] - truth) < 3 * (truth * (1 - truth) / found["of"]) ** 0.5
    assert rerated["difference"]["low"] > 0


async def test_advisors_are_for_leads(desk: Front) -> None:
    problem(await (await desk.key("callbacks:work")).get(f"{PATH}?by=advisor"), 403, "insufficient-scope")
    assert {item["value"] for item in await ask(desk, "callbacks:lead", by="advisor", from_=BEGIN)} >= {"ann", "dan"}


async def test_the_next_answer_counts_as_it_was_revised_and_of_the_erased_nobody_asks(front: Front) -> None:
    for customer in ("c-1", "c-2"):
        await front.bad_answer(customer, answered_at=NOON - DAY)
    await front.run(
        "UPDATE callbacks SET state = 'closed', closed_reason = 'unreachable', ready = false, wake_at = NULL,"
        " contacted_at = :at, ended_at = :at",
        at=NOON - DAY / 2,
    )
    await front.answers([front.answer(customer, rating=4, answered_at=NOON - HOUR) for customer in ("c-1", "c-2")])
    (before,) = await ask(front)
    assert before["rerated"]["reached"] == wilson_of(2, 2)
    said = front.answer("c-2", rating=1, answered_at=NOON - HOUR)
    [(of,)] = await front.sql("SELECT max(response_id) FROM responses WHERE rating = 4")
    again = {"response_id": of, "revised_at": NOON}
    await front.answers([msgspec.structs.replace(said, response=msgspec.structs.replace(said.response, **again))])
    (revised,) = await ask(front)
    assert revised["rerated"]["reached"] == wilson_of(1, 2)
    await front.run("UPDATE customers SET erased_at = ledger_now() WHERE key LIKE '%c-2'")
    (after,) = await ask(front)
    assert after["rerated"]["reached"] == wilson_of(1, 1)


def wilson_of(count: int, of: int) -> Any:
    return pytest.approx(wilson(count, of))
