"""One standard for all: channels, teams and countries beside each other, held against counting by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from app.api.schemas.insight import SegmentList
from tests.integration.api.front import Front, good, problem
from tests.integration.insights.byhand import INDIA, is_close, median, newcombe, shopzilla_rows, utc, wilson
from tests.integration.insights.test_targets import decided
from tests.integration.insights.worked import BEGIN, NOW, Centre

PATH = "/v1/insights/segments"


def by_hand(said: Sequence[tuple[str | None, bool]]) -> list[dict[str, Any]]:
    """(value, whether it was bad) of each answer: each value beside the rest, the largest first."""
    values = sorted(
        {value for value, _ in said}, key=lambda each: (-sum(v == each for v, _ in said), each is None, each)
    )
    bad, of = sum(is_bad for _, is_bad in said), len(said)
    found, p_values = [], []
    for value in values:
        own = [is_bad for each, is_bad in said if each == value]
        found.append(
            {
                "value": value,
                "answers": len(own),
                "share": wilson(sum(own), len(own)),
                "difference": newcombe(sum(own), len(own), bad - sum(own), of - len(own)),
            }
        )
        p_values.append(fisher(sum(own), len(own), bad, of))
    corrected = multipletests(p_values, method="holm")[1] if p_values else []
    return [{**each, "differs": bool(p <= 0.05)} for each, p in zip(found, corrected, strict=True)]


def fisher(own: int, of_own: int, bad: int, of: int) -> float:
    drawn = stats.hypergeom(of, bad, of_own)
    return float(min(1.0, 2 * min(drawn.cdf(own), drawn.sf(own - 1))))


async def ask(client: httpx.AsyncClient, by: str, **query: Any) -> list[dict[str, Any]]:
    response = await client.get(PATH, params={"by": by, **query})
    SegmentList.model_validate_json(response.text, by_alias=True)
    found: list[dict[str, Any]] = good(response)["items"]
    return found


@pytest.mark.parametrize("by", ["channel", "queue", "team"])
@pytest.mark.parametrize("days", [(1, 31), (5, 9)])
async def test_the_shop_is_judged_by_one_standard(
    shop: httpx.AsyncClient, survey_data: Path, by: str, days: tuple[int, int]
) -> None:
    since, until = (datetime(2023, 8, day, 12, 30, tzinfo=INDIA) for day in days)
    said = [(each.told[by], each.is_bad) for each in shopzilla_rows(survey_data) if since <= each.at < until]
    found = await ask(shop, by, **{"from": utc(since), "to": utc(until)})
    expected = by_hand(said)
    assert is_close(found, expected)
    if by == "queue" and days == (1, 31):
        assert {each["differs"] for each in found} == {True, False}


@pytest.mark.parametrize(
    ("by", "value"),
    [
        ("channel", lambda said: said.channel),
        ("team", lambda said: said.team),
        ("queue", lambda said: said.queue),
        ("segment", lambda said: said.segment),
        ("country", lambda said: "GB"),
        ("language", lambda said: "en"),
        ("survey", lambda said: "post-contact"),
        ("source", lambda said: "cloudevents"),
    ],
)
async def test_a_segments_customers_are_reached_and_its_targets_kept_as_it_happened(
    desk: Front, centre: Centre, by: str, value: Callable[[Any], str]
) -> None:
    query = {"from": utc(BEGIN), "to": utc(NOW)}
    found = await ask(await desk.key("callbacks:read"), by, **query)
    assert is_close(found, by_hand([(value(each), each.is_bad) for each in centre.spoken]))
    for item in found:
        own = [call for call in centre.calls if value(call.spoken) == item["value"]]
        waits = [(call.contacted_at - call.spoken.at).total_seconds() for call in own if call.contacted_at]
        assert is_close(item["contact_p50_seconds"], median(waits))
        results = [decided(call, target) for call in own for target in call.due]
        assert is_close(item["targets_kept"], wilson(results.count("met"), len(results) - results.count(None)))


async def test_the_channel_that_is_worse_by_the_dice_is_found(desk: Front) -> None:
    found = await ask(await desk.key("callbacks:read"), "channel", **{"from": utc(BEGIN), "to": utc(NOW)})
    assert [each["value"] for each in found if each["differs"] and each["difference"]["low"] > 0] == ["chat"]


async def test_a_value_nobody_gave_is_null_and_hundreds_of_values_are_cut_but_stay_in_the_rest(front: Front) -> None:
    await front.answers([front.answer(rating=1, segment=f"s-{number:03}") for number in range(205)])
    await front.answers([front.answer(rating=5) for _ in range(3)])
    reader = await front.key("callbacks:read")
    listed = good(await reader.get(PATH, params={"by": "segment"}))
    assert (len(listed["items"]), listed["more"]) == (200, 6)
    assert listed["items"][0] | {"value": None, "answers": 3, "differs": True} == listed["items"][0]
    assert listed["items"][0]["difference"]["value"] == -1
    second = await reader.get(PATH, params={"by": "segment"}, headers={"Accept": "text/csv"})
    assert second.text.splitlines()[1].startswith(",3,")


@pytest.mark.parametrize("query", ["", "by=driver", "by=advisor", "by=reason"])
async def test_what_tells_no_answers_apart_is_refused(front: Front, query: str) -> None:
    reader = await front.key("callbacks:read")
    response = await reader.get(f"{PATH}?{query}")
    body = problem(response, 422, "validation")
    assert [each["pointer"] for each in body["errors"]] == ["/by"]
