"""One object for a wall, held against what the simulated call centre did."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

from app.api.schemas.insight_wall import Wall
from tests.integration.api.front import NOON, Front, good
from tests.integration.api.test_signals import filled, looked
from tests.integration.insights.byhand import is_close, utc, wilson
from tests.integration.insights.test_causes import KEEP, cause, passes
from tests.integration.insights.worked import BEGIN, DAY, NOW, Centre

PATH = "/v1/insights/summary"


async def ask(front: Front, **query: Any) -> dict[str, Any]:
    response = await (await front.key("callbacks:read")).get(PATH, params=query)
    Wall.model_validate_json(response.text, by_alias=True)
    return good(response)


async def test_the_wall_tells_what_is_open_and_how_it_went(desk: Front, centre: Centre) -> None:
    for keep in KEEP:
        for since in (BEGIN, NOW - 28 * DAY):
            await check_wall(desk, centre, keep, since)


async def check_wall(desk: Front, centre: Centre, keep: dict[str, list[str]], since: datetime) -> None:
    calls = [call for call in centre.calls if passes(call, keep)]
    still = [call for call in calls if call.ended_at is None]
    resolved = [call for call in calls if call.cause and call.ended_at and since <= call.ended_at < NOW]
    ids = {call.id for call in calls}
    decided = [how for at, _, how, id_ in centre.promises if id_ in ids and since <= at < NOW]
    found = await ask(desk, **{"from": utc(since), "to": utc(NOW)}, **keep)
    kinds = {kind: sum(cause(call)[0] == kind for call in resolved) for kind in ("skill", "operations")}
    assert is_close(
        found,
        {
            "open": len(still),
            "overdue": len(still),  # they were left since a week ago
            "due_in_next_hour": 0,
            "oldest": utc(min(call.opened_at for call in still)) if still else None,
            "recovered": wilson(sum(call.outcome == "recovered" for call in resolved), len(resolved)),
            "kinds": {kind: wilson(count, len(resolved)) for kind, count in kinds.items()},
            "promises_kept": wilson(decided.count("kept"), len(decided)),
        },
    )


async def test_the_live_hour_and_today_are_those_of_the_asked_zone(front: Front) -> None:
    """At noon in London it is a quarter to six in Kathmandu, where today began at 18:15 yesterday."""
    moments = (NOON - DAY * 17.8 / 24, NOON - DAY * 17.7 / 24, NOON - DAY / 24, NOON - DAY * 0.7 / 24)
    await front.answers([front.answer(rating=1, answered_at=at) for at in moments])
    found = await ask(front, zone="Asia/Kathmandu")
    assert (found["live_hour"]["start"], found["live_hour"]["answers"]) == (
        utc(datetime.fromisoformat("2026-11-24T11:15Z")),
        1,
    )
    assert (found["today"]["start"], found["today"]["answers"]) == (utc(datetime.fromisoformat("2026-11-23T18:15Z")), 3)
    assert not found["live_hour"]["complete"]


async def test_what_is_due_soon_is_not_late_yet(front: Front) -> None:
    moved = await front.answers([front.answer(rating=1), front.answer(rating=1), front.answer(rating=1)])
    for each, minutes in zip(moved, (-1, 30, 90), strict=True):
        await front.run(
            "UPDATE callbacks SET due_first_attempt = :due WHERE id = CAST(:id AS uuid)",
            due=NOON + DAY * minutes / 1440,
            id=each.callback.id,
        )
    found = await ask(front)
    assert (found["open"], found["overdue"], found["due_in_next_hour"]) == (3, 1, 1)


async def test_what_is_done_and_what_was_noticed_last_stand_on_the_wall(front: Front) -> None:
    lead = await front.lead()
    for due in (NOON - 2 * DAY, NOON + DAY):
        plan = {"title": "second crew", "owner": "lea", "due_on": str(due.date())}
        assert (await lead.post("/v1/actions", json=plan)).status_code == 201
    assert (await ask(front))["last_signal"] is None
    await filled(front, bad=8)
    assert await looked(front)
    found = await ask(front)
    assert found["actions"] == {"open": 2, "overdue": 1}
    assert found["last_signal"] == good(await lead.get("/v1/signals?limit=1"))["items"][0]


async def test_it_comes_as_one_row_too(front: Front) -> None:
    reader = await front.key("callbacks:read")
    response = await reader.get(PATH, headers={"Accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(response.text))
    assert (row["open"], row["live_hour.answers"], row["kinds.skill.of"], row["from"][:10]) == (
        "0",
        "0",
        "0",
        "2026-10-27",
    )
