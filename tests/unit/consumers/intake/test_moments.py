"""A time is read in whatever way of ISO 8601 it is written, as long as it says which moment is meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from consumers.intake.moments import read_moment

AT = datetime(2026, 11, 24, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T11:00Z",
        "2026-11-24 11:00:00+00",
        "2026-11-24T12:00:00+01:00[Europe/Paris]",
        "2026-11-24T11:00:00Z[Europe/London][u-ca=gregory]",
        "20261124T110000Z",
        "2026-11-24T11:00:00,000Z",
        " 2026-11-24t11:00:00z\u200b",
        "2026-11-24T10:59:60Z",
    ],
)
def test_a_moment_is_read_however_it_is_written(text: str) -> None:
    assert read_moment(text) == AT


def test_a_leap_second_is_the_first_of_the_next_minute() -> None:
    """golang/go #77163, time-rs/time #404: RFC 3339 allows second 60, and most libraries refuse it."""
    assert read_moment("2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=UTC)
    assert read_moment("2016-12-31T18:59:60.5-05:00") == datetime(2017, 1, 1, tzinfo=UTC) + timedelta(seconds=0.5)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-24T11:00:00", "2026-11-24", "11:00Z", "now", "", "[Europe/London]", "2026-02-30T11:00:00Z"),
        *("9999-12-31T23:59:60Z", "2026-11-24T11:00:61Z", "2026-11-24T11:00:00[Europe/London]", "Z" * 5000, "\0"),
    ],
)
def test_what_does_not_say_which_moment_is_none(text: str) -> None:
    assert read_moment(text) is None
