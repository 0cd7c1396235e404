"""When a customer may be phoned: places, windows, words, and laws that hold in every time zone."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.calling_hours.geography import country_of_zone
from alerts.calling_hours.window import (
    Place,
    callable_seconds,
    may_call,
    needs_zone,
    next_window,
    place_of,
    shared_hours,
)
from alerts.phones.phone import BAD_NUMBER, NO_NUMBER, Number, judge
from alerts.policy import Policy, read_policy, shipped_policy
from alerts.survey import Respondent
from tests.parts.effort import EFFORT

ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
POLICY = shipped_policy()
LONDON = Place(("Europe/London",), "GB")
KEEPS_HOLIDAYS = read_policy("calling: {holidays: true}", file="policy.yaml")
COASTS = Place(("America/New_York", "America/Los_Angeles"), "US")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def calling(text: str) -> Policy:
    return read_policy(f"calling: {text}", file="policy.yaml")


def opening(at: str, place: Place, policy: Policy = POLICY) -> tuple[datetime, datetime, str]:
    window = next_window(utc(at), place, policy)
    assert window is not None
    return window.opens, window.closes, window.reason


# Where the customer is


def test_the_customers_own_zone_counts_before_the_numbers() -> None:
    customer = Respondent(time_zone="Australia/Perth", country="AU")
    assert place_of(customer, judge("+442079460967", None), "UTC") == Place(("Australia/Perth",), "AU", regions=("WA",))


def test_a_number_gives_the_zone_and_the_country_whose_rules_apply() -> None:
    assert place_of(Respondent(), judge("+442079460967", None), "UTC") == Place(LONDON.zones, "GB", regions=("ENG",))


def test_the_zones_of_a_number_are_cut_to_the_customers_country() -> None:
    mobile = judge("+79161234567", None)
    assert len(mobile.zones) == 16
    zones = place_of(Respondent(country="RU"), mobile, "UTC").zones
    assert "Europe/Moscow" in zones
    assert not {"Asia/Almaty", "Europe/Bucharest"} & set(zones)


def test_an_older_name_of_a_zone_is_cut_like_the_present_one() -> None:
    place = place_of(Respondent(country="IN"), judge("+919876543210", None), "UTC")
    assert place == Place(("Asia/Calcutta",), "IN")


def test_a_number_from_abroad_must_be_allowed_there_and_in_the_customers_country() -> None:
    place = place_of(Respondent(country="GB"), judge("+12125550123", None), "UTC")
    assert place == Place(("America/New_York", "Europe/London"), "GB")


def test_zones_that_are_names_of_one_clock_count_once() -> None:
    number = Number("ok", ("Europe/Guernsey", "Europe/Jersey", "Europe/London"))
    assert place_of(Respondent(), number, "UTC").zones == ("Europe/London",)


def test_the_numbers_own_country_cuts_its_zones_when_the_customers_is_unknown() -> None:
    place = place_of(Respondent(), judge("+79161234567", None), "UTC")
    assert place.country == "RU"
    assert "Europe/Moscow" in place.zones
    assert {country_of_zone(zone) for zone in place.zones} == {"RU"}


@pytest.mark.parametrize(
    "zone",
    ["UTC", "GMT", "Zulu", "GMT0", "Greenwich", "UCT", "Universal", "Etc/UTC", "Etc/GMT+5", "localtime", "Factory"],
)
def test_a_zone_that_is_no_place_gives_way_to_the_numbers(zone: str) -> None:
    customer = Respondent(time_zone=zone, country="US")
    assert place_of(customer, judge("+14155550123", None), "UTC") == Place(
        ("America/Los_Angeles",), "US", regions=("CA",)
    )


def test_an_hour_in_utc_does_not_ring_at_night_in_san_francisco() -> None:
    place = place_of(Respondent(time_zone="UTC", country="US"), judge("+14155550123", None), "UTC")
    assert may_call(utc("2026-06-01T09:05"), place, POLICY) is None


@pytest.mark.parametrize("zone", ["EST", "MST", "HST"])
def test_a_zone_without_summer_time_is_not_believed_in_a_country_that_has_it(zone: str) -> None:
    customer = Respondent(time_zone=zone, country="US")
    assert place_of(customer, judge("+12125550123", None), "UTC") == Place(("America/New_York",), "US", regions=("NY",))
    assert place_of(Respondent(time_zone=zone), judge("+12125550123", None), "UTC").zones == ("America/New_York",)
    assert place_of(Respondent(time_zone=zone, country="JM"), NO_NUMBER, "UTC").zones == (zone,)


def test_a_posix_name_with_summer_time_is_a_place() -> None:
    assert place_of(Respondent(time_zone="EST5EDT", country="US"), NO_NUMBER, "UTC").zones == ("EST5EDT",)


def test_without_zone_and_number_the_whole_country_must_be_open() -> None:
    assert place_of(Respondent(country="DE"), NO_NUMBER, "UTC") == Place(("Europe/Berlin",), "DE")
    brazil = place_of(Respondent(country="BR"), BAD_NUMBER, "UTC")
    assert brazil.zones == ("America/Noronha", "America/Sao_Paulo", "America/Manaus", "America/Rio_Branco")
    assert not brazil.guessed


def test_a_mobile_whose_zone_nobody_knows_has_those_of_its_country() -> None:
    place = place_of(Respondent(), judge("+56961234567", None), "Europe/Berlin")
    assert place.country == "CL"
    assert "America/Santiago" in place.zones


@pytest.mark.parametrize("number", [NO_NUMBER, BAD_NUMBER, Number("ok")])
@pytest.mark.parametrize("zone", [None, "", "Mars/Olympus", "localtime", "Etc/Unknown", "../../etc/passwd"])
def test_a_customer_of_whom_no_zone_is_known_has_the_queues_by_guess(number: Number, zone: str | None) -> None:
    place = place_of(Respondent(time_zone=zone), number, "Europe/Berlin")
    assert place == Place(("Europe/Berlin",), None, guessed=True)


# The next window


def test_an_open_window_says_how_long_it_stays_open() -> None:
    assert opening("2026-06-01T11:10", LONDON) == (
        utc("2026-06-01T08:00"),
        utc("2026-06-01T19:00"),
        "12:10 in London, open until 20:00",
    )


def test_before_the_window_the_hour_is_named() -> None:
    assert opening("2026-06-01T23:40", Place(("Australia/Perth",)))[2] == "07:40 in Perth, opens 09:00"


def test_after_the_window_the_day_is_named() -> None:
    assert opening("2026-06-01T20:10", LONDON)[2] == "21:10 in London, opens Tuesday 09:00"


def test_on_a_day_without_calls_the_day_is_named_instead_of_the_hour() -> None:
    policy = calling("{days: [mon, tue, wed, thu, fri]}")
    assert opening("2026-06-07T10:00", Place(("Europe/Berlin",)), policy)[2] == "Sunday in Berlin, opens Monday 09:00"


def test_a_window_a_week_away_is_named_by_its_date() -> None:
    policy = calling("{days: [mon]}")
    reason = opening("2026-06-01T20:10", Place(("America/Argentina/Buenos_Aires",)), policy)[2]
    assert reason == "17:10 in Buenos Aires, open until 20:00"
    reason = opening("2026-06-01T23:10", Place(("America/Argentina/Buenos_Aires",)), policy)[2]
    assert reason == "20:10 in Buenos Aires, opens 8 June 09:00"


def test_several_zones_must_all_be_open_and_the_deciding_one_is_named() -> None:
    opens, closes, reason = opening("2026-06-01T14:00", COASTS)
    assert (opens, closes) == (utc("2026-06-01T16:00"), utc("2026-06-02T00:00"))
    assert reason == "07:00 in Los Angeles, opens 09:00"
    assert opening("2026-06-01T17:00", COASTS)[2] == "13:00 in New York, open until 20:00"
    assert opening("2026-06-02T00:30", COASTS)[2] == "20:30 in New York, opens Tuesday 09:00 in Los Angeles"


def test_a_country_has_its_own_hours_days_and_holidays() -> None:
    policy = calling("{countries: {DE: {window: 10:00-12:00, days: [mon, fri], holidays: true}}}")
    berlin = Place(("Europe/Berlin",), "DE")
    assert opening("2026-06-02T10:00", berlin, policy)[:2] == (
        utc("2026-06-05T08:00"),
        utc("2026-06-05T10:00"),
    )
    # Friday 25 December 2026 is a holiday
    assert opening("2026-12-22T10:00", berlin, policy)[0] == utc("2026-12-28T09:00")
    assert opening("2026-06-02T10:00", Place(("Europe/Berlin",)), policy)[0] == utc("2026-06-02T07:00")


def test_holidays_are_kept_only_when_the_policy_says_so() -> None:
    at = utc("2026-12-25T12:00")
    assert may_call(at, LONDON, POLICY) is not None
    assert may_call(at, LONDON, calling("{holidays: true}")) is None


@pytest.mark.parametrize(
    ("phone", "day", "what"),
    [
        ("+442079460967", "2026-04-06", "Easter Monday in England"),
        ("+442079460967", "2026-08-31", "the August bank holiday in England"),
        ("+447400123456", "2026-04-06", "Easter Monday, on a mobile that may be in England"),
        ("+493023125000", "2026-03-08", "Women's Day in Berlin"),
        ("+498912345678", "2026-01-06", "Epiphany in Munich"),
        ("+14165550123", "2026-02-16", "Family Day in Ontario"),
        ("+61298765432", "2026-06-08", "the King's Birthday in New South Wales"),
        ("+551132345678", "2026-07-09", "the Constitutionalist Revolution in São Paulo"),
    ],
)
def test_a_holiday_of_the_customers_region_is_kept(phone: str, day: str, what: str) -> None:
    place = place_of(Respondent(), judge(phone, None), "UTC")
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(place.zones[0]))
    assert may_call(noon, place, KEEPS_HOLIDAYS) is None, what
    assert may_call(noon, place, POLICY) is not None
    national = may_call(noon, place, calling("{holidays: national}"))
    assert national is not None, what


@pytest.mark.parametrize(
    ("phone", "day", "what"),
    [
        ("+441314960123", "2026-04-06", "Easter Monday is none in Scotland"),
        ("+493023125000", "2026-01-06", "Epiphany is none in Berlin"),
        ("+498912345678", "2026-03-08", "Women's Day is none in Munich"),
        ("+15145550123", "2026-02-16", "Family Day is none in Quebec"),
        ("+61398765432", "2026-03-02", "Labour Day of Western Australia is none in Victoria"),
    ],
)
def test_a_holiday_of_another_region_is_not(phone: str, day: str, what: str) -> None:
    place = place_of(Respondent(), judge(phone, None), "UTC")
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(place.zones[0]))
    assert may_call(noon, place, KEEPS_HOLIDAYS) is not None, what


def test_the_customers_own_zone_names_the_region_too() -> None:
    labour_day = utc("2026-03-02T04:00")  # noon in Perth: Western Australia keeps it
    place = place_of(Respondent(time_zone="Australia/Perth", country="AU"), NO_NUMBER, "UTC")
    assert may_call(labour_day, place, KEEPS_HOLIDAYS) is None
    sydney = place_of(Respondent(time_zone="Australia/Sydney", country="AU"), NO_NUMBER, "UTC")
    assert may_call(utc("2026-03-02T01:00"), sydney, KEEPS_HOLIDAYS) is not None


def test_nobody_is_offered_before_the_moment_that_was_set() -> None:
    window = next_window(utc("2026-06-01T11:10"), LONDON, POLICY, not_before=utc("2026-06-01T13:10"))
    assert window is not None
    assert window.opens == utc("2026-06-01T13:10")
    assert window.reason == "12:10 in London, again from 14:10"
    later = next_window(utc("2026-06-01T11:10"), LONDON, POLICY, not_before=utc("2026-06-02T01:00"))
    assert later is not None
    assert later.opens == utc("2026-06-02T08:00")


def test_less_than_a_minute_is_not_offered_but_may_be_used() -> None:
    at = utc("2026-06-01T18:59:30")
    window = next_window(at, LONDON, POLICY)
    assert window is not None
    assert window.opens == utc("2026-06-02T08:00")
    assert may_call(at, LONDON, POLICY) is not None


def test_the_end_of_a_window_is_outside_it() -> None:
    assert may_call(utc("2026-06-01T18:59:59"), LONDON, POLICY) is not None
    assert may_call(utc("2026-06-01T19:00"), LONDON, POLICY) is None
    assert may_call(utc("2026-06-01T08:00"), LONDON, POLICY) is not None
    assert may_call(utc("2026-06-01T07:59:59"), LONDON, POLICY) is None


def test_a_policy_that_allows_no_day_has_no_window() -> None:
    policy = calling("{countries: {GB: {days: []}}}")
    assert next_window(utc("2026-06-01T11:10"), LONDON, policy) is None
    assert shared_hours(LONDON, policy, utc("2026-06-01T11:10")) == 0


def test_a_toll_free_number_shares_no_hour_and_the_search_ends() -> None:
    place = place_of(Respondent(), judge("+18005551234", None), "UTC")
    assert shared_hours(place, POLICY, utc("2026-06-01T00:00")) < 2
    assert next_window(utc("2026-06-01T00:00"), Place(("Pacific/Guam", "America/St_Johns")), POLICY) is not None
    assert next_window(utc("2026-06-01T00:00"), Place(("Asia/Tokyo", "America/Sao_Paulo")), POLICY) is None


def test_a_lead_must_say_the_zone_when_hardly_any_hour_is_shared() -> None:
    at = utc("2026-06-01T00:00")
    russian = place_of(Respondent(), judge("+79161234567", None), "UTC")
    assert 0 < shared_hours(russian, POLICY, at) < 77 / 4
    assert needs_zone(russian, POLICY, at)
    assert needs_zone(place_of(Respondent(), judge("+18005551234", None), "UTC"), POLICY, at)
    assert not needs_zone(COASTS, POLICY, at)
    assert not needs_zone(LONDON, calling("{window: 10:00-10:01}"), at)


# Times of day that failed


def test_a_time_of_day_that_failed_is_not_tried_again_on_a_later_day() -> None:
    failed = [utc("2026-06-01T09:00")]  # 10:00 in London: nothing before 12:00
    window = next_window(utc("2026-06-02T05:00"), LONDON, POLICY, avoid=failed)
    assert window is not None
    assert (window.opens, window.closes) == (utc("2026-06-02T11:00"), utc("2026-06-02T19:00"))
    assert window.reason == "06:00 in London, opens 12:00"


def test_it_is_the_customers_time_of_day_that_counts_when_the_clocks_change() -> None:
    failed = [utc("2026-10-24T09:00")]  # 10:00 in London, summer time; two days later 12:00 is 12:00 UTC
    window = next_window(utc("2026-10-26T05:00"), LONDON, POLICY, avoid=failed)
    assert window is not None
    assert window.opens == utc("2026-10-26T12:00")


def test_what_lies_between_two_failed_times_is_used() -> None:
    failed = [utc("2026-06-01T09:00"), utc("2026-06-02T16:00")]  # 10:00 and 17:00 in London
    window = next_window(utc("2026-06-03T05:00"), LONDON, POLICY, avoid=failed)
    assert window is not None
    assert (window.opens, window.closes) == (utc("2026-06-03T11:00"), utc("2026-06-03T14:00"))


def test_the_evening_after_a_failed_evening_waits_for_the_next_morning() -> None:
    at = utc("2026-06-01T17:30")
    window = next_window(at, LONDON, POLICY, avoid=[at])
    assert window is not None
    assert (window.opens, window.closes) == (utc("2026-06-02T08:00"), utc("2026-06-02T15:30"))


def test_nobody_starves_because_every_hour_was_tried() -> None:
    policy = calling("{window: 10:00-12:00}")
    at = utc("2026-06-01T10:00")
    window = next_window(utc("2026-06-01T12:00"), LONDON, policy, avoid=[at])
    assert window is not None
    assert window.opens == utc("2026-06-02T09:00")
    assert window.reason == "13:00 in London, opens Tuesday 10:00; no hour is left that was not tried"


def test_a_margin_of_nothing_avoids_nothing() -> None:
    policy = read_policy("attempts: {avoid_minutes: 0}", file="policy.yaml")
    at = utc("2026-06-01T10:00")
    window = next_window(at, LONDON, policy, avoid=[at])
    assert window is not None
    assert (window.opens, window.closes) == (utc("2026-06-01T08:00"), utc("2026-06-01T19:00"))


# The callable clock


def test_the_callable_clock_runs_only_while_the_customer_may_be_phoned() -> None:
    start, end = utc("2026-06-01T18:00"), utc("2026-06-02T09:00")
    assert callable_seconds(start, end, LONDON, POLICY) == 2 * 3600
    assert callable_seconds(end, start, LONDON, POLICY) == 0


def test_shared_hours_of_one_zone_are_its_hours_of_a_week() -> None:
    assert shared_hours(LONDON, POLICY, utc("2026-06-01T00:00")) == 7 * 11
    assert shared_hours(COASTS, POLICY, utc("2026-06-01T00:00")) == 7 * 8


@pytest.mark.parametrize("year", [1, 1900, 1970, 2025, 9999])
def test_no_span_of_years_is_walked_through(year: int) -> None:
    then, now = datetime(year, 1, 1, tzinfo=UTC), utc("2026-06-01T12:00")
    began = process_time()
    for place in (LONDON, COASTS):
        callable_seconds(min(then, now), max(then, now), place, POLICY)
        next_window(then, place, POLICY, avoid=[datetime.max.replace(tzinfo=UTC), now])
        may_call(then, place, POLICY)
        shared_hours(place, POLICY, then)
    assert process_time() - began < 0.5


def test_the_callable_clock_of_many_years_is_the_usual_week_of_them() -> None:
    start, end = utc("1970-06-01T12:00"), utc("2026-06-01T12:00")
    assert callable_seconds(start, end, LONDON, POLICY) == (end - start).days * 11 * 3600


@settings(max_examples=30 * EFFORT, deadline=None)
@given(st.sampled_from(ZONES), st.sampled_from(ZONES), st.timedeltas(timedelta(), timedelta(days=399)), st.booleans())
def test_what_is_reckoned_is_what_the_windows_add_up_to(one: str, two: str, span: timedelta, holidays: bool) -> None:
    policy = KEEPS_HOLIDAYS if holidays else POLICY
    place, start = Place((one, two), "DE"), utc("2025-02-01T06:00")
    looked_at, at = 0.0, start
    while (window := next_window(at, place, policy)) and window.opens < start + span:
        opens, closes = max(window.opens, start), min(window.closes, start + span)
        looked_at += (closes - opens).total_seconds()
        at = window.closes
    assert callable_seconds(start, start + span, place, policy) == pytest.approx(looked_at, abs=120)


# In every zone


moments = st.timedeltas(timedelta(), timedelta(days=1096)).map(lambda since: utc("2025-01-01T00:00") + since)
places = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(
    lambda zones: Place(tuple(zones), None)
)


def allowed(at: datetime, place: Place, start: int = 9, end: int = 20) -> bool:
    """What the rule says, asked of each clock on the wall."""
    return all(start <= at.astimezone(ZoneInfo(zone)).hour < end for zone in place.zones)


def changes(zone: str) -> list[datetime]:
    """The beginning, in UTC, of every day in three years within which the clock changes its offset."""
    days = [utc("2025-01-01T00:00") + timedelta(days=day) for day in range(3 * 365)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    return [day for day, now, then in zip(days, offsets, offsets[1:], strict=False) if now != then]


@settings(max_examples=100 * EFFORT, deadline=None)
@given(places, moments)
def test_a_window_is_allowed_in_every_zone_at_every_moment_of_it(place: Place, at: datetime) -> None:
    window = next_window(at, place, POLICY)
    if window is None:
        assert shared_hours(place, POLICY, at) == 0
        return
    assert window.opens < window.closes
    assert window.closes > at
    moment = window.opens
    while moment < window.closes:
        assert allowed(moment, place), (moment, place)
        moment += timedelta(minutes=7)
    assert allowed(window.closes - timedelta(microseconds=1), place)
    assert not allowed(window.closes, place)
    assert not allowed(window.opens - timedelta(microseconds=1), place)


@settings(max_examples=100 * EFFORT, deadline=None)
@given(places, moments, st.timedeltas(timedelta(), timedelta(days=3)))
def test_a_later_question_never_has_an_earlier_answer(place: Place, at: datetime, later: timedelta) -> None:
    first, second = next_window(at, place, POLICY), next_window(at + later, place, POLICY)
    assert (first is None) == (second is None)
    if first and second:
        assert (first.opens, first.closes) <= (second.opens, second.closes)


@settings(max_examples=100 * EFFORT, deadline=None)
@given(places, moments)
def test_a_call_may_be_made_exactly_when_every_clock_says_so(place: Place, at: datetime) -> None:
    assert (may_call(at, place, POLICY) is not None) == allowed(at, place)


@settings(max_examples=60 * EFFORT, deadline=None)
@given(st.sampled_from(ZONES), moments, st.lists(st.timedeltas(timedelta(days=-3), timedelta()), max_size=3))
def test_a_failed_time_of_day_is_kept_away_from_or_the_reason_says_so(
    zone: str, at: datetime, ago: list[timedelta]
) -> None:
    failed = [at + each for each in ago]
    window = next_window(at, Place((zone,)), POLICY, avoid=failed)
    assert window is not None
    if "not tried" in window.reason:
        return
    for tried in failed:
        moment = window.opens
        while moment < window.closes:
            there, then = moment.astimezone(ZoneInfo(zone)), tried.astimezone(ZoneInfo(zone))
            apart = abs((there.hour * 60 + there.minute) - (then.hour * 60 + then.minute))
            assert min(apart, 1440 - apart) >= 119
            moment += timedelta(minutes=13)


@pytest.mark.parametrize("first", range(6))
def test_no_change_of_clocks_in_three_years_opens_a_window_at_a_forbidden_hour(first: int) -> None:
    for zone in ZONES[first :: max(6, 60 // EFFORT)]:
        place = Place((zone,))
        for before in changes(zone):
            for minutes in range(0, 48 * 60, 97):
                at = before + timedelta(minutes=minutes)
                assert (may_call(at, place, POLICY) is not None) == allowed(at, place), (zone, at)
