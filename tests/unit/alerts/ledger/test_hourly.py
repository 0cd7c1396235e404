"""Hours are those of a wall clock, and each is looked at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.ledger.learning.hourly import HOUR, hour_began, hour_number, next_hour

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KATHMANDU = "Asia/Kathmandu"  # 5:45 ahead


def test_an_hour_begins_at_the_full_hour_there() -> None:
    assert hour_began(NOON + timedelta(minutes=20), "UTC") == NOON
    assert hour_began(NOON + timedelta(minutes=20), KATHMANDU) == NOON + timedelta(minutes=15)
    assert hour_number(NOON, KATHMANDU) - hour_number(NOON, "UTC") == 5


@pytest.mark.parametrize(
    ("last", "newest", "until"),
    [
        (None, NOON, NOON),
        (NOON, NOON, None),
        (NOON - HOUR, NOON, NOON),
        (NOON - 5 * HOUR, NOON, NOON - 4 * HOUR),
        (NOON - 24 * HOUR, NOON, NOON - 23 * HOUR),
        (NOON - 25 * HOUR, NOON, NOON),
    ],
)
def test_the_next_hour_is_the_one_after_the_last_up_to_a_day_back(
    last: datetime | None, newest: datetime, until: datetime | None
) -> None:
    assert next_hour(last, newest, "UTC") == until


def test_a_policy_with_another_zone_looks_at_no_hour_that_is_not_over() -> None:
    newest = hour_began(NOON + timedelta(minutes=20), KATHMANDU)
    assert next_hour(NOON, newest, KATHMANDU) == NOON + timedelta(minutes=15)
    assert next_hour(newest, newest, KATHMANDU) is None
    assert next_hour(newest, NOON + HOUR, "UTC") == NOON + HOUR


def test_the_hour_that_comes_twice_in_autumn_counts_as_one() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 01:30 in London, and an hour later again
    assert hour_number(first, "Europe/London") == hour_number(first + HOUR, "Europe/London")
