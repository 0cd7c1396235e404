"""Keeps many looks honest: who looks at twenty values finds one that differs by chance alone."""

from __future__ import annotations

from collections.abc import Sequence


def adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """Each p-value after Holm's correction, in the order given; compare them with the error rate for all together.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
    (1979) 65-70.
    """
    smallest_first = sorted(range(len(p_values)), key=p_values.__getitem__)
    found = [1.0] * len(p_values)
    worst = 0.0
    for rank, index in enumerate(smallest_first):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        found[index] = worst
    return tuple(found)
