"""The strips of hours, days and weeks over REST, held against the files counted by hand."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from app.api.schemas.insight import HourList
from tests.integration.api.front import NOON, Front, good, leaks, problem
from tests.integration.insights.byhand import (
    BRAZIL,
    DAY,
    HOUR,
    INDIA,
    Said,
    is_close,
    olist_rows,
    p_chart,
    shopzilla_rows,
    utc,
    wilson,
)

AUGUST = datetime(2023, 8, 1, tzinfo=INDIA), datetime(2023, 9, 1, tzinfo=INDIA)
PATH = "/v1/insights/hours"


async def ask(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    response = await client.get(PATH, params={name.rstrip("_"): told(value) for name, value in query.items()})
    found = good(response)
    HourList.model_validate_json(response.text, by_alias=True)
    return found


def told(value: Any) -> Any:
    return utc(value) if isinstance(value, datetime) else value


def hours_of(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Where there is no summer time, from one full hour."""
    while since < until:
        yield since, since + HOUR
        since += HOUR


def by_hand(said: Iterable[Said], stretches: Iterable[tuple[datetime, datetime]]) -> list[dict[str, Any]]:
    """Of stretches that follow each other and are over."""
    starts, ends = zip(*stretches, strict=True)
    counts = [Counter[int]() for _ in starts]
    for each in said:
        if starts[0] <= each.at < ends[-1]:
            counts[bisect_right(starts, each.at) - 1][min(max(each.points, 2), 4)] += 1
    return [
        {
            "start": utc(start),
            "complete": True,
            "answers": boxes.total(),
            "bottom": boxes[2],
            "middle": boxes[3],
            "top": boxes[4],
            "share": wilson(boxes[2], boxes.total()),
        }
        for start, boxes in zip(starts, counts, strict=True)
    ]


@pytest.mark.parametrize(
    "keep",
    [
        {},
        {"channel": ["email"]},
        {"queue": ["Returns", "Cancellation"]},
        {"queue": ["Returns"], "channel": ["voice"], "team": ["Mia Yamamoto", "John Smith"]},
        {"team": ["nobody"]},
    ],
)
async def test_the_hours_of_a_month_are_what_the_file_says(
    shop: httpx.AsyncClient, survey_data: Path, keep: dict[str, list[str]]
) -> None:
    said = [each for each in shopzilla_rows(survey_data) if all(each.told[name] in keep[name] for name in keep)]
    found = await ask(shop, from_=AUGUST[0], to=AUGUST[1], zone="Asia/Kolkata", **keep)
    expected = by_hand(said, hours_of(*AUGUST))
    assert len(expected) == 31 * 24
    assert is_close(found["items"], expected)
    assert sum(item["answers"] for item in found["items"]) == len(said)


async def test_a_day_of_the_shop_stands_beside_the_same_days_of_earlier_weeks(
    shop: httpx.AsyncClient, survey_data: Path
) -> None:
    said = shopzilla_rows(survey_data)
    days = [(AUGUST[0] + n * DAY, AUGUST[0] + (n + 1) * DAY) for n in range(31)]
    found = await ask(shop, from_=AUGUST[0], to=AUGUST[1], zone="Asia/Kolkata", step="day")
    assert is_close(found["items"], by_hand(said, days))
    assert all(item["limits"] is None for item in found["items"]), "there are no eight weeks before"


async def test_weeks_of_two_years_have_the_limits_of_the_twelve_before(
    market: httpx.AsyncClient, survey_data: Path
) -> None:
    """Over six changes of the clocks, of which Brazil had two a year, at midnight."""
    said = olist_rows(survey_data)
    begin = datetime(2016, 10, 10, tzinfo=BRAZIL)
    weeks = [((begin + n * 7 * DAY), (begin + (n + 1) * 7 * DAY)) for n in range(107)]
    assert weeks[-1][0].tzinfo is BRAZIL  # so that a week later is the same wall time
    found = await ask(market, from_=begin, to=weeks[-1][1], zone="America/Sao_Paulo", step="week")
    items = found["items"]
    assert is_close(items, by_hand(said, [(start.astimezone(UTC), end.astimezone(UTC)) for start, end in weeks]))
    assert found["truncated_from"] == utc(min(each.at for each in said))
    limited = 0
    for number, item in enumerate(items):
        earlier = [(each["bottom"], each["answers"]) for each in items[max(0, number - 12) : number]]
        expected = p_chart(earlier, item["answers"]) if item["answers"] else None
        if expected is None:
            assert item["limits"] is None or not item["answers"]
        elif item["answers"] * min(expected["center"], 1 - expected["center"]) >= 5:
            limited += 1
            assert is_close(item["limits"], expected)
            assert (item["signal"] == "high") == (item["share"]["share"] > expected["high"])
    assert limited > 60


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"])
@pytest.mark.parametrize("step", ["hour", "day"])
async def test_every_answer_falls_in_the_hour_and_the_day_that_people_of_any_zone_would_name(
    market: httpx.AsyncClient, survey_data: Path, zone: str, step: str
) -> None:
    """From the last days of one summer time into the next."""
    clock = ZoneInfo(zone)
    since, until = datetime(2018, 2, 10, 3, 7, tzinfo=UTC), datetime(2018, 4, 20, 21, 11, tzinfo=UTC)

    def name(at: datetime) -> Any:
        local = at.astimezone(clock)
        return (local.date(), local.hour, local.utcoffset()) if step == "hour" else local.date()

    expected = Counter(name(each.at) for each in olist_rows(survey_data) if since <= each.at < until)
    found = await ask(market, from_=since, to=until, zone=zone, step=step)
    names = [name(datetime.fromisoformat(item["start"])) for item in found["items"]]
    assert len(set(names)) == len(names)
    assert {
        key: item["answers"] for key, item in zip(names, found["items"], strict=True) if item["answers"]
    } == expected
    assert [item["complete"] for item in found["items"]] == [False, *[True] * (len(names) - 2), False]


async def test_the_same_rows_come_as_csv(shop: httpx.AsyncClient) -> None:
    query = {"from": utc(AUGUST[0]), "to": utc(AUGUST[0] + 2 * DAY), "zone": "Asia/Kolkata"}
    asked = good(await shop.get(PATH, params=query))["items"]
    response = await shop.get(PATH, params=query, headers={"Accept": "text/csv, application/json;q=0.5"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["vary"] == "Accept"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [(row["start"], row["answers"], row["share.low"], row["limits.center"]) for row in rows] == [
        (each["start"], str(each["answers"]), _cell(each["share"]["low"]), "") for each in asked
    ]
    as_json = await shop.get(PATH, params=query, headers={"Accept": "text/csv;q=0.5, application/json"})
    assert as_json.json()["items"] == asked


def _cell(value: float | None) -> str:
    return "" if value is None else str(value)


async def test_without_a_range_the_last_day_is_shown_until_now(front: Front) -> None:
    await front.answers(
        [front.answer(rating=1, answered_at=NOON - HOUR), front.answer(rating=5, answered_at=NOON - 26 * HOUR)]
    )
    reader = await front.key("callbacks:read")
    items = good(await reader.get(PATH))["items"]
    assert len(items) == 25, "the first and the last hour are cut"
    assert [item["answers"] for item in items] == [0] * 23 + [1, 0]
    assert items[-1]["complete"] is False


async def test_a_revised_answer_counts_once_as_it_was_revised_and_when_it_was_given(front: Front) -> None:
    """Newer ones first and last, in one batch and in two."""

    def revision(response: str, rating: int, hours: int, minutes: int) -> Any:
        said = front.answer("c-" + response, rating=rating, answered_at=NOON - hours * HOUR)
        said_again = {"response_id": response, "revised_at": NOON - DAY + timedelta(minutes=minutes)}
        return revised(said, **said_again)

    await front.answers([revision("a", 1, 2, 1), revision("a", 5, 3, 2), revision("b", 4, 2, 9)])
    await front.answers([revision("b", 1, 2, 8), revision("c", 5, 2, 1), revision("a", 2, 4, 3)])
    await front.answers([revision("c", 3, 2, 2), revision("a", 1, 2, 0)])
    items = good(await (await front.key("callbacks:read")).get(PATH))["items"]
    counted = {item["start"]: (item["bottom"], item["middle"], item["top"]) for item in items if item["answers"]}
    assert counted == {utc(NOON - 4 * HOUR): (1, 0, 0), utc(NOON - 2 * HOUR): (0, 1, 1)}


def revised(answer: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(answer, response=msgspec.structs.replace(answer.response, **changes))


async def test_a_driver_narrows_the_bad_ones_among_all_answers(front: Front) -> None:
    await front.answers([front.answer(rating=rating) for rating in (1, 2, 4, 5)])
    [(first,)] = await front.sql("SELECT min(callback_id::text) FROM alerts")
    await front.run("UPDATE callbacks SET cause_driver = 'billing' WHERE id = CAST(:id AS uuid)", id=first)
    reader = await front.key("callbacks:read")
    items = good(await reader.get(PATH, params={"driver": ["billing", "staffing"]}))["items"]
    assert [item["share"]["count"] for item in items if item["answers"]] == [1]
    assert [item["share"]["of"] for item in items if item["answers"]] == [4]


async def test_what_an_erased_customer_said_still_counts_and_nothing_of_the_canary_does(front: Front) -> None:
    await front.answers([front.answer("c-1", segment="gold"), front.answer("c-2")])
    await front.run("UPDATE customers SET erased_at = ledger_now(), segment = NULL WHERE key LIKE '%c-1'")
    await front.run("UPDATE responses SET outcome = 'canary' WHERE event_id = (SELECT max(event_id) FROM responses)")
    reader = await front.key("callbacks:read")
    response = await reader.get(PATH)
    assert sum(item["answers"] for item in good(response)["items"]) == 1
    assert leaks(response) == []
    gold = good(await reader.get(PATH, params={"segment": "gold"}))["items"]
    assert sum(item["answers"] for item in gold) == 0


REFUSED = [
    ("from=2026-11-24T12:00:00Z&to=2026-11-24T11:59:59Z", "/from"),
    ("from=2199-01-01T00:00:00Z", "/from"),
    ("from=1999-12-31T00:00:00Z", "/from"),
    ("to=2200-01-01T00:00:00Z", "/to"),
    ("from=yesterday", "/from"),
    ("from=2026-11-24", "/from"),
    ("zone=Mars/Olympus", "/zone"),
    ("zone=europe/berlin", "/zone"),
    ("step=minute", "/step"),
    ("from=2000-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "/step"),
    ("quarter=3", ""),
    ("by=channel", "/by"),
    ("channel=", "/channel/0"),
]


async def test_what_cannot_be_asked_is_refused_by_name(front: Front) -> None:
    reader = await front.key("callbacks:read")
    for query, pointer in REFUSED:
        body = problem(await reader.get(f"{PATH}?{query}"), 422, "validation")
        assert [each["pointer"] for each in body["errors"]] == [pointer], query


async def test_who_may_not_read_callbacks_learns_nothing(front: Front) -> None:
    problem(await (await front.key("events:ingest")).get(PATH), 403, "insufficient-scope")
    problem(await front.stranger().get(PATH), 401, "unauthorized")


async def test_an_empty_ledger_has_empty_hours(front: Front) -> None:
    found = good(await (await front.key("callbacks:read")).get(PATH))
    assert found["truncated_from"] is None
    assert {item["share"]["share"] for item in found["items"]} == {None}
