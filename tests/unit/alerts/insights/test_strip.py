"""A strip of hours, days or weeks beside its own history, held against counting by hand."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.insights.buckets import Grain
from alerts.insights.chart import limits
from alerts.insights.question import Question
from alerts.insights.share import Count
from alerts.insights.strip import WEEKS_BACK, Boxes, Plan, plan, strip

NOW = datetime(2026, 9, 15, 12, 20, tzinfo=UTC)
BERLIN = "Europe/Berlin"
Said = tuple[datetime, bool]


def said(rate: float, *, days: int = 120, an_hour: int = 3, seed: int = 12) -> list[Said]:
    """Answers and whether they were bad, evenly over the days until now."""
    dice = random.Random(seed)
    begin = NOW - timedelta(days=days)
    return [(begin + dice.random() * timedelta(days=days), dice.random() < rate) for _ in range(days * 24 * an_hour)]


def count(planned: Plan, answers: Sequence[Said]) -> dict[datetime, Boxes]:
    """As the ledger does: only within the spans, between the cuts."""
    counted: dict[datetime, Boxes] = {}
    spans = planned.spans()
    for at, bad in answers:
        if any(start <= at < end for start, end in spans):
            cut = planned.cuts[bisect_right(planned.cuts, at) - 1]
            counted[cut] = counted.get(cut, Boxes()) + Boxes(1, int(bad), 0, int(not bad))
    return counted


@pytest.mark.parametrize("step", Grain)
def test_each_point_is_what_was_said_in_it_beside_the_same_hours_of_earlier_weeks(step: Grain) -> None:
    answers = said(0.2)
    question = Question(since=NOW - timedelta(days=3), until=NOW, zone=BERLIN)
    planned = plan(question, step)
    points = strip(planned, count(planned, answers), NOW)
    assert sum(point.boxes.answers for point in points) == sum(question.since <= at for at, _ in answers)
    for point, bucket in zip(points, planned.shown, strict=True):
        inside = [bad for at, bad in answers if max(question.since, bucket.start) <= at < min(bucket.end, NOW)]
        assert (point.share.count, point.share.of) == (sum(inside), len(inside))
        assert point.boxes.top == len(inside) - sum(inside)
        past = [Count(sum(bad), len(bad)) for bad in _weeks_before(bucket.start, bucket.end, answers)]
        assert point.limits == limits(past, len(inside))


def _weeks_before(start: datetime, end: datetime, answers: Sequence[Said]) -> list[list[bool]]:
    """What was said on the same local time of each of the twelve weeks before; none of them saw the clocks changed."""
    zone = ZoneInfo(BERLIN)
    found = []
    for weeks in range(WEEKS_BACK, 0, -1):
        ends = [
            (each.astimezone(zone).replace(tzinfo=None) - timedelta(weeks=weeks)).replace(tzinfo=zone).astimezone(UTC)
            for each in (start, end)
        ]
        found.append([bad for at, bad in answers if ends[0] <= at < ends[1]])
    return found


def test_what_is_cut_or_not_over_yet_is_not_complete() -> None:
    question = Question(since=NOW - timedelta(hours=3), until=NOW + timedelta(hours=2))
    points = strip(plan(question, Grain.HOUR), {}, NOW)
    assert [point.start.hour for point in points] == [9, 10, 11, 12, 13, 14]
    assert [point.complete for point in points] == [False, True, True, False, False, False]
    assert all(point.share.share is None and point.limits is None for point in points)


def test_hours_that_are_far_apart_are_read_apart() -> None:
    hour = plan(Question(since=NOW - timedelta(minutes=20), until=NOW), Grain.HOUR)
    assert len(hour.spans()) == 1 + WEEKS_BACK
    assert {end - start for start, end in hour.spans()} == {timedelta(hours=1)}
    day = plan(Question(since=NOW - timedelta(days=30), until=NOW), Grain.DAY)
    assert len(day.spans()) == 1


def test_a_bad_hour_is_called_high_and_a_usual_one_is_not() -> None:
    answers = said(0.1, an_hour=40)
    hour = NOW.replace(minute=0)
    question = Question(since=hour - timedelta(hours=1), until=NOW)
    planned = plan(question, Grain.HOUR)
    calm = strip(planned, count(planned, answers), NOW)
    assert [point.signal for point in calm] == [None, None]
    stormy = strip(planned, count(planned, [(at, bad or at >= hour) for at, bad in answers]), NOW)
    assert [point.signal for point in stormy] == [None, "high"]


def test_nothing_was_asked_so_nothing_is_shown() -> None:
    assert strip(plan(Question(since=NOW, until=NOW), Grain.DAY), {}, NOW) == []
