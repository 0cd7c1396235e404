"""A bad hour is told from bad luck, as seldom wrongly as was agreed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from random import Random

import pytest
from scipy import stats

from alerts.insights.budget import budget
from alerts.insights.dispersion import Unrest
from alerts.insights.share import Count, share_of
from alerts.insights.spike import spike
from tests.parts.effort import times
from tests.unit.alerts.insights.simulated import say
from tests.unit.alerts.insights.year import HOURS, PAST, WEEKS, Rate, busy, first_spikes, restless, steady, weekly, year

CALM = Unrest(1.0, 40, 2_000)
PASTS = [Count(8, 40)] * 12
MONTHS_WATCHED = (WEEKS - PAST) * HOURS / 730.5


def test_the_arithmetic_can_be_done_again_by_anybody() -> None:
    found = spike(Count(20, 40), PASTS, budget(1), CALM)
    assert found is not None
    assert (found.observed, found.usual, found.hours) == (share_of(20, 40), share_of(96, 480), 12)
    assert found.expected == pytest.approx(8)
    assert found.p_value == pytest.approx(float(stats.binomtest(20, 40, 0.2, alternative="greater").pvalue))
    assert found.budget.per_look == pytest.approx(1 / 730.5)
    assert found.spread == pytest.approx(math.sqrt(1 + 40 / 480))
    assert found.threshold == pytest.approx(float(stats.norm.sf(stats.norm.isf(1 / 730.5) * found.spread)))
    assert found.raised


def test_an_ordinary_hour_raises_nothing() -> None:
    found = spike(Count(11, 40), PASTS, budget(1), CALM)
    assert found is not None
    assert not found.raised


def test_while_nothing_can_be_said_nothing_is() -> None:
    assert spike(Count(0, 0), PASTS, budget(1), CALM) is None
    assert spike(Count(40, 40), [*PASTS[:7], *[Count(0, 0)] * 5], budget(1), CALM) is None


def test_the_first_bad_answer_ever_is_no_miracle() -> None:
    found = spike(Count(1, 5), [Count(0, 5)] * 12, budget(1), CALM)
    assert found is not None
    assert not found.raised


@pytest.mark.parametrize(("sigma_z", "raised"), [(1.0, True), (2.0, False)])
def test_where_the_weeks_swing_more_is_needed_to_raise(sigma_z: float, raised: bool) -> None:
    found = spike(Count(18, 40), PASTS, budget(1), Unrest(sigma_z, 40, 2_000))
    assert found is not None
    assert found.raised is raised


def moody(seed: int) -> Rate:
    return restless(steady(0.2), Random(seed), points=5)


STABLE: dict[str, tuple[Callable[[int], Rate], Callable[[int], float]]] = {
    "forty an hour": (lambda seed: steady(0.2), lambda hour: 40.0),
    "three an hour": (lambda seed: steady(0.05), lambda hour: 3.0),
    "by the hour of the week": (lambda seed: weekly, busy),
    "with days that differ": (moody, lambda hour: 60.0),
}


@pytest.mark.parametrize("kind", STABLE)
def test_stable_years_raise_no_more_alarms_a_month_than_was_agreed(kind: str) -> None:
    rate, volume = STABLE[kind]
    years = times(200)
    alarms = sum(len(first_spikes(year(seed, rate(seed), volume), budget(1))) for seed in range(years))
    a_month = alarms / years / MONTHS_WATCHED
    say("alarms a month", a_month)
    assert a_month <= 1 + 3 / math.sqrt(years * MONTHS_WATCHED)


def test_a_weekly_pattern_raises_none() -> None:
    pattern = [Count(round(weekly(hour) * busy(hour)), round(busy(hour))) for hour in range(HOURS)]
    assert max(weekly(hour) for hour in range(HOURS)) > 3 * min(weekly(hour) for hour in range(HOURS))
    assert first_spikes([pattern] * WEEKS, budget(1)) == []


@pytest.mark.parametrize(("answers", "hours"), [(40, 24), (80, 8), (200, 2)])
def test_a_step_of_ten_points_is_found_within_hours(answers: int, hours: int) -> None:
    """Of one alarm a month, hours that are each judged alone; the more answers, the sooner."""
    delays = []
    for seed in range(times(200)):
        weeks = year(seed, lambda hour, week: 0.3 if week >= 20 else 0.2, lambda hour: float(answers))
        since = 20 * HOURS + Random(seed).randrange(HOURS)
        found = first_spikes(weeks, budget(1), since, most=1)
        delays.append(found[0] - since + 1 if found else WEEKS * HOURS)
    say("median delay in hours", statistics.median(delays))
    assert statistics.median(delays) <= hours
