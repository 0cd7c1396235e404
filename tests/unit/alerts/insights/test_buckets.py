"""Hours, days and weeks as a place's clock has them, in every zone there is and over every change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.calling_hours.zones import known_zones
from alerts.insights.buckets import DAY, HOUR, Bucket, Grain, begin_of, buckets
from tests.parts.effort import times

BEGIN, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), END - BEGIN).map(lambda since: BEGIN + since)
ZONES = st.sampled_from(sorted(known_zones())).map(ZoneInfo)
STEPS = st.sampled_from(Grain)


def cut(start: str, end: str, step: Grain, zone: str) -> list[Bucket]:
    since, until = (datetime.fromisoformat(each).replace(tzinfo=ZoneInfo(zone)) for each in (start, end))
    return list(buckets(since.astimezone(UTC), until.astimezone(UTC), step, ZoneInfo(zone)))


def told(at: datetime, step: Grain, zone: ZoneInfo) -> object:
    """What a person there would call the hour, the day or the week of this moment."""
    local = at.astimezone(zone)
    if step is Grain.HOUR:
        return local.date(), local.hour, local.utcoffset()
    return local.date() if step is Grain.DAY else local.date().isocalendar()[:2]


def is_set_back_over_midnight(bucket: Bucket, zone: ZoneInfo) -> bool:
    """So that yesterday's date is told again: Newfoundland did, at a minute past midnight, until 2011."""
    return any(
        (at + HOUR).astimezone(zone).date() < at.astimezone(zone).date()
        for edge in (bucket.start, bucket.end)
        for at in (edge - HOUR / 2, edge, edge + timedelta(minutes=1) / 2)
    )


@settings(max_examples=times(5_000))
@given(since=MOMENTS, zone=ZONES, step=STEPS, share=st.floats(0, 1, exclude_max=True))
def test_each_moment_lies_in_the_bucket_that_people_there_would_name(
    since: datetime, zone: ZoneInfo, step: Grain, share: float
) -> None:
    (first, *_) = buckets(since, since + timedelta(microseconds=1), step, zone)
    assert first.start <= since < first.end
    inside = min(first.start + share * (first.end - first.start), first.end - timedelta(microseconds=1))
    if not (step is not Grain.HOUR and is_set_back_over_midnight(first, zone)):
        assert told(inside, step, zone) == told(first.start, step, zone) == told(since, step, zone)
        for outside in (first.start - timedelta(microseconds=1), first.end):
            assert told(outside, step, zone) != told(since, step, zone)
    assert begin_of(inside, step, zone) == first.start


@settings(max_examples=times(1_000))
@given(since=MOMENTS, zone=ZONES, step=STEPS, length=st.timedeltas(timedelta(0), timedelta(days=30)))
def test_they_follow_each_other_without_a_gap_and_cover_what_was_asked(
    since: datetime, zone: ZoneInfo, step: Grain, length: timedelta
) -> None:
    found = list(buckets(since, since + length, step, zone))
    assert [each.start for each in found[1:]] == [each.end for each in found[:-1]]
    assert all(each.start < each.end for each in found)
    if length:
        assert found[0].start <= since
        assert found[-1].start < since + length <= found[-1].end
    else:
        assert found == []


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-25", "Europe/Berlin", 25),
        ("2026-11-22", "Asia/Kathmandu", 24),  # 45 minutes
        ("2020-11-01", "America/Havana", 25),  # midnight comes twice
        ("2018-11-04", "America/Sao_Paulo", 23),  # midnight did not come
        ("2018-02-17", "America/Sao_Paulo", 25),  # 23 o'clock came twice
        ("2026-04-05", "Australia/Lord_Howe", 24.5),
        ("2026-10-04", "Australia/Lord_Howe", 23.5),
        ("2010-03-14", "America/St_Johns", 23),  # a minute past midnight
    ],
)
def test_a_day_has_as_many_hours_as_its_clock_lets_pass(day: str, zone: str, hours: float) -> None:
    (found,) = cut(day + "T12:00", day + "T13:00", Grain.DAY, zone)
    assert (found.end - found.start) / HOUR == hours
    parts = list(buckets(found.start, found.end, Grain.HOUR, ZoneInfo(zone)))
    assert (parts[0].start, parts[-1].end) == (found.start, found.end)
    assert {part.end - part.start for part in parts} <= {HOUR, HOUR / 2, HOUR / 60, HOUR * 59 / 60}


def test_an_hour_that_comes_twice_is_two_hours() -> None:
    found = cut("2026-10-25T02:00", "2026-10-25T03:00", Grain.HOUR, "Europe/Berlin")
    assert [(each.start.hour, each.place) for each in found] == [(0, (6, 2)), (1, (6, 2))]


def test_an_hour_begins_when_the_clock_there_strikes() -> None:
    (found,) = cut("2026-11-22T10:20", "2026-11-22T10:21", Grain.HOUR, "Asia/Kathmandu")
    assert found == Bucket(
        datetime(2026, 11, 22, 4, 15, tzinfo=UTC), datetime(2026, 11, 22, 5, 15, tzinfo=UTC), (6, 10)
    )


def test_an_hour_ends_when_the_clock_is_changed_in_the_middle_of_it() -> None:
    """Newfoundland changed its clocks at a minute past midnight."""
    found = cut("2010-03-14T00:00", "2010-03-14T03:00", Grain.HOUR, "America/St_Johns")
    assert [(each.end - each.start) / timedelta(minutes=1) for each in found] == [1, 59, 60]
    at = found[1].start + timedelta(minutes=3)
    assert begin_of(at, Grain.HOUR, ZoneInfo("America/St_Johns")) == found[1].start


def test_a_date_that_comes_back_after_midnight_stays_one_day() -> None:
    found = cut("2010-11-06T12:00", "2010-11-08T12:00", Grain.DAY, "America/St_Johns")
    assert [(each.end - each.start) / HOUR for each in found] == [24, 25, 24]
    evening_again = found[1].start + timedelta(minutes=30)
    assert begin_of(evening_again, Grain.DAY, ZoneInfo("America/St_Johns")) == found[1].start


def test_a_day_that_was_left_out_has_no_bucket() -> None:
    found = cut("2011-12-29T12:00", "2011-12-31T12:00", Grain.DAY, "Pacific/Apia")
    assert [each.start.astimezone(ZoneInfo("Pacific/Apia")).day for each in found] == [29, 31]
    assert [each.end - each.start for each in found] == [DAY, DAY]


def test_a_week_begins_on_monday() -> None:
    (found,) = cut("2026-11-22T23:00", "2026-11-22T23:59", Grain.WEEK, "Europe/London")
    assert (found.start, found.end - found.start) == (datetime(2026, 11, 16, tzinfo=UTC), 7 * DAY)
