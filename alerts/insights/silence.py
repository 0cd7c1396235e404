"""Has a source fallen silent in hours in which it usually speaks? No bad news is not always good news."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from alerts.insights.binomial import at_most
from alerts.insights.budget import Budget
from alerts.insights.dispersion import LEAST_POINTS, moving_ranges, sigma_of


class Silence(Struct, frozen=True):
    """`observed` answers, where `expected` are usual in the same stretch of the week.

    `p_value`: the chance of so few. `sigma_z`: how much wider than chance the weeks swing. `weeks`, `answers`: what
    the usual was counted from.
    """

    observed: int
    expected: float
    weeks: int
    answers: int
    sigma_z: float
    p_value: float
    budget: Budget
    raised: bool


def silence(observed: int, same_stretch: Sequence[int], budget: Budget) -> Silence | None:
    """None with fewer than eight earlier weeks.

    `observed`: the answers in the stretch that is judged (from the last answer until now: none). `same_stretch`: those in
    the same stretch of earlier weeks, in their order. Nights and thin sources expect next to nothing there, so nothing is
    raised however long they say nothing.

    Given all answers of all weeks, those of this one are binomial with the share 1 / (weeks + 1): the exact conditional
    test of two Poisson rates (J. Przyborowski and H. Wilenski, Biometrika 31 (1940) 313-323). When weeks swing wider than
    chance, an answer weighs 1 / sigma_z^2 of one (P. McCullagh and J. A. Nelder, Generalized Linear Models, 1989,
    section 6.2), rounded to the careful side.
    """
    weeks, answers = len(same_stretch), sum(same_stretch)
    if weeks < LEAST_POINTS:
        return None
    sigma_z = _sigma_z(same_stretch)
    weight = 1 / sigma_z**2
    all_, seen = math.floor((answers + observed) * weight), math.ceil(observed * weight)
    p_value = at_most(min(seen, all_), all_, 1 / (weeks + 1))
    return Silence(
        observed=observed,
        expected=answers / weeks,
        weeks=weeks,
        answers=answers,
        sigma_z=sigma_z,
        p_value=p_value,
        budget=budget,
        raised=p_value <= budget.per_look,
    )


def _sigma_z(counts: Sequence[int]) -> float:
    """Laney's sigma_z for counts, as in his u'-chart."""
    mean = sum(counts) / len(counts)
    return sigma_of(moving_ranges([(count - mean) / math.sqrt(mean) for count in counts])) if mean else 1.0
