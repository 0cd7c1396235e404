"""Which points of a chart say that something has changed."""

from __future__ import annotations

from alerts.insights.chart import Limits, limits
from alerts.insights.rules import RUN, Signal, signals
from alerts.insights.share import Count

LIMITS = limits([Count(20, 100)] * 12, 100)
HIGH, USUAL, LOW, UP, DOWN = Count(40, 100), Count(20, 100), Count(2, 100), Count(22, 100), Count(18, 100)


def on_the_chart(*counts: Count) -> list[tuple[Count, Limits | None]]:
    return [(count, LIMITS) for count in counts]


def test_a_point_beyond_the_limits_speaks_for_itself() -> None:
    assert signals(on_the_chart(USUAL, HIGH, USUAL, LOW, UP)) == (None, Signal.HIGH, None, Signal.LOW, None)


def test_nine_in_a_row_on_one_side_are_a_run_and_so_are_the_next() -> None:
    assert signals(on_the_chart(*[UP] * 11)) == (*[None] * 8, *[Signal.RUN] * 3)
    assert signals(on_the_chart(*[DOWN] * RUN))[-1] is Signal.RUN


def test_a_point_on_the_center_or_on_the_other_side_breaks_a_run() -> None:
    for breaking in (USUAL, DOWN):
        assert Signal.RUN not in signals(on_the_chart(*[UP] * 8, breaking, *[UP] * 8))


def test_a_point_without_answers_or_limits_says_nothing_and_breaks_no_run() -> None:
    points = [*on_the_chart(*[UP] * 8), (Count(0, 0), LIMITS), (UP, None), (UP, LIMITS)]
    assert signals(points) == (*[None] * 10, Signal.RUN)


def test_beyond_the_limits_says_more_than_a_run() -> None:
    assert signals(on_the_chart(*[UP] * 9, HIGH, UP))[-3:] == (Signal.RUN, Signal.HIGH, Signal.RUN)


def test_a_point_on_its_limit_is_within() -> None:
    edge = Limits(center=0.2, low=0.1, high=0.3, sigma_z=1, points=12, answers=1200)
    assert signals([(Count(3, 10), edge), (Count(1, 10), edge)]) == (None, None)


def test_of_no_points_there_is_no_signal() -> None:
    assert signals([]) == ()
