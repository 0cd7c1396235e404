"""What the locked zone data knows, and that nothing else is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import zoneinfo
from importlib import metadata
from pathlib import Path

import pytest

from alerts.calling_hours.geography import (
    country_of_zone,
    has_summer_time,
    known_places,
    one_per_clock,
    zone_data_version,
    zones_of_country,
)

ROOT = Path(__file__).parents[4]


def test_the_systems_own_zone_data_is_never_asked(tmp_path: Path) -> None:
    # A system whose London is in Tokyo; nothing of it may be seen
    script = (
        "import shutil, sys; from importlib import resources; from pathlib import Path;"
        "there = Path(sys.argv[1], 'Europe'); there.mkdir();"
        "source = resources.files('tzdata.zoneinfo').joinpath('Asia', 'Tokyo');"
        "Path(there, 'London').write_bytes(source.read_bytes());"
        "from zoneinfo import ZoneInfo; ZoneInfo('Europe/London');"
        "import alerts; from datetime import datetime, UTC;"
        "print(datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo('Europe/London')).hour)"
    )
    env = {**os.environ, "PYTHONTZPATH": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "0"
    assert zoneinfo.TZPATH == ()


def test_the_zone_data_says_its_release() -> None:
    year, month = metadata.version("tzdata").split(".")
    assert zone_data_version() == f"{year}{chr(ord('a') + int(month) - 1)}"


def test_the_country_of_a_zone_is_known_under_its_older_names_too() -> None:
    assert country_of_zone("Europe/Oslo") == "NO"
    assert country_of_zone("Asia/Calcutta") == "IN"
    assert country_of_zone("US/Eastern") == "US"
    assert country_of_zone("UTC") is None
    assert "America/Santiago" in zones_of_country("CL")


@pytest.mark.parametrize("zone", ["UTC", "GMT", "Zulu", "Etc/GMT-3", "Factory", "localtime", "posix/Europe/London"])
def test_what_is_no_place_is_not_among_the_places(zone: str) -> None:
    assert zone not in known_places()


@pytest.mark.parametrize("zone", ["Europe/London", "US/Pacific", "Iceland", "EST5EDT", "Asia/Calcutta"])
def test_older_names_of_places_are_places(zone: str) -> None:
    assert zone in known_places()


def test_a_country_has_summer_time_when_any_part_of_it_has() -> None:
    assert has_summer_time("US")
    assert has_summer_time("AU")
    assert not has_summer_time("JP")
    assert not has_summer_time("JM")


def test_zones_that_agree_from_now_on_are_one_and_the_best_known_stands_for_it() -> None:
    assert one_per_clock(("Europe/Jersey", "Europe/London")) == ("Europe/London",)
    assert one_per_clock(("America/Indiana/Marengo", "America/New_York")) == ("America/New_York",)
    assert one_per_clock(zones_of_country("CN")) == ("Asia/Shanghai", "Asia/Urumqi")
    assert len(one_per_clock(zones_of_country("US"))) == 8
    assert one_per_clock(()) == ()
