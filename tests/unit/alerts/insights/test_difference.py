"""How far two shares lie apart, against another's arithmetic and against made-up truths."""

from __future__ import annotations

from itertools import product

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from alerts.insights.difference import Difference, difference
from alerts.insights.share import Count
from tests.unit.alerts.insights.simulated import DRAWS, counted, slack, truths


@pytest.mark.parametrize(("first_of", "second_of"), list(product([1, 2, 30, 977, 300_000], repeat=2)))
def test_the_interval_is_newcombes_from_none_to_all(first_of: int, second_of: int) -> None:
    for one, other in product({0, first_of // 3, first_of}, {0, second_of // 5, second_of}):
        found = difference(Count(one, first_of), Count(other, second_of))
        low, high = confint_proportions_2indep(one, first_of, other, second_of, method="newcomb", compare="diff")
        assert found.value == one / first_of - other / second_of
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_newcombes_own_example_comes_out() -> None:
    found = difference(Count(56, 70), Count(48, 80))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("first", "second"), [((0, 0), (3, 9)), ((3, 9), (0, 0)), ((0, 0), (0, 0))])
def test_beside_nothing_there_is_no_difference(first: tuple[int, int], second: tuple[int, int]) -> None:
    assert difference(Count(*first), Count(*second)) == Difference(None, None, None)


def test_turned_round_it_is_the_same_with_the_other_sign() -> None:
    there, back = difference(Count(9, 50), Count(3, 40)), difference(Count(3, 40), Count(9, 50))
    assert there.low is not None
    assert there.high is not None
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_answers_that_resemble_each_other_tell_less() -> None:
    alone, alike = difference(Count(40, 200), Count(60, 200)), difference(Count(40, 200), Count(60, 200), weight=0.5)
    half = difference(Count(20, 100), Count(30, 100))
    assert alike.value == alone.value
    assert (alike.low, alike.high) == pytest.approx((half.low, half.high))


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_holds_the_truth_in_95_of_100_draws(seed: int) -> None:
    first, second = truths(seed), truths(seed + 100)
    held = 0
    for (_, p), (_, q), one, other in zip(
        first, second, counted(seed, first), counted(seed + 100, second), strict=True
    ):
        found = difference(one, other)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= p - q <= found.high
    assert held / DRAWS == pytest.approx(0.95, abs=slack(0.02, 0.95))
