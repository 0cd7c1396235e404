"""One standard for all channels: who differs from the rest, and not by chance."""

from __future__ import annotations

import pytest

from alerts.insights.difference import difference
from alerts.insights.segments import against_the_rest
from alerts.insights.share import Count, share_of
from tests.parts.effort import times
from tests.unit.alerts.insights.year import steady, year


def test_the_one_that_differs_is_named_beside_the_rest() -> None:
    found = {each.value: each for each in against_the_rest({"voice": Count(90, 300), "chat": Count(30, 300)})}
    assert found["voice"].share == share_of(90, 300)
    assert found["voice"].rest == share_of(30, 300)
    assert found["voice"].difference == difference(Count(90, 300), Count(30, 300))
    assert found["voice"].differs
    assert found["voice"].p_value == found["chat"].p_value


def test_a_value_without_answers_is_not_shown_and_a_lonely_one_differs_from_nobody() -> None:
    (alone,) = against_the_rest({"voice": Count(9, 30), "fax": Count(0, 0)})
    assert (alone.value, alone.differs, alone.p_value) == ("voice", False, 1)
    assert alone.difference.value is None
    assert against_the_rest({}) == ()


def test_a_small_difference_among_many_values_is_not_called_one() -> None:
    counts = {f"team-{number}": Count(40, 200) for number in range(19)} | {"unlucky": Count(56, 200)}
    alone = against_the_rest({"unlucky": Count(56, 200), "others": Count(760, 3800)})
    assert alone[0].differs
    assert not any(each.differs for each in against_the_rest(counts))


def test_among_twenty_alike_one_page_in_twenty_shows_a_difference() -> None:
    weeks = year(5, steady(0.2), lambda hour: 200.0)
    pages = [week[start : start + 20] for week in weeks for start in range(0, 160, 20)][: times(400)]
    crying = [
        any(each.differs for each in against_the_rest(dict(zip("abcdefghijklmnopqrst", page, strict=True))))
        for page in pages
    ]
    assert sum(crying) / len(pages) <= 0.05 + 3 * (0.05 * 0.95 / len(pages)) ** 0.5


@pytest.mark.parametrize("of", [300_000, 3_000_000])
def test_millions_of_answers_are_judged_at_once(of: int) -> None:
    counts = {name: Count(of // 5 + shift, of) for name, shift in zip("abcdef", range(-1500, 1500, 500), strict=True)}
    assert len(against_the_rest(counts)) == 6
