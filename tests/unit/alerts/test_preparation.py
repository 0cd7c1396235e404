"""What the first customer of each country needs is loaded before anybody asks for it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

from alerts.calling_hours import geography, public_holidays
from alerts.calling_hours.window import needs_zone, next_window, place_of
from alerts.phones.phone import judge
from alerts.policy import read_policy
from alerts.preparation import prepare
from alerts.survey import Respondent
from alerts.wording import country

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
KEEPS_HOLIDAYS = read_policy("calling: {holidays: true}", file="policy.yaml")
KEPT = (geography._clock, public_holidays._holidays, country._names)


def test_once_prepared_no_customer_of_any_country_has_to_wait_for_a_calendar() -> None:
    for kept in KEPT:
        kept.cache_clear()
    prepare(KEEPS_HOLIDAYS, (2025, 2026, 2027))
    loaded = [kept.cache_info().misses for kept in KEPT]
    assert not any(PhoneMetadata._region_available.values())  # what is there is still to be loaded
    for region in filter(public_holidays.is_known, phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number(region)
        assert example is not None
        number = judge(phonenumbers.format_number(example, PhoneNumberFormat.E164), region)
        place = place_of(Respondent(country=region), number, "Europe/London")
        next_window(AT, place, KEEPS_HOLIDAYS)
        needs_zone(place, KEEPS_HOLIDAYS, AT)
        country.country_code(f"of {region}")
    for zone in geography.known_places():
        geography.one_per_clock((zone,))
    assert [kept.cache_info().misses for kept in KEPT] == loaded


def test_a_policy_that_keeps_no_holidays_waits_for_none() -> None:
    public_holidays._holidays.cache_clear()
    prepare(read_policy("calling: {holidays: false}", file="policy.yaml"), (2026,))
    assert public_holidays._holidays.cache_info().currsize == 0


def test_names_of_countries_do_not_bring_the_librarys_geography_into_memory() -> None:
    """Its package takes 100 MB in every process (docs/decisions/0028)."""
    country._names.cache_clear()
    assert country.country_code("Deutschland") == "DE"
    assert "phonenumbers.geodata" not in sys.modules
