"""Both tails of the binomial distribution, to the last answer of three million."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import pytest
from scipy import stats

from alerts.insights.binomial import at_least, at_most, log_at_least, log_at_most, log_exactly

RATES = [1e-9, 1e-4, 0.01, 0.2, 0.5, 0.8, 0.999, 1 - 1e-9]
TOLD_BY_SCIPY = -700
"""Its logarithms are those of the tails, which vanish below."""


def places(of: int, p: float) -> list[int]:
    """The ends, and the mean with many standard deviations on either side."""
    deviation = math.sqrt(of * p * (1 - p))
    found = {0, 1, of - 1, of, *(int(of * p + reach * deviation) for reach in (-36, -6, -3, -1, 0, 1, 3, 6, 36))}
    return sorted(count for count in found if 0 <= count <= of)


@pytest.mark.parametrize("of", [1, 2, 3, 7, 15, 16, 17, 60, 1_000, 100_000, 3_000_000])
@pytest.mark.parametrize("p", RATES)
def test_both_tails_are_scipys(of: int, p: float) -> None:
    for count in places(of, p):
        for ours, theirs in (
            (log_at_least(count, of, p), float(stats.binom.logsf(count - 1, of, p))),
            (log_at_most(count, of, p), float(stats.binom.logcdf(count, of, p))),
        ):
            if theirs > TOLD_BY_SCIPY:
                assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)
            else:
                assert ours < TOLD_BY_SCIPY + 1


@pytest.mark.parametrize("of", [1, 2, 5, 17, 60])
def test_small_ones_are_exact_as_fractions_are(of: int) -> None:
    p = Fraction(1, 8)
    terms = [math.comb(of, count) * p**count * (1 - p) ** (of - count) for count in range(of + 1)]
    for count in range(of + 1):
        assert at_least(count, of, 0.125) == pytest.approx(float(sum(terms[count:])), rel=1e-13)
        assert at_most(count, of, 0.125) == pytest.approx(float(sum(terms[: count + 1])), rel=1e-13)
        assert math.exp(log_exactly(count, of, 0.125)) == pytest.approx(float(terms[count]), rel=1e-13)


def test_a_tail_too_small_for_a_number_still_has_a_logarithm() -> None:
    assert at_least(3_000_000, 3_000_000, 0.2) == 0
    assert log_at_least(3_000_000, 3_000_000, 0.2) == pytest.approx(3_000_000 * math.log(0.2))
    assert log_at_most(0, 3_000_000, 0.2) == pytest.approx(3_000_000 * math.log(0.8))


def test_what_must_be_is_certain_and_what_cannot_be_is_not() -> None:
    assert at_least(0, 10, 0.3) == at_most(10, 10, 0.3) == at_least(-1, 10, 0.3) == 1
    assert at_least(11, 10, 0.3) == at_most(-1, 10, 0.3) == 0
    assert at_least(0, 0, 0.3) == at_most(0, 0, 0.3) == 1
    assert at_least(1, 10, 0.0) == at_most(9, 10, 1.0) == 0
    assert at_least(10, 10, 1.0) == at_most(0, 10, 0.0) == 1


@pytest.mark.parametrize("p", [0.003, 0.2, 0.5, 0.97])
def test_the_two_tails_make_one(p: float) -> None:
    assert all(at_most(count - 1, 977, p) + at_least(count, 977, p) == pytest.approx(1) for count in range(978))


def test_three_million_answers_take_milliseconds() -> None:
    began = time.process_time()
    assert at_least(600_001, 3_000_000, 0.2) == pytest.approx(0.5, abs=0.001)
    assert time.process_time() - began < 1
