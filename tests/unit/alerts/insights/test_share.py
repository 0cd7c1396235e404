"""A share carries its counts, and an interval that holds the truth as often as it says."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from alerts.insights.share import Count, Share, share_of, total, wilson
from tests.unit.alerts.insights.simulated import DRAWS, counted, slack, truths


@pytest.mark.parametrize("of", [1, 2, 3, 7, 30, 31, 250, 17_182, 3_000_000])
def test_the_interval_is_wilsons_from_none_to_all(of: int) -> None:
    for count in sorted({0, 1, of // 7, of // 2, of - 1, of}):
        share = share_of(count, of)
        assert share.share == count / of
        assert (share.low, share.high) == pytest.approx(proportion_confint(count, of, method="wilson"), abs=1e-12)


@pytest.mark.parametrize("of", [1, 10, 1_000_000])
def test_the_interval_ends_exactly_at_none_and_at_all(of: int) -> None:
    assert share_of(0, of).low == 0
    assert share_of(of, of).high == 1


def test_a_share_of_nothing_is_not_a_number() -> None:
    assert share_of(0, 0) == Share(count=0, of=0, share=None, low=None, high=None)


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_holds_the_truth_in_95_of_100_draws(seed: int) -> None:
    drawn = truths(seed)
    held = 0
    for (_, p), count in zip(drawn, counted(seed, drawn), strict=True):
        low, high = wilson(count.count, count.of)
        held += low <= p <= high
    assert held / DRAWS == pytest.approx(0.95, abs=slack(0.02, 0.95))


def test_counts_add_up() -> None:
    assert total([Count(1, 3), share_of(2, 4), Count(0, 0)]) == Count(3, 7)
    assert total([]) == Count(0, 0)
