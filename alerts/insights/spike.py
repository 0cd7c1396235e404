"""Is this hour's bottom box more than the same hours of the week explain? With all of its arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from alerts.insights.binomial import at_least
from alerts.insights.budget import Budget
from alerts.insights.dispersion import LEAST_POINTS, Unrest, usual_rate
from alerts.insights.normal import upper_tail, z_of
from alerts.insights.share import Count, Share, share_of, total


class Spike(Struct, frozen=True):
    """What was seen, what was expected, and whether the gap is an alarm.

    `p_value`: the exact binomial chance of `observed.count` bad answers or more among `observed.of`, when `expected`
    are usual. `spread`: how much wider than that binomial the count may swing. `threshold`: `budget.per_look`, moved out
    by `spread`; `raised` when `p_value` is at or below it. `hours`: how many earlier hours `usual` was counted from.
    """

    observed: Share
    usual: Share
    hours: int
    expected: float
    p_value: float
    budget: Budget
    spread: float
    threshold: float
    raised: bool


def spike(live: Count, same_hours: Sequence[Count], budget: Budget, swing: Unrest) -> Spike | None:
    """None while nothing can be said: no answer yet, or fewer than eight earlier hours with answers.

    `same_hours`: this hour of the week in earlier weeks, in their order. `swing`: the unrest of
    the scope, from the earlier weeks of all hours of the week; of one hour alone too few weeks are known.

    The spread has two parts: the weeks differ more than chance (`swing`), and the usual rate is itself only counted,
    from N answers, which widens a prediction for n by sqrt(1 + n / N) (W. Nelson, Applied Life Data Analysis, 1982,
    chapter 6). Both move the threshold and leave `p_value` what anybody can check.
    """
    past = [each for each in same_hours if each.of]
    if len(past) < LEAST_POINTS or not live.of:
        return None
    usual = total(past)
    rate = usual_rate(usual)
    p_value = at_least(live.count, live.of, rate)
    spread = swing.at(live.of) * math.sqrt(1 + live.of / usual.of)
    threshold = upper_tail(z_of(budget.per_look) * spread)
    return Spike(
        observed=share_of(live.count, live.of),
        usual=share_of(usual.count, usual.of),
        hours=len(past),
        expected=live.of * rate,
        p_value=p_value,
        budget=budget,
        spread=spread,
        threshold=threshold,
        raised=p_value <= threshold,
    )
