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
        "2026-11-24 11:00:00 UTC",
        "2026-11-24T11:00:00GMT",
        "2026-11-24 13:00 UTC+2",
        "2026-11-24T08:00:00 GMT-3",
        "2026-11-24T16:30:00 gmt+05:30",
        "2026-11-24T16:30:00+5:30",
        "2026-11-24T06:00:00\u221205:00",
        "2026-11-24 11:00:00.000000000 +0000 UTC m=+0.012",
        "2026-11-24 12:00:00 +0100 CET",
        "2026/11/24 11:00:00Z",
        "2026-328T11:00:00Z",
        "2026-W48-2T11:00:00Z",
        "Tue, 24 Nov 2026 11:00:00 GMT",
        "Tue, 24 Nov 2026 12:00:00 +0100",
        "24 Nov 2026 11:00:00 -0000",
        "Tue Nov 24 2026 12:00:00 GMT+0100 (Central European Standard Time)",
        "Tue Nov 24 11:00:00 UTC 2026",
    ],
)
def test_a_moment_is_read_however_it_is_written(text: str) -> None:
    assert read_moment(text) == AT


def test_a_leap_second_is_the_first_of_the_next_minute() -> None:
    """golang/go #77163, time-rs/time #404: RFC 3339 allows second 60, and most libraries refuse it."""
    assert read_moment("2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=UTC)
    assert read_moment("2016-12-31T18:59:60.5-05:00") == datetime(2017, 1, 1, tzinfo=UTC) + timedelta(seconds=0.5)


@pytest.mark.parametrize("text", ["2026-11-24T24:00:00Z", "2026-11-24T24:00Z", "2026-11-24 24:00:00.000 UTC"])
def test_twenty_four_hours_are_the_next_midnight(text: str) -> None:
    """ISO 8601 ends a day so, and Excel, schedules and older databases write it."""
    assert read_moment(text) == datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-24T24:00:01Z", "2026-11-24T24:30:00Z", "2025-366T11:00:00Z", "2026-000T11:00:00Z"),
        *(
            "2026-11-24 11:00:00 IST",
            "2026-11-24 11:00:00 CST",
            "Tue Nov 24 11:00:00 IST 2026",
            "UTC",
            "2026-11-24 UTC+99",
        ),
        *("11/12/2026 11:00:00 Z", "Tue Nov 24 11:00:00 2026", "T", "x", "1", "\u0661", "9999-12-31T24:00Z"),
        *("2026-11-24T11:00:00", "2026-11-24", "11:00Z", "now", "", "[Europe/London]", "2026-02-30T11:00:00Z"),
        *("9999-12-31T23:59:60Z", "2026-11-24T11:00:61Z", "2026-11-24T11:00:00[Europe/London]", "Z" * 5000, "\0"),
    ],
)
def test_what_does_not_say_which_moment_is_none(text: str) -> None:
    assert read_moment(text) is None
