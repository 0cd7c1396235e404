"""Did it help? A step is found, and a change of nothing is called none, each at its stated rate."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from scipy import stats

from alerts.insights.difference import Difference, difference
from alerts.insights.effect import EffectVerdict, Spans, effect, spans
from alerts.insights.share import Count, share_of
from tests.parts.effort import times
from tests.unit.alerts.insights.simulated import say

SIMULATED = times(1_000)


def days(count: int, bad: int, of: int) -> list[Count]:
    return [Count(bad, of)] * count


def test_a_smaller_bottom_box_is_better_and_a_larger_one_worse() -> None:
    found = effect(days(28, 20, 100), days(28, 12, 100))
    assert (found.before, found.after) == (share_of(560, 2800), share_of(336, 2800))
    assert (found.days_before, found.days_after, found.sigma_z) == (28, 28, 1)
    assert found.difference == found.allowed_for == difference(Count(336, 2800), Count(560, 2800))
    assert found.verdict is EffectVerdict.BETTER
    assert effect(days(28, 12, 100), days(28, 20, 100)).verdict is EffectVerdict.WORSE


def test_a_change_of_nothing_is_called_none() -> None:
    assert effect(days(28, 20, 100), days(28, 20, 100)).verdict is EffectVerdict.NO_CHANGE_SHOWN


@pytest.mark.parametrize(
    ("before", "after"),
    [(days(28, 20, 100), days(6, 1, 100)), (days(28, 20, 100), days(28, 0, 1)), (days(2, 1, 10), days(28, 1, 100))],
    ids=["not a week", "hardly an answer after", "hardly an answer before"],
)
def test_too_early_is_said_rather_than_guessed(before: list[Count], after: list[Count]) -> None:
    assert effect(before, after).verdict is EffectVerdict.TOO_EARLY


def test_before_anything_was_answered_it_is_too_early() -> None:
    found = effect([], [])
    assert (found.verdict, found.difference) == (EffectVerdict.TOO_EARLY, Difference(None, None, None))


def test_days_that_swing_by_themselves_prove_nothing() -> None:
    before, after = [Count(10, 100), Count(30, 100)] * 14, [Count(5, 100), Count(29, 100)] * 14
    found = effect(before, after)
    assert found.difference.high is not None
    assert found.difference.high < 0
    assert found.sigma_z > 3
    assert found.verdict is EffectVerdict.NO_CHANGE_SHOWN


def test_a_pattern_of_weekdays_is_no_swing() -> None:
    week = [Count(bad, 100) for bad in (10, 12, 14, 12, 10, 30, 40)]
    better = [Count(bad, 100) for bad in (7, 8, 9, 8, 7, 25, 33)]
    found = effect(week * 4, better * 4)
    assert (found.sigma_z, found.verdict) == (1, EffectVerdict.BETTER)


def test_whole_weeks_are_compared_as_soon_as_there_is_one() -> None:
    begin, before = date(2026, 3, 2), date(2026, 2, 2)
    assert spans(begin, date(2026, 3, 6)) == Spans(before, begin, date(2026, 3, 6))
    assert spans(begin, date(2026, 3, 15)) == Spans(before, begin, date(2026, 3, 9))
    assert spans(begin, date(2026, 9, 1)) == Spans(before, begin, date(2026, 3, 30))
    assert spans(begin, date(2026, 2, 20)) == Spans(before, begin, begin)


def history(seed: int, step: float, mood: float, days_after: int = 28) -> tuple[list[Count], list[Count]]:
    """A hundred answers a day, 18 % bad, 28 % on weekends, a mood of the day (standard deviation), and a step."""
    random = Random(seed)
    usual = [0.18 + (0.1 if day % 7 >= 5 else 0) + random.gauss(0, mood) for day in range(28 + days_after)]
    shares = [min(0.99, max(0.01, share + (step if day >= 28 else 0))) for day, share in enumerate(usual)]
    bad = stats.binom.rvs(100, shares, random_state=seed)
    counts = [Count(int(count), 100) for count in bad]
    return counts[:28], counts[28:]


@pytest.mark.parametrize("mood", [0, 0.03])
@pytest.mark.parametrize("days_after", [7, 28])
def test_where_nothing_was_changed_a_change_is_shown_in_one_case_of_twenty_at_most(
    mood: float, days_after: int
) -> None:
    verdicts = [effect(*history(seed, 0, mood, days_after)).verdict for seed in range(SIMULATED)]
    wrong = sum(verdict is not EffectVerdict.NO_CHANGE_SHOWN for verdict in verdicts) / SIMULATED
    say("wrong", wrong)
    assert wrong <= 0.05 + 3 * (0.05 * 0.95 / SIMULATED) ** 0.5


@pytest.mark.parametrize(("step", "mood", "least"), [(-0.1, 0, 0.999), (-0.05, 0, 0.95), (-0.05, 0.03, 0.85)])
def test_a_step_is_found(step: float, mood: float, least: float) -> None:
    verdicts = [effect(*history(seed, step, mood)).verdict for seed in range(SIMULATED)]
    found = sum(verdict is EffectVerdict.BETTER for verdict in verdicts) / SIMULATED
    say("found", found)
    assert found >= least
