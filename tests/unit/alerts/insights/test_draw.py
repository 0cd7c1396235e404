"""Random draws from pools: exact, also of several pools together."""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb

import pytest
from scipy import stats

from alerts.insights.draw import Draw, chance_of_at_most, chances, same_share
from alerts.insights.share import Count

POOLS = [(1, 1, 1), (10, 0, 4), (10, 10, 4), (50, 12, 20), (400, 90, 390), (3_000, 7, 1_500), (200_000, 60_000, 300)]


@pytest.mark.parametrize(("of", "hard", "drawn"), POOLS)
def test_one_pool_is_the_hypergeometric_distribution(of: int, hard: int, drawn: int) -> None:
    found = chances(Draw(Count(0, drawn), Count(hard, of)))
    theirs = stats.hypergeom(of, hard, drawn)
    for count in range(max(0, drawn - of + hard), min(hard, drawn) + 1):
        assert found.at_most(count) == pytest.approx(float(theirs.cdf(count)), rel=1e-9, abs=1e-15)
        assert found.at_least(count) == pytest.approx(float(theirs.sf(count - 1)), rel=1e-9, abs=1e-15)


def test_several_pools_add_up_as_every_way_to_draw_from_them() -> None:
    draws = [Draw(Count(1, 3), Count(2, 7)), Draw(Count(0, 2), Count(3, 5)), Draw(Count(2, 4), Count(4, 4))]
    each = [stats.hypergeom(draw.pool.of, draw.pool.count, draw.own.of) for draw in draws]
    for wanted in range(10):
        ways = [(a, b, c) for a in range(4) for b in range(3) for c in range(5) if a + b + c <= wanted]
        brute = sum(math.prod(float(one.pmf(x)) for one, x in zip(each, way, strict=True)) for way in ways)
        assert chance_of_at_most(wanted, draws) == pytest.approx(brute, abs=1e-14)


def test_many_pools_add_up_however_unlikely_the_sum_is() -> None:
    draws = [Draw(Count(0, 8 + day % 17), Count(200 + 5 * day, 820)) for day in range(28)]
    added = [Fraction(1)]
    for draw in draws:
        (hard, of), drawn = (draw.pool.count, draw.pool.of), draw.own.of
        each = [Fraction(comb(hard, x) * comb(of - hard, drawn - x), comb(of, drawn)) for x in range(drawn + 1)]
        added = [
            sum((each[x] * added[at - x] for x in range(len(each)) if 0 <= at - x < len(added)), Fraction(0))
            for at in range(len(added) + drawn)
        ]
    for count in range(len(added)):
        below = float(sum(added[: count + 1], Fraction(0)))
        assert chance_of_at_most(count, draws) == pytest.approx(below, rel=1e-6, abs=1e-15)


def test_from_no_pool_nothing_is_drawn() -> None:
    assert chance_of_at_most(0, []) == 1
    assert Draw(Count(0, 0), Count(0, 0)).expected == 0


TABLES = [((0, 5), (5, 5)), ((3, 10), (9, 12)), ((50, 200), (70, 210)), ((600, 3_000), (60_500, 300_000))]


@pytest.mark.parametrize(("first", "second"), TABLES)
def test_the_same_share_is_judged_by_fishers_exact_test(first: tuple[int, int], second: tuple[int, int]) -> None:
    table = [[first[0], first[1] - first[0]], [second[0], second[1] - second[0]]]
    sides = [float(stats.fisher_exact(table, alternative=side).pvalue) for side in ("less", "greater")]
    assert same_share(Count(*first), Count(*second)) == pytest.approx(min(1, 2 * min(sides)), rel=1e-9)


def test_nothing_differs_from_nothing() -> None:
    assert same_share(Count(0, 0), Count(3, 9)) == same_share(Count(0, 4), Count(0, 9)) == 1
