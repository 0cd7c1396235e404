"""Other people's clocks: how far off they may be, and what a moment that they tell is taken for."""

from __future__ import annotations

from datetime import datetime, timedelta

CLOCK_TOLERANCE = timedelta(minutes=5)
"""So far a softphone's or a platform's clock may be from the ledger's, either way."""


def told_within(at: datetime, first: datetime, last: datetime) -> datetime | None:
    """A moment that must lie in [first, last], told by a clock that may be a little off; None when it is off by too much.

    What lies beyond an end by no more than the tolerance counts as that end: it happened on our clock.
    """
    if not first - CLOCK_TOLERANCE <= at <= last + CLOCK_TOLERANCE:
        return None
    return min(max(at, first), last)
