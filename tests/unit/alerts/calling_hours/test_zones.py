"""One judgement of what is a time zone, whatever machine this runs on."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from alerts.calling_hours.zones import is_zone, known_zones, read_zone


@pytest.mark.parametrize("name", ["Europe/London", "Asia/Calcutta", "Asia/Kolkata", "UTC", "Etc/GMT+5", "EST"])
def test_iana_names_old_and_new_are_zones(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name",
    [
        *("localtime", "Factory", "posixrules", "posix/Europe/London", "right/Europe/London", "europe/london"),
        *("Mars/Base", "", " UTC", "../UTC", "+01:00", "tzdata.zi", "Europe"),
    ],
)
def test_what_differs_from_machine_to_machine_or_names_no_place_is_none(name: str) -> None:
    assert not is_zone(name)


def test_every_known_zone_has_a_clock() -> None:
    for name in known_zones():
        ZoneInfo(name)


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("Europe/London", "Europe/London"),
        ("europe/london", "Europe/London"),
        (" AMERICA/New York ", "America/New_York"),
        ("\u200eAsia/Tokyo\u200b", "Asia/Tokyo"),
        ("est5edt", "EST5EDT"),
        ("US/Pacific-New", None),
        ("London", None),
        ("+01:00", None),
        ("\N{KELVIN SIGN}", None),
        ("", None),
    ],
)
def test_a_zone_is_read_however_its_letters_are_written(written: str, zone: str | None) -> None:
    assert read_zone(written) == zone


def test_no_two_zones_differ_in_case_alone() -> None:
    assert len({name.casefold() for name in known_zones()}) == len(known_zones())
