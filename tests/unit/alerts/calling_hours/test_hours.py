"""Opening hours: fixed days that went wrong elsewhere, and laws that hold in every time zone."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.calling_hours.hours import Hours, daily, hours_of, hours_of_calendar
from alerts.calling_hours.week import Week, apart
from alerts.errors import Misconfigured
from alerts.policy import DAYS, Calendar, Policy, Slot, read_policy, shipped_policy
from tests.parts.effort import EFFORT

ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(*pairs: tuple[int, int]) -> tuple[Slot, ...]:
    return tuple(Slot(start=start * 60, end=end * 60) for start, end in pairs)


def office(zone: str = "Europe/London", **more: object) -> Hours:
    """Monday to Friday, 09:00-17:00."""
    weekly = dict.fromkeys(DAYS[:5], slots((9, 17)))
    return hours_of_calendar(Calendar.model_validate({"zone": zone, "weekly": weekly, **more}, strict=False))


def every_day(zone: str, start: int, end: int) -> Hours:
    """The same hours on every day."""
    return Hours(zone, daily(start * 60, end * 60))


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def test_friday_evening_runs_on_into_monday() -> None:
    # 2026-01-09 is a Friday
    assert office().add_open(utc("2026-01-09T16:30"), hours(1)) == utc("2026-01-12T09:30")


def test_a_start_at_the_weekend_counts_from_the_next_opening() -> None:
    assert office().add_open(utc("2026-01-10T12:00"), hours(1)) == utc("2026-01-12T10:00")


def test_time_that_ends_with_a_slot_ends_at_its_end() -> None:
    assert office().add_open(utc("2026-01-09T16:00"), hours(1)) == utc("2026-01-09T17:00")


def test_no_duration_ends_where_it_began() -> None:
    assert office().add_open(utc("2026-01-10T12:00"), timedelta()) == utc("2026-01-10T12:00")


def test_time_is_not_added_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        office().add_open(utc("2026-01-10T12:00"), timedelta(seconds=-1))


def test_lunch_does_not_count() -> None:
    calendar = Calendar(zone="Europe/London", weekly={"fri": slots((13, 17), (9, 12))})
    lunching = hours_of_calendar(calendar)
    assert lunching.add_open(utc("2026-01-09T11:30"), hours(1)) == utc("2026-01-09T13:30")
    assert not lunching.is_open(utc("2026-01-09T12:00"))
    assert lunching.next_change(utc("2026-01-09T11:00")) == utc("2026-01-09T12:00")
    assert lunching.next_change(utc("2026-01-09T12:00")) == utc("2026-01-09T13:00")


def test_overlapping_slots_count_once() -> None:
    calendar = Calendar(zone="UTC", weekly={"fri": slots((9, 12), (11, 14), (10, 11))})
    assert list(hours_of_calendar(calendar).open_between(utc("2026-01-09T00:00"), utc("2026-01-10T00:00"))) == [
        (utc("2026-01-09T09:00"), utc("2026-01-09T14:00"))
    ]
    assert hours_of_calendar(calendar).open_seconds(utc("2026-01-09T11:30"), utc("2026-01-09T13:00")) == 5400


def test_a_holiday_is_closed_and_an_exception_differs() -> None:
    closed = office(holidays=["2026-01-12"])
    assert closed.add_open(utc("2026-01-09T16:30"), hours(1)) == utc("2026-01-13T09:30")
    short = office(holidays=["2026-01-12"], exceptions={"2026-01-12": slots((9, 10))})
    assert short.add_open(utc("2026-01-09T16:30"), hours(1)) == utc("2026-01-12T09:30")
    away = office(exceptions={"2026-01-12": ()})
    assert not away.is_open(utc("2026-01-12T10:00"))


def test_the_holidays_of_a_country_are_closed() -> None:
    christmas = office(holiday_countries=["GB"])
    # Friday 25 December 2026 is Christmas Day and Monday 28 stands in for Boxing Day, a Saturday
    assert christmas.add_open(utc("2026-12-24T16:30"), hours(1)) == utc("2026-12-29T09:30")


def test_an_hour_left_out_in_spring_is_not_counted() -> None:
    # Europe/London, 2026-03-29: 01:00 becomes 02:00
    assert every_day("Europe/London", 0, 4).open_seconds(utc("2026-03-29T00:00"), utc("2026-03-29T12:00")) == 3 * 3600
    # America/New_York, 2026-03-08: 02:00 (07:00 UTC) becomes 03:00
    assert (
        every_day("America/New_York", 1, 4).open_seconds(utc("2026-03-08T00:00"), utc("2026-03-09T00:00")) == 2 * 3600
    )


def test_an_hour_repeated_in_autumn_is_counted_twice() -> None:
    # Europe/London, 2026-10-25: 02:00 becomes 01:00
    assert every_day("Europe/London", 0, 4).open_seconds(utc("2026-10-24T22:00"), utc("2026-10-25T12:00")) == 5 * 3600
    # America/New_York, 2026-11-01: 02:00 becomes 01:00; the slot begins at the first and ends at the second
    begin_to_end = list(
        every_day("America/New_York", 1, 2).open_between(utc("2026-11-01T04:00"), utc("2026-11-01T12:00"))
    )
    assert begin_to_end == [(utc("2026-11-01T05:00"), utc("2026-11-01T07:00"))]


def test_the_half_hour_of_lord_howe_is_counted() -> None:
    # 2026-04-05: 02:00 becomes 01:30; 2026-10-04: 02:00 becomes 02:30
    howe = every_day("Australia/Lord_Howe", 0, 4)
    assert howe.open_seconds(utc("2026-04-04T12:00"), utc("2026-04-05T12:00")) == 4.5 * 3600
    assert howe.open_seconds(utc("2026-10-03T12:00"), utc("2026-10-04T12:00")) == 3.5 * 3600


def test_a_slot_that_begins_in_the_left_out_hour_begins_at_the_jump() -> None:
    half_past_one = Hours("Europe/London", daily(90, 180))
    assert half_past_one.next_change(utc("2026-03-29T00:00")) == utc("2026-03-29T01:00")


def test_a_slot_wholly_within_the_left_out_hour_does_not_exist() -> None:
    within = Hours("Europe/London", daily(75, 105))
    assert within.open_seconds(utc("2026-03-28T12:00"), utc("2026-03-29T12:00")) == 0


def test_a_narrow_slot_leaves_the_repeated_time_out() -> None:
    # 01:30-03:00 on the day 02:00 becomes 01:00: after the first 01:30 the clock still shows 01:00 again
    narrow = Hours("Europe/London", daily(90, 180), narrow=True)
    assert narrow.next_change(utc("2026-10-25T00:00")) == utc("2026-10-25T01:30")


def test_the_same_office_opens_an_hour_earlier_in_utc_in_summer() -> None:
    assert office().next_change(utc("2026-03-27T18:00")) == utc("2026-03-30T08:00")
    assert office().next_change(utc("2026-01-02T18:00")) == utc("2026-01-05T09:00")


def test_29_february_is_a_day_like_any_other() -> None:
    assert office().is_open(utc("2028-02-29T10:00"))
    assert office().add_open(utc("2028-02-28T16:30"), hours(1)) == utc("2028-02-29T09:30")


def test_the_year_ends_without_a_seam() -> None:
    assert office().add_open(utc("2026-12-31T16:30"), hours(1)) == utc("2027-01-01T09:30")


def test_round_the_clock_has_no_seam_at_midnight() -> None:
    always = every_day("Europe/London", 0, 24)
    start, end = utc("2026-01-01T00:00"), utc("2026-12-31T00:00")
    assert list(always.open_between(start, end)) == [(start, end)]
    assert always.add_open(start, end - start) == end
    assert always.next_change(start) is None
    assert always.is_open(utc("2026-03-29T01:00"))


def test_a_night_over_midnight_is_one_interval() -> None:
    calendar = Calendar(zone="Europe/London", weekly={"fri": slots((22, 24)), "sat": slots((0, 6))})
    night = list(hours_of_calendar(calendar).open_between(utc("2026-01-09T12:00"), utc("2026-01-11T12:00")))
    assert night == [(utc("2026-01-09T22:00"), utc("2026-01-10T06:00"))]


def test_what_is_asked_of_an_empty_span_is_nothing() -> None:
    assert list(office().open_between(utc("2026-01-09T12:00"), utc("2026-01-09T12:00"))) == []
    assert office().open_seconds(utc("2026-01-09T12:00"), utc("2026-01-08T12:00")) == 0


def unchecked(**members: Any) -> Calendar:
    """A calendar that the policy file would not let pass."""
    empty: dict[str, Any] = {"holidays": (), "holiday_countries": (), "exceptions": {}}
    return Calendar.model_construct(None, zone="UTC", **{**empty, **members})


def test_a_calendar_that_never_opens_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no opening hours"):
        hours_of_calendar(unchecked(weekly={"mon": ()}))


def test_a_calendar_that_has_stopped_opening_is_refused_and_not_searched_for_ever() -> None:
    over = hours_of_calendar(unchecked(weekly={}, exceptions={date(2026, 1, 9): slots((9, 17))}))
    assert over.add_open(utc("2026-01-01T00:00"), hours(8)) == utc("2026-01-09T17:00")
    with pytest.raises(Misconfigured, match="too few"):
        over.add_open(utc("2026-01-01T00:00"), hours(9))
    assert over.next_change(utc("2026-02-01T00:00")) is None


def test_a_calendar_that_opens_only_after_400_days_is_refused() -> None:
    late = hours_of_calendar(unchecked(weekly={}, exceptions={date(2028, 1, 7): slots((9, 17))}))
    with pytest.raises(Misconfigured, match="too few"):
        late.add_open(utc("2026-01-01T00:00"), hours(1))


def policy_of(text: str) -> Policy:
    return read_policy(text, file="policy.yaml")


def test_without_a_calendar_the_calling_window_counts_on_the_queues_clock() -> None:
    policy = policy_of("queues: [{name: berlin, zone: Europe/Berlin}]")
    assert hours_of(policy, "berlin").next_change(utc("2026-01-09T05:00")) == utc("2026-01-09T08:00")
    assert hours_of(policy, "elsewhere").next_change(utc("2026-01-09T05:00")) == utc("2026-01-09T09:00")


def test_holidays_of_the_calling_window_are_those_of_the_queues_country() -> None:
    text = "calling: {holidays: true}\nqueues: [{name: berlin, zone: Europe/Berlin}]"
    assert not hours_of(policy_of(text), "berlin").is_open(utc("2026-12-25T12:00"))
    assert hours_of(policy_of(text.replace("true", "false")), "berlin").is_open(utc("2026-12-25T12:00"))


def test_a_queues_calendar_takes_the_place_of_the_calling_window() -> None:
    policy = policy_of(
        "calendars: {desk: {zone: UTC, weekly: {mon: [10:00-11:00]}}}\nqueues: [{name: q, calendar: desk}]"
    )
    assert hours_of(policy, "q").next_change(utc("2026-01-09T05:00")) == utc("2026-01-12T10:00")


def test_hours_are_made_once_for_each_policy() -> None:
    policy, other = shipped_policy(), policy_of("calling: {window: 10:00-11:00}")
    assert hours_of(policy, "general") is hours_of(policy, "general")
    assert hours_of(other, "general") is not hours_of(policy, "general")


def test_a_calling_window_without_days_is_refused() -> None:
    nobody = shipped_policy().calling.model_copy(update={"days": ()})
    with pytest.raises(Misconfigured, match="no days"):
        hours_of(shipped_policy().model_copy(update={"calling": nobody}), "general")


week = st.lists(
    st.lists(
        st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(sorted).filter(lambda slot: slot[1] - slot[0] >= 30),
        max_size=3,
    ),
    min_size=7,
    max_size=7,
).filter(any)
moments = st.timedeltas(timedelta(), timedelta(days=1826)).map(lambda since: utc("2024-01-01") + since)
spans = st.timedeltas(timedelta(), timedelta(days=3))


def weekly_hours(zone: str, week: list[list[tuple[int, int]]]) -> Hours:
    return Hours(zone, Week(tuple(apart(day) for day in week)))


@settings(max_examples=100 * EFFORT, deadline=None)
@given(st.sampled_from(ZONES), week, moments, spans, spans)
def test_open_time_adds_up(
    zone: str, week: list[list[tuple[int, int]]], start: datetime, one: timedelta, two: timedelta
) -> None:
    place = weekly_hours(zone, week)
    deadline, both = place.add_open(start, one), place.add_open(start, one + two)
    assert place.add_open(deadline, two) == both
    assert timedelta(seconds=place.open_seconds(start, deadline)) == one
    assert start <= deadline <= both


@settings(max_examples=100 * EFFORT, deadline=None)
@given(st.sampled_from(ZONES), week, moments, st.timedeltas(timedelta(), timedelta(days=9)))
def test_open_intervals_are_in_order_apart_and_agree_with_is_open(
    zone: str, week: list[list[tuple[int, int]]], start: datetime, span: timedelta
) -> None:
    place = weekly_hours(zone, week)
    intervals = list(place.open_between(start, start + span))
    edges = [edge for interval in intervals for edge in interval]
    assert edges == sorted(set(edges))
    for opens, closes in intervals:
        assert start <= opens < closes <= start + span
        assert place.is_open(opens)
        if closes < start + span:
            assert not place.is_open(closes)
            assert place.next_change(opens) == closes


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_no_zone_has_a_day_that_counts_wrong(year: int) -> None:
    # Round the clock, every second of the year is open whatever the clocks do
    for zone in ZONES[year % 9 :: max(1, 9 // EFFORT)]:
        start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        assert every_day(zone, 0, 24).open_seconds(start, end) == (end - start).total_seconds(), zone


def differing(days: dict[date, tuple[tuple[int, int], ...]], year: int) -> dict[date, tuple[tuple[int, int], ...]]:
    return {day: slots for day, slots in days.items() if day.year == year}


odd_days = st.dictionaries(
    st.dates(date(2024, 1, 1), date(2029, 12, 31)),
    st.lists(st.tuples(st.integers(0, 700), st.integers(730, 1440)), max_size=1).map(apart),
    max_size=30,
)


@settings(max_examples=60 * EFFORT, deadline=None)
@given(st.sampled_from(ZONES), week, odd_days, moments, st.timedeltas(timedelta(), timedelta(days=399)), st.booleans())
def test_what_is_reckoned_is_what_a_look_at_every_day_gives(
    zone: str,
    week: list[list[tuple[int, int]]],
    days: dict[date, tuple[tuple[int, int], ...]],
    start: datetime,
    span: timedelta,
    narrow: bool,
) -> None:
    place = Hours(zone, Week(tuple(apart(day) for day in week), partial(differing, days)), narrow=narrow)
    looked_at = sum(
        (closes - opens for opens, closes in place.open_between(start, start + span)),
        timedelta(),
    )
    assert timedelta(seconds=place.open_seconds(start, start + span)) == looked_at


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize(
    ("zone", "change", "start", "end"),
    [
        ("Europe/London", "2026-10-25T01:00", 90, 180),
        ("Europe/London", "2026-03-29T01:00", 90, 180),
        ("Europe/London", "2026-10-25T01:00", 0, 90),
        ("Australia/Lord_Howe", "2026-04-04T15:00", 100, 200),
        ("Pacific/Apia", "2011-12-30T10:00", 540, 1200),
    ],
)
def test_a_change_of_the_clock_within_a_slot_is_reckoned_as_it_is(
    zone: str, change: str, start: int, end: int, narrow: bool
) -> None:
    place = Hours(zone, daily(start, end), narrow=narrow)
    first, last = utc(change) - timedelta(days=20), utc(change) + timedelta(days=20)
    looked_at = sum((closes - opens for opens, closes in place.open_between(first, last)), timedelta())
    assert timedelta(seconds=place.open_seconds(first, last)) == looked_at


def test_ten_thousand_years_are_reckoned_and_not_walked_through() -> None:
    began = process_time()
    seconds = office().open_seconds(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert seconds == pytest.approx(9998.8 * 365.2425 / 7 * 40 * 3600, rel=1e-4)
    assert process_time() - began < 0.5


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("hours_ahead", [-14, 0, 14])
def test_the_ends_of_the_calendar_are_no_error(at: datetime, hours_ahead: int) -> None:
    edge = at.replace(tzinfo=timezone(timedelta(hours=hours_ahead)))
    place = office()
    assert not list(place.slots(edge, edge))
    assert place.open_seconds(edge, edge) == 0
    assert not place.is_open(edge)
    place.next_change(edge)


def test_a_rare_opening_is_found_years_ahead() -> None:
    monthly = hours_of_calendar(
        unchecked(weekly={}, exceptions={date(y, 1, 7): slots((9, 10)) for y in range(2026, 2036)})
    )
    began = process_time()
    assert monthly.add_open(utc("2026-01-01T00:00"), hours(9.5)) == utc("2035-01-07T09:30")
    assert process_time() - began < 0.5


def test_of_many_years_the_earlier_ones_count_by_the_usual_week() -> None:
    summer = every_day("Europe/London", 9, 17)
    start, end = utc("1970-06-01T12:00"), utc("2026-06-01T12:00")
    assert summer.open_seconds(start, end) == (end - start).days * 8 * 3600
