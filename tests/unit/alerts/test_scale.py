"""Every scale lands on the five points that the contract gives it."""

from __future__ import annotations

import pytest

from alerts.scale import FIVE_POINTS, Box, Scale, box_of

VECTORS = [
    (Scale(0, 10), {0: 1, 1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4, 7: 4, 8: 5, 9: 5, 10: 5}),
    (Scale(1, 5), {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}),
    (Scale(5, 1), {5: 1, 4: 2, 3: 3, 2: 4, 1: 5}),
    (Scale(6, 1), {6: 1, 5: 2, 4: 3, 3: 4, 2: 5, 1: 5}),
    (Scale(1, 7), {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 5}),
    (Scale(0, 100), {0: 1, 19: 1, 20: 2, 39: 2, 40: 3, 59: 3, 60: 4, 79: 4, 80: 5, 100: 5}),
    (Scale(0, 1), {0: 1, 1: 5}),
    (Scale(-103, 103), {-103: 1, 0: 3, 103: 5}),
]


@pytest.mark.parametrize(("scale", "points"), VECTORS)
def test_a_rating_falls_on_its_point(scale: Scale, points: dict[int, int]) -> None:
    assert {rating: scale.points(rating) for rating in points} == points


@pytest.mark.parametrize("scale", [Scale(0, 10), Scale(10, 0), Scale(1, 7), Scale(0, 100)])
def test_a_better_rating_never_has_fewer_points(scale: Scale) -> None:
    step = 1 if scale.best > scale.worst else -1
    points = [scale.points(rating) for rating in range(scale.worst, scale.best + step, step)]
    assert points == sorted(points)
    assert (points[0], points[-1]) == (1, 5)


def test_an_inverted_scale_is_the_mirror_of_the_upright_one() -> None:
    upright, inverted = Scale(0, 10), Scale(10, 0)
    assert [inverted.points(10 - rating) for rating in range(11)] == [upright.points(r) for r in range(11)]


def test_a_scale_holds_its_ends_and_nothing_beyond() -> None:
    for scale in (Scale(1, 5), Scale(5, 1)):
        assert [scale.holds(rating) for rating in (0, 1, 5, 6)] == [False, True, True, False]


def test_one_and_two_are_the_bottom_box() -> None:
    assert [box_of(FIVE_POINTS.points(rating)) for rating in range(1, 6)] == [
        Box.BOTTOM,
        Box.BOTTOM,
        Box.MIDDLE,
        Box.TOP,
        Box.TOP,
    ]
