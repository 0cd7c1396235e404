"""Sums are kept in the background, and nobody can tell: every figure is what counting by hand gives, at every moment."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from alerts.insights.pieces import Pieces, pieces
from alerts.ledger.insights import sums
from alerts.ledger.insights.sums import AnswerSums
from tests.integration.api.front import NOON, Front, good
from tests.integration.insights.byhand import utc
from tests.parts.effort import times

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHANNELS = ["voice", "chat", None]
ZONES = ["UTC", "Asia/Kathmandu", "Asia/Kolkata", "America/New_York"]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "AT_ONCE", 7)


class Told:
    """What was answered, as whoever throws the dice remembers it: the newest revision of each answer."""

    def __init__(self, front: Front, seed: int) -> None:
        self.front, self.dice = front, random.Random(seed)
        self.newest: dict[str, tuple[datetime, int, Any]] = {}

    def batch(self) -> Iterator[Any]:
        """New answers, and revisions of those that were given at any time: newer ones, and such as come too late."""
        for _ in range(self.dice.randint(1, 12)):
            answer = self.front.answer(f"c-{self.dice.randint(1, 40)}", rating=self.dice.randint(1, 5))
            known = sorted(self.newest)
            name = self.dice.choice(known) if known and self.dice.random() < 0.5 else answer.response.response_id
            response = msgspec.structs.replace(
                answer.response,
                response_id=name,
                answered_at=NOON - self.dice.random() * 3 * DAY,
                revised_at=NOON - self.dice.random() * DAY,
                interaction=msgspec.structs.replace(answer.response.interaction, channel=self.dice.choice(CHANNELS)),
            )
            place = (response.revised_at, answer.address.offset)
            if name not in self.newest or place > self.newest[name][:2]:
                self.newest[name] = (*place, response)
            yield msgspec.structs.replace(answer, response=response)

    def boxes(self, since: datetime, until: datetime, **wanted: Any) -> list[Any]:
        given = [each for _, _, each in self.newest.values() if since <= each.answered_at < until]
        return [each for each in given if all(each.interaction.channel == value for value in wanted.values())]


async def check(told: Told, reader: httpx.AsyncClient) -> None:
    dice = told.dice
    since, until = sorted((NOON - dice.random() * 3 * DAY, NOON - dice.random() * 2 * DAY))
    zone, step = dice.choice(ZONES), dice.choice(["hour", "day", "week"])
    channel = dice.choice([{}, {"channel": "voice"}])
    asked = {"from": utc(since), "to": utc(until), "zone": zone, **channel}
    items = good(await reader.get("/v1/insights/hours", params={**asked, "step": step}))["items"]
    starts = [datetime.fromisoformat(item["start"]) for item in items]
    expected = Counter[tuple[datetime, str]]()
    for each in told.boxes(since, until, **channel):
        at = max(start for start in starts if start <= each.answered_at)
        expected[at, "bottom" if each.rating <= 2 else "middle" if each.rating == 3 else "top"] += 1
    for start, item in zip(starts, items, strict=True):
        assert [item[box] for box in ("bottom", "middle", "top")] == [
            expected[start, box] for box in ("bottom", "middle", "top")
        ], asked
    items = good(await reader.get("/v1/insights/segments", params={**asked, "by": "channel"}))["items"]
    of = Counter(each.interaction.channel for each in told.boxes(since, until, **channel))
    bad = Counter(each.interaction.channel for each in told.boxes(since, until, **channel) if each.rating <= 2)
    assert {item["value"]: (item["share"]["count"], item["answers"]) for item in items} == {
        value: (bad[value], of[value]) for value in of
    }


@pytest.mark.parametrize("seed", range(times(10)))
async def test_whatever_is_in_the_sums_already_the_figures_are_those_counted_by_hand(front: Front, seed: int) -> None:
    told, adding = Told(front, seed), AnswerSums(front.engine)
    reader = await front.key("callbacks:read")
    for _ in range(25):
        await front.answers(list(told.batch()))
        for _ in range(told.dice.choice([0, 0, 1, 3])):
            await adding.add()
        await check(told, reader)
    while (await front.sql(sums.BEHIND.text))[0][0]:
        await adding.add()
    await check(told, reader)
    [(total, below)] = await front.sql(
        "SELECT sum(answers), count(*) FILTER (WHERE least(answers, bottom, middle, top) < 0) FROM answer_sums"
        " WHERE by = 'all'"
    )
    assert (total, below) == (len(told.newest), 0)


async def test_a_response_with_a_smaller_id_that_is_committed_later_is_waited_for(
    front: Front, database_url: str
) -> None:
    adding, slow = AnswerSums(front.engine), await asyncpg.connect(database_url)
    await front.answers([front.answer(rating=5)])
    try:
        begun = slow.transaction()
        await begun.start()
        await slow.execute("UPDATE partitions SET moved_at = now() WHERE topic = 'nobody''s'")
        await slow.execute("SELECT pg_current_xact_id()")
        drawn = await slow.fetchval("SELECT nextval(pg_get_serial_sequence('responses', 'id'))")
        await front.answers([front.answer(rating=5)])
        for _ in range(4):
            await adding.add()
        assert await front.sql("SELECT 1 FROM answer_sums_progress WHERE through >= :drawn", drawn=drawn) == []
        await slow.execute(
            "INSERT INTO responses OVERRIDING SYSTEM VALUE SELECT r.* FROM (SELECT to_jsonb(each) AS told FROM responses"
            " AS each LIMIT 1) AS t, LATERAL jsonb_populate_record(NULL::responses, t.told || jsonb_build_object("
            "'id', $1::bigint, 'event_id', 'late', 'response_id', 'late')) AS r",
            drawn,
        )
        await begun.commit()
    finally:
        await slow.close()
    for _ in range(4):
        await adding.add()
    assert await front.sql("SELECT sum(answers) FROM answer_sums WHERE by = 'all'") == [(3,)]


async def test_two_processes_add_each_response_once(front: Front) -> None:
    first, second = AnswerSums(front.engine), AnswerSums(front.engine)
    await front.answers([front.answer(rating=5) for _ in range(20)])
    for _ in range(10):
        await first.add()
        await second.add()
    assert await front.sql("SELECT sum(answers) FROM answer_sums WHERE by = 'all'") == [(20,)]


async def test_far_behind_the_answers_themselves_are_read(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "FAR_BEHIND", 3)
    reader = await front.key("callbacks:read")
    await front.answers([front.answer(rating=5) for _ in range(4)])
    with front.statements() as asked:
        items = good(await reader.get("/v1/insights/hours"))["items"]
    assert sum(item["answers"] for item in items) == 4
    assert not any("answer_sums AS s" in statement for statement in asked)


def test_what_is_cut_is_left_out_of_the_whole_units() -> None:
    unit = timedelta(minutes=15)
    cuts = [NOON, NOON + 20 * timedelta(minutes=1), NOON + HOUR]
    found = pieces([(NOON, NOON + HOUR)], cuts, unit)
    assert found.whole == ((NOON, NOON + unit), (NOON + 2 * unit, NOON + HOUR))
    assert found.parts == ((NOON + unit, NOON + 2 * unit),)
    short = cuts[1], cuts[1] + timedelta(minutes=3)
    assert pieces([short], short, unit) == Pieces((), (short,))


def test_whole_and_parts_are_the_span_and_nothing_else() -> None:
    dice = random.Random(5)
    for _ in range(times(2_000)):
        unit = dice.choice([timedelta(minutes=15), HOUR])
        inner = sorted(NOON + timedelta(minutes=dice.randint(0, 600)) for _ in range(dice.randint(2, 8)))
        span = inner[0], inner[-1]
        found = pieces([span] if span[0] < span[1] else [], inner, unit)
        both = sorted([*found.whole, *found.parts])
        assert [end for _, end in both[:-1]] == [start for start, _ in both[1:]]
        assert not both or (both[0][0], both[-1][1]) == span
        for start, end in found.whole:
            assert (start - NOON) % unit == (end - NOON) % unit == timedelta(0)
            assert not any(start < cut < end and (cut - NOON) % unit for cut in inner)
