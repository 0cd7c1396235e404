"""Many looks at once: Holm's correction, as another computes it."""

from __future__ import annotations

from random import Random

import pytest
from statsmodels.stats.multitest import multipletests

from alerts.insights.holm import adjusted


@pytest.mark.parametrize("many", [1, 2, 5, 40])
def test_the_correction_is_holms(many: int) -> None:
    random = Random(many)
    for _ in range(5):
        p_values = [random.random() ** random.choice([1, 3, 9]) for _ in range(many)]
        assert adjusted(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_ends_ties_and_nothing() -> None:
    assert adjusted([]) == ()
    assert adjusted([0.0, 1.0, 1.0]) == (0.0, 1.0, 1.0)
    assert adjusted([0.02, 0.02, 0.02]) == pytest.approx((0.06, 0.06, 0.06))
