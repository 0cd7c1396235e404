"""When clocks are changed, and the moments that they show."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.calling_hours.wall_clock import EARLIEST, LATEST, bounded, changes_between, later, offset, whole_day
from tests.parts.effort import times

ZONES = sorted(zoneinfo.available_timezones())
DAY = timedelta(days=1)


def test_a_change_is_found_to_the_second() -> None:
    year = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert changes_between(ZoneInfo("Europe/London"), *year) == [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
    ]
    assert changes_between(ZoneInfo("Asia/Tokyo"), *year) == []


def test_a_change_at_the_turn_of_the_year_is_found() -> None:
    # Samoa left out 30 December 2011
    found = changes_between(
        ZoneInfo("Pacific/Apia"), datetime(2011, 12, 1, tzinfo=UTC), datetime(2012, 2, 1, tzinfo=UTC)
    )
    assert found == [datetime(2011, 12, 30, 10, tzinfo=UTC)]


@pytest.mark.parametrize("first", range(8))
def test_no_zone_hides_a_change_between_two_looks(first: int) -> None:
    for zone in map(ZoneInfo, ZONES[first :: 80 // times(10)]):
        start, end = datetime(1995, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
        days = [start + day * DAY for day in range((end - start).days)]
        offsets = [offset(zone, day) for day in days]
        seen = {day.date() for day, was, then in zip(days, offsets, offsets[1:], strict=False) if was != then}
        assert {(change - timedelta(seconds=1)).date() for change in changes_between(zone, start, days[-1])} == seen, (
            zone
        )


def test_a_day_may_be_longer_shorter_or_nothing() -> None:
    london, apia = ZoneInfo("Europe/London"), ZoneInfo("Pacific/Apia")
    begin, end = whole_day(london, date(2026, 10, 25))
    assert end - begin == timedelta(hours=25)
    begin, end = whole_day(apia, date(2011, 12, 30))
    assert begin == end == datetime(2011, 12, 30, 10, tzinfo=UTC)


def test_nothing_lies_beyond_the_bounds() -> None:
    assert bounded(datetime.min.replace(tzinfo=UTC)) == EARLIEST
    assert bounded(datetime.max.replace(tzinfo=UTC)) == LATEST
    assert later(EARLIEST, timedelta.min) == EARLIEST
    assert later(EARLIEST, timedelta.max) == LATEST
