"""A source that falls silent in its usual hours is noticed, and one that never says much is left alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from random import Random

import pytest
from scipy import stats

from alerts.insights.budget import budget
from alerts.insights.silence import silence
from tests.parts.effort import times
from tests.unit.alerts.insights.simulated import say
from tests.unit.alerts.insights.year import HOURS, PAST, WEEKS, busy

STEADY = [40, 43, 38, 41, 35, 44, 40, 39]
MONTHS_WATCHED = (WEEKS - PAST) * HOURS / 730.5


def test_no_answer_where_forty_are_usual_is_an_alarm_that_shows_its_arithmetic() -> None:
    found = silence(0, STEADY, budget(1))
    assert found is not None
    assert (found.observed, found.expected, found.weeks, found.answers, found.sigma_z) == (0, 40, 8, 320, 1)
    assert found.p_value == pytest.approx((8 / 9) ** 320)
    assert found.raised


@pytest.mark.parametrize("observed", [0, 1, 3, 12, 40])
def test_the_chance_is_that_of_the_exact_conditional_test(observed: int) -> None:
    found = silence(observed, STEADY, budget(1))
    assert found is not None
    theirs = stats.binomtest(observed, 320 + observed, 1 / 9, alternative="less").pvalue
    assert found.p_value == pytest.approx(float(theirs))


def test_a_thin_source_is_left_alone() -> None:
    found = silence(0, [1, 0, 0, 2, 0, 1, 0, 0], budget(1))
    assert found is not None
    assert not found.raised


def test_hours_in_which_it_never_speaks_say_nothing() -> None:
    found = silence(0, [0] * 12, budget(1))
    assert found is not None
    assert (found.p_value, found.raised) == (1, False)


def test_a_source_that_comes_in_bursts_may_be_silent() -> None:
    found = silence(0, [60, 0, 0, 75, 0, 80, 0, 0], budget(1))
    assert found is not None
    assert found.sigma_z > 5
    assert not found.raised


def test_with_fewer_than_eight_weeks_nothing_is_said() -> None:
    assert silence(0, STEADY[:7], budget(1)) is None


def year_of_counts(seed: int, volume: Callable[[int], float], mood: float) -> list[int]:
    """By the hour; a day brings more or less, by a factor that is log-normal."""
    random = Random(seed)
    moods = [math.exp(random.gauss(-mood * mood / 2, mood)) for _ in range(WEEKS * 7)]
    means = [volume(number % HOURS) * moods[number // 24] for number in range(WEEKS * HOURS)]
    return [int(count) for count in stats.poisson.rvs(means, random_state=seed)]


def silences(counts: list[int], begin: int = PAST * HOURS) -> list[int]:
    """The hours after which a silence is raised, each silence once; looked at every hour."""
    sums = [0, *accumulate(counts)]
    found: list[int] = []
    since, told = begin, False
    for number in range(begin, len(counts)):
        if counts[number]:
            since, told = number + 1, False
        elif not told:
            weeks = range(PAST, 0, -1)
            same = [sums[number + 1 - week * HOURS] - sums[since - week * HOURS] for week in weeks]
            judged = silence(0, same, budget(1))
            if judged is not None and judged.raised:
                told = True
                found.append(number)
    return found


@pytest.mark.parametrize(
    ("volume", "mood"), [(lambda hour: 1.0, 0), (lambda hour: busy(hour) / 15, 0), (lambda hour: 2.0, 0.5)]
)
def test_sources_that_go_on_as_ever_raise_no_more_alarms_than_was_agreed(
    volume: Callable[[int], float], mood: float
) -> None:
    years = times(200)
    alarms = sum(len(silences(year_of_counts(seed, volume, mood))) for seed in range(years))
    a_month = alarms / years / MONTHS_WATCHED
    say("alarms a month", a_month)
    assert a_month <= 1


@pytest.mark.parametrize(("an_hour", "within"), [(40, 1), (5, 3), (1, 12)])
def test_a_source_that_stops_is_noticed(an_hour: int, within: int) -> None:
    counts = year_of_counts(3, lambda hour: float(an_hour), 0)
    stops = 30 * HOURS
    counts[stops:] = [0] * (len(counts) - stops)
    assert silences(counts, stops - 24)[-1] - stops < within
