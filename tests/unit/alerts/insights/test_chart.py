"""The limits within which a share moves while nothing has changed."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from alerts.insights.chart import limits
from alerts.insights.share import Count
from tests.parts.effort import times
from tests.unit.alerts.insights.year import HOURS, PAST, WEEKS, of_hour, steady, weekly, year

CALM = [Count(20, 100)] * 12


def test_the_limits_are_three_standard_errors_away() -> None:
    found = limits(CALM, 400)
    assert found is not None
    reach = 3 * math.sqrt(0.2 * 0.8 / 400)
    assert (found.center, found.low, found.high) == pytest.approx((0.2, 0.2 - reach, 0.2 + reach))
    assert (found.sigma_z, found.points, found.answers) == (1, 12, 1200)


def test_they_are_as_much_wider_as_the_days_swing() -> None:
    found, calm = limits([Count(10, 100), Count(30, 100)] * 6, 400), limits(CALM, 400)
    assert found is not None
    assert calm is not None
    assert found.sigma_z == pytest.approx(5 / 1.128379, rel=1e-6)
    assert found.high - 0.2 == pytest.approx((calm.high - 0.2) * found.sigma_z)


def test_there_are_none_with_fewer_than_eight_earlier_points() -> None:
    assert limits([*CALM[:7], Count(0, 0)], 100) is None
    assert limits(CALM[:8], 100) is not None


def test_they_never_leave_nothing_and_all() -> None:
    for bad in (1, 50, 99):
        found = limits([Count(bad, 100)] * 8, 3)
        assert found is not None
        assert 0 <= found.low <= found.center <= found.high <= 1


def test_of_no_answers_everything_is_within() -> None:
    found = limits(CALM, 0)
    assert found is not None
    assert (found.low, found.high) == (0, 1)


@pytest.mark.parametrize(("bad", "of"), [(1, 10), (2, 40), (5, 90), (0, 30), (20, 12), (97, 60), (100, 30)])
def test_with_few_answers_a_count_beyond_them_is_as_rare_as_three_sigma_promise(bad: int, of: int) -> None:
    found = limits([Count(bad, 100)] * 10, of)
    assert found is not None
    rate = min(max(found.center, 1 / 1000), 1 - 1 / 1000)
    above = round(found.high * of) if abs(found.high * of - round(found.high * of)) < 1e-9 else int(found.high * of)
    below = math.ceil(found.low * of - 1e-9) - 1
    assert stats.binom.sf(above, of, rate) <= stats.norm.sf(3)
    assert stats.binom.cdf(below, of, rate) <= stats.norm.sf(3)


@pytest.mark.parametrize("volume", [4, 40, 400])
@pytest.mark.parametrize("rate", [steady(0.2), steady(0.01), weekly])
def test_a_year_in_which_nothing_changes_stays_within(volume: int, rate: object) -> None:
    """Three sigma promise 2.7 points of a thousand; that the center is itself counted from 12 points makes it a few more."""
    assert callable(rate)
    outside = points = 0
    for seed in range(times(10)):
        weeks = year(seed, rate, lambda hour: float(volume))
        for week in range(PAST, WEEKS, 3):
            for hour in range(HOURS):
                now, found = weeks[week][hour], limits(of_hour(weeks, hour, week), weeks[week][hour].of)
                if now.of and found is not None:
                    points += 1
                    outside += not found.low - 1e-12 <= now.count / now.of <= found.high + 1e-12
    assert outside / points < 0.0055
