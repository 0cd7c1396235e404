"""A clock that is a little off still tells something; one that is off by more does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.clocks import CLOCK_TOLERANCE, told_within

FIRST = datetime(2026, 3, 2, 10, tzinfo=UTC)
LAST = FIRST + timedelta(minutes=10)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (FIRST - CLOCK_TOLERANCE - MOMENT, None),
        (FIRST - CLOCK_TOLERANCE, FIRST),
        (FIRST, FIRST),
        (FIRST + MOMENT, FIRST + MOMENT),
        (LAST, LAST),
        (LAST + CLOCK_TOLERANCE, LAST),
        (LAST + CLOCK_TOLERANCE + MOMENT, None),
    ],
)
def test_what_lies_a_little_outside_counts_as_the_nearest_end(at: datetime, counts: datetime | None) -> None:
    assert told_within(at, FIRST, LAST) == counts
