"""How much more than chance the days differ."""

from __future__ import annotations

import math
from random import Random
from statistics import fmean

import pytest

from alerts.insights.dispersion import sigma_of, unrest, usual_rate
from alerts.insights.share import Count
from tests.unit.alerts.insights.year import HOURS, PAST, of_hour, restless, steady, year


def test_the_figure_is_laneys_worked_by_hand() -> None:
    points = [Count(count, of) for count, of in [(10, 100), (30, 120), (12, 80), (40, 150), (9, 90), (22, 110)] * 2]
    center = sum(point.count for point in points) / sum(point.of for point in points)
    z = [(each.count / each.of - center) / math.sqrt(center * (1 - center) / each.of) for each in points]
    ranges = [abs(z[i] - z[i - 1]) for i in range(1, len(z))]
    found = unrest([points])
    assert found.sigma_z == pytest.approx(fmean(ranges) / 1.128379, rel=1e-6)
    assert found.answers == pytest.approx(650 / 6)
    assert found.ranges == 11


def test_days_that_happen_to_be_alike_make_nobody_surer() -> None:
    assert unrest([[Count(20, 100)] * 20]).sigma_z == 1


def test_of_fewer_than_eight_points_nothing_is_said() -> None:
    swinging = [Count(1, 100), Count(60, 100)] * 4
    assert unrest([swinging[:7]]).sigma_z == 1
    assert unrest([swinging]).sigma_z > 5
    assert unrest([swinging[:2]] * 6).sigma_z == 1
    assert unrest([swinging[:2]] * 7).sigma_z > 5


def test_where_nothing_varies_or_nobody_answered_nothing_is_measured() -> None:
    assert unrest([]).at(100) == 1
    assert unrest([[Count(0, 50)] * 20, [Count(50, 50)] * 20, [Count(0, 0)] * 20, []]).at(100) == 1


def test_the_spread_of_steady_weeks_is_that_of_chance() -> None:
    weeks = year(1, steady(0.2), lambda hour: 40.0)
    assert unrest(of_hour(weeks, hour, PAST) for hour in range(HOURS)).sigma_z == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("answers", [60, 600])
def test_a_mood_of_the_day_is_found_and_told_for_more_and_fewer_answers(answers: int) -> None:
    """A mood of 5 points beside chance: the variance of a point is n tau^2 / pq wider."""
    weeks = year(2, restless(steady(0.2), Random(2), points=5), lambda hour: 200.0)
    found = unrest(of_hour(weeks, hour, PAST) for hour in range(HOURS))
    assert found.at(answers) == pytest.approx(math.sqrt(1 + answers * 0.05**2 / 0.16), rel=0.15)


def test_too_few_ranges_are_as_good_as_none() -> None:
    assert sigma_of([9.0] * 6) == 1


def test_a_rate_is_never_quite_nothing_or_everything() -> None:
    assert usual_rate(Count(20, 100)) == 0.2
    assert usual_rate(Count(0, 100)) == 0.01
    assert usual_rate(Count(100, 100)) == 0.99
    assert usual_rate(Count(0, 1)) == usual_rate(Count(1, 1)) == 0.5
