"""One judgement of what is a time zone, whatever machine this runs on."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from alerts.calling_hours.zones import is_zone, known_zones


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
