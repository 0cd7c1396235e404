"""First-contact resolution, held against the file of a marketplace and the simulated call centre."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.schemas.insight import RepeatList
from tests.integration.api.front import NOON, Front, good, problem
from tests.integration.insights.byhand import BRAZIL, DAY, Mention, first_contacts, is_close, olist_rows, utc, wilson
from tests.integration.insights.worked import BEGIN, NOW, Centre

PATH = "/v1/insights/repeats"


async def ask(client: httpx.AsyncClient, since: datetime, until: datetime, **query: Any) -> list[dict[str, Any]]:
    response = await client.get(PATH, params={"from": utc(since), "to": utc(until), **query})
    RepeatList.model_validate_json(response.text, by_alias=True)
    found: list[dict[str, Any]] = good(response)["items"]
    return found


def by_value(items: list[dict[str, Any]]) -> dict[str | None, Any]:
    return {item["value"]: item["share"] for item in items}


@pytest.mark.parametrize("days", [1, 7, 90])
@pytest.mark.parametrize(
    ("since", "until"),
    [
        (datetime(2016, 10, 1, tzinfo=BRAZIL), datetime(2018, 11, 1, tzinfo=BRAZIL)),
        (datetime(2017, 11, 1, 3, 45, tzinfo=BRAZIL), datetime(2018, 2, 11, tzinfo=BRAZIL)),
    ],
)
async def test_the_customers_of_the_marketplace_come_back_as_often_as_the_files_say(
    market: httpx.AsyncClient, survey_data: Path, since: datetime, until: datetime, days: int
) -> None:
    told = [Mention(each.at, each.customer, each.told["order"]) for each in olist_rows(survey_data)]
    found = await ask(market, since, until, days=days)
    expected = first_contacts(told, since, until, days)
    assert is_close(by_value(found), by_value(expected))
    if days == 90 and since.year == 2016:
        assert 0 < found[0]["share"]["count"] < found[0]["share"]["of"], "somebody came back"


@pytest.mark.parametrize("by", ["driver", "queue", "team"])
async def test_a_contact_counts_for_its_driver_its_queue_and_its_team(desk: Front, centre: Centre, by: str) -> None:
    drivers = {call.id: call.cause.driver if call.cause else None for call in centre.calls}

    def value(said: Any) -> str | None:
        if by == "driver":
            return drivers.get(said.callback)
        found: str = getattr(said, by)
        return found

    reader = await desk.key("callbacks:read")
    told = [Mention(each.at, each.customer, each.interaction, value(each)) for each in centre.spoken]
    found = await ask(reader, BEGIN, NOW, by=by, days=14)
    assert is_close(by_value(found), by_value(first_contacts(told, BEGIN, NOW, 14)))
    assert len(found) > 1
    assert [item["share"]["of"] for item in found] == sorted((item["share"]["of"] for item in found), reverse=True)
    kept = found[-1]["value"] or found[0]["value"]
    alone = await ask(reader, BEGIN, NOW, by=by, days=14, **{by: kept})
    assert by_value(alone) == {kept: by_value(found)[kept]}, "what follows a contact may be of any kind"


async def test_two_answers_about_one_contact_are_no_repeat_and_the_erased_and_the_nameless_leave(front: Front) -> None:
    then = NOON - 20 * DAY
    await front.answers(
        [
            front.answer("c-1", rating=5, interaction="i-1", answered_at=then),
            front.answer("c-1", rating=5, interaction="i-1", answered_at=then + DAY),
            front.answer("c-2", rating=5, interaction="i-2", answered_at=then),
            front.answer("c-2", rating=5, interaction="i-3", answered_at=then + DAY),
            front.answer("c-3", rating=5, interaction="i-4", answered_at=then),
        ]
    )
    reader = await front.key("callbacks:read")
    assert good(await reader.get(PATH))["items"][0]["share"] == pytest.approx(wilson(3, 4))
    await front.run("UPDATE customers SET erased_at = ledger_now() WHERE key LIKE '%c-2'")
    assert good(await reader.get(PATH))["items"][0]["share"] == pytest.approx(wilson(2, 2))
    await front.run("UPDATE customers SET key = 'interaction:cloudevents:i-4' WHERE key LIKE '%c-3'")
    assert good(await reader.get(PATH))["items"][0]["share"] == pytest.approx(wilson(1, 1))


@pytest.mark.parametrize(("query", "pointer"), [("days=0", "/days"), ("days=91", "/days"), ("by=channel", "/by")])
async def test_what_cannot_be_asked_is_refused(front: Front, query: str, pointer: str) -> None:
    body = problem(await (await front.key("callbacks:read")).get(f"{PATH}?{query}"), 422, "validation")
    assert [each["pointer"] for each in body["errors"]] == [pointer]
