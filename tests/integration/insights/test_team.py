"""What each advisor did, held against what the simulated advisors wrote down. Dan leaves hard ones to the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from alerts.result import Result
from app.api.schemas.insight_team import TeamList
from tests.integration.api.front import Front, good, problem
from tests.integration.insights.byhand import is_close, median, utc, wilson
from tests.integration.insights.test_causes import KEEP, passes
from tests.integration.insights.worked import ADVISORS, BEGIN, DAY, NOW, Call, Centre

PATH = "/v1/insights/team"


async def ask(front: Front, since: datetime, until: datetime, **query: Any) -> dict[str, dict[str, Any]]:
    lead = await front.key("callbacks:lead")
    response = await lead.get(PATH, params={"from": utc(since), "to": utc(until), **query})
    TeamList.model_validate_json(response.text, by_alias=True)
    return {item["advisor"]: item for item in good(response)["items"]}


def by_hand(who: str, calls: list[Call], centre: Centre, since: datetime, until: datetime) -> dict[str, Any]:
    def within(at: datetime) -> bool:
        return since <= at < until

    claims = [call for call in calls for at, by in call.claims if by == who and within(at)]
    skips = [call for call in calls for at, by in call.skips if by == who and within(at)]
    tries = [
        (call, number, result)
        for call in calls
        for number, (at, by, result) in enumerate(call.attempts)
        if by == who and within(_recorded(at))
    ]
    resolved = [call for call in calls if call.advisor == who and call.ended_at and within(call.ended_at)]
    waits = [(call.attempts[0][0] - call.spoken.at).total_seconds() for call, number, _ in tries if number == 0]
    ids = {call.id for call in calls}
    promises = Counter(how for at, by, how, id_ in centre.promises if by == who and within(at) and id_ in ids)
    return {
        "advisor": who,
        "claimed": len(claims),
        "skipped": len(skips),
        "attempts": len(tries),
        "contacted": sum(result in (Result.CONNECTED, Result.REFUSED) for _, _, result in tries),
        "resolved": len(resolved),
        "recovered": sum(call.outcome == "recovered" for call in resolved),
        "promises": {how: promises[how] for how in ("kept", "late", "broken")},
        "first_attempt_p50_seconds": median(waits),
        "hard_share": hard_share(who, calls, since, until),
    }


def _recorded(started: datetime) -> datetime:
    """They write a call down a minute after it began."""
    return started + DAY / 1440


def hard_share(who: str, calls: list[Call], since: datetime, until: datetime) -> dict[str, Any]:
    """Of each day's callbacks, once each; without those that were handed back at once."""
    taken: dict[Any, set[str]] = defaultdict(set)
    hard = {call.id for call in calls if call.severity >= 80}
    for call in calls:
        skipped = [at - DAY / 1440 for at, _ in call.skips]
        for at, by in call.claims:
            if by == who and since <= at < until and at not in skipped:
                taken[at.date()].add(call.id)
    of = [id_ for day in taken.values() for id_ in day]
    return wilson(sum(id_ in hard for id_ in of), len(of))


async def test_advisors_did_what_they_did(desk: Front, centre: Centre) -> None:
    for keep in KEEP[:4]:
        await check_team(desk, centre, keep)


async def check_team(desk: Front, centre: Centre, keep: dict[str, list[str]]) -> None:
    calls = [call for call in centre.calls if passes(call, keep)]
    for since, until in ((BEGIN, NOW), (BEGIN + 20 * DAY, BEGIN + 27 * DAY)):
        found = await ask(desk, since, until, **keep)
        expected = {who: by_hand(who, calls, centre, since, until) for who in ADVISORS}
        assert is_close(found, {who: told for who, told in expected.items() if told["claimed"] or told["resolved"]})


async def test_who_leaves_the_hard_ones_to_others_is_flagged_first_and_nobody_else(desk: Front) -> None:
    found = await ask(desk, BEGIN, NOW)
    assert next(iter(found)) == "dan"
    assert {who: told["fair"]["flagged"] for who, told in found.items()} == {who: who == "dan" for who in ADVISORS}
    assert "a random draw from the same pools brings" in found["dan"]["fair"]["why"]


async def test_nobody_is_flagged_on_thin_data(desk: Front) -> None:
    found = await ask(desk, BEGIN, BEGIN + 3 * DAY)
    assert found
    assert not any(told["fair"]["flagged"] for told in found.values())
    assert {"below 30 nobody is judged" in told["fair"]["why"] for told in found.values()} == {True}


async def test_it_is_for_leads_and_not_there_unless_the_policy_says_so(desk: Front, front: Front) -> None:
    problem(await (await desk.key("callbacks:work")).get(PATH), 403, "insufficient-scope")
    problem(await (await front.lead()).get(PATH), 404, "not-found")


async def test_nobody_else_learns_an_advisors_name(desk: Front) -> None:
    reader = await desk.key("callbacks:read")
    for path in ("hours", "causes", "targets", "recovery", "repeats", "forecast", "segments?by=team"):
        text = (await reader.get(f"/v1/insights/{path}")).text
        assert not [who for who in ADVISORS if f'"{who}"' in text]
