"""The bars of a Pareto chart."""

from __future__ import annotations

import pytest

from alerts.insights.pareto import pareto
from alerts.insights.share import share_of


def test_the_largest_stands_first_and_the_line_climbs_to_all() -> None:
    bars = pareto({"price": 5, "wait": 30, "never": 0, "bill": 5})
    assert [(bar.name, bar.share) for bar in bars] == [
        ("wait", share_of(30, 40)),
        ("bill", share_of(5, 40)),
        ("price", share_of(5, 40)),
    ]
    assert [bar.cumulative for bar in bars] == pytest.approx([0.75, 0.875, 1])


def test_a_bar_may_be_named_by_kind_and_driver() -> None:
    assert [bar.name for bar in pareto({("skill", "tone"): 1, ("operations", "bill"): 2})] == [
        ("operations", "bill"),
        ("skill", "tone"),
    ]


def test_where_nothing_happened_there_is_no_bar() -> None:
    assert pareto({}) == pareto({"wait": 0}) == ()
