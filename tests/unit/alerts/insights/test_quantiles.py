"""The usual case and the slow tenth, from the durations themselves."""

from __future__ import annotations

import statistics
from random import Random

import pytest

from alerts.insights.quantiles import Quantiles, quantile, quantiles


@pytest.mark.parametrize("many", [2, 3, 10, 11, 101, 5_000])
def test_they_are_those_of_the_standard_library(many: int) -> None:
    random = Random(many)
    durations = [random.expovariate(1 / 3600) for _ in range(many)]
    tenths = statistics.quantiles(durations, n=10, method="inclusive")
    found = quantiles(iter(durations))
    assert found.of == many
    assert (found.p50, found.p90) == pytest.approx((statistics.median(durations), tenths[8]))


def test_of_nothing_and_of_one() -> None:
    assert quantiles([]) == Quantiles(0, None, None)
    assert quantiles([7.0]) == Quantiles(1, 7.0, 7.0)


def test_the_ends_are_the_shortest_and_the_longest() -> None:
    assert (quantile([1, 5, 9], 0), quantile([1, 5, 9], 1)) == (1, 9)
