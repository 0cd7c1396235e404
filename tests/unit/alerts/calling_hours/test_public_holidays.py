"""Holidays of countries and of their parts."""

from __future__ import annotations

from datetime import date

import holidays
import phonenumbers
import pytest

from alerts.calling_hours.public_holidays import holidays_in, is_known, regional_holidays
from alerts.phones.regions import regions_of_number

EASTER_MONDAY = date(2026, 4, 6)


def test_a_country_alone_has_what_all_of_it_keeps() -> None:
    assert EASTER_MONDAY not in holidays_in("GB", 2026)
    assert date(2026, 12, 25) in holidays_in("GB", 2026)


def test_a_part_of_a_country_has_its_own_too() -> None:
    assert EASTER_MONDAY in holidays_in("GB-ENG", 2026)
    assert EASTER_MONDAY not in holidays_in("GB-SCT", 2026)


def test_where_nobody_knows_the_region_any_regions_day_counts() -> None:
    assert EASTER_MONDAY in regional_holidays("GB", (), 2026)
    assert regional_holidays("GB", (), 2026) > regional_holidays("GB", ("SCT",), 2026) > holidays_in("GB", 2026)


def test_a_region_of_which_nothing_is_known_has_the_countrys() -> None:
    assert regional_holidays("FR", ("IDF",), 2026) == holidays_in("FR", 2026)


def test_a_holiday_kept_in_the_year_before_is_known() -> None:
    # New Year's Day 2022 was a Saturday, and was kept on Friday 31 December 2021
    assert date(2021, 12, 31) in holidays_in("US", 2021)


@pytest.mark.parametrize("place", ["XX", "date", ""])
def test_a_country_of_which_no_holidays_are_known_has_none(place: str) -> None:
    assert holidays_in(place, 2026) == frozenset()
    assert regional_holidays(place, (), 2026) == frozenset()


def test_what_may_be_written_in_a_policy_is_known() -> None:
    assert is_known("GB")
    assert is_known("GB-ENG")
    assert not is_known("GB-XXX")
    assert not is_known("GB-")
    assert not is_known("XX")


def test_every_part_that_an_area_code_names_has_holidays_of_its_own() -> None:
    parts = holidays.list_supported_countries(include_aliases=False)
    named = {
        (country, part)
        for country in ("US", "CA", "GB", "DE", "AU", "AT", "CH", "ES", "IT", "PT", "BR", "NZ", "IN")
        for code in range(10, 100_000)
        for part in regions_of_number(f"+{phonenumbers.country_code_for_region(country)}{code}", country)
    }
    assert len(named) > 150
    assert all(part in parts[country] for country, part in named)
