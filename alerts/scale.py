"""Places a rating from any scale onto five points, and says which box it falls in."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Box(StrEnum):
    BOTTOM = "bottom"  # 1-2: the customer is likely to leave; somebody phones
    MIDDLE = "middle"  # 3
    TOP = "top"  # 4-5


class Scale(Struct, frozen=True, gc=False):
    """The worst and the best rating a question allows; `worst > best` is an inverted scale."""

    worst: int = 1
    best: int = 5

    def holds(self, rating: int) -> bool:
        return min(self.worst, self.best) <= rating <= max(self.worst, self.best)

    def points(self, rating: int) -> int:
        """The rating on five points, 1 worst .. 5 best.

        position = (rating - worst) / (best - worst); points = 1 + floor(5 * position), at most 5
        (docs/surveys.md). Whole numbers only, so no rounding can move a rating across a border.
        """
        above_worst = (rating - self.worst) * (1 if self.best > self.worst else -1)
        width = abs(self.best - self.worst)
        return min(5, 1 + 5 * above_worst // width)


FIVE_POINTS = Scale()


def box_of(points: int) -> Box:
    """The box of a rating that is already on five points."""
    if points <= 2:
        return Box.BOTTOM
    return Box.MIDDLE if points == 3 else Box.TOP
