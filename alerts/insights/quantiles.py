"""The usual case and the slow tenth of a set of durations, exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Quantiles(Struct, frozen=True):
    """Half take at most `p50`, nine of ten at most `p90`, in the unit of the values; None of nothing."""

    of: int
    p50: float | None
    p90: float | None


def quantiles(values: Iterable[float]) -> Quantiles:
    """From the values themselves, not from buckets."""
    ordered = sorted(values)
    if not ordered:
        return Quantiles(0, None, None)
    return Quantiles(len(ordered), quantile(ordered, 0.5), quantile(ordered, 0.9))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two neighbours of place (n - 1) * share, in proportion; `ordered` is sorted and not empty.

    Source: definition 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American
    Statistician 50 (1996) 361-365; the same as `percentile_cont` in SQL, so both may serve one page.
    """
    place = (len(ordered) - 1) * share
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
