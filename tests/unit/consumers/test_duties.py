"""What runs without being asked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.calling_hours import public_holidays
from alerts.policy import read_policy, shipped_policy
from consumers.duties import holidays_duty


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("calling: {holidays: true}", True),
        ("calling: {holidays: national}", True),
        ("calling: {countries: {DE: {holidays: true}}}", True),
        ("calling: {countries: {DE: {holidays: false}}}", False),
        ("calendars: {uk: {zone: Europe/London, weekly: {mon: ['09:00-17:00']}, holiday_countries: [GB-ENG]}}", True),
    ],
)
def test_holidays_are_got_ready_where_a_policy_keeps_any(text: str, kept: bool) -> None:
    assert bool(holidays_duty(read_policy(text, file="policy.yaml"))) is kept


async def test_no_claim_has_to_reckon_a_holiday_that_was_got_ready() -> None:
    (duty,) = holidays_duty(read_policy("calling: {holidays: true}", file="policy.yaml"))
    while await duty.step():
        pass
    reckoned = public_holidays._holidays.cache_info().misses
    for year in range(-2, 2):
        for country in ("US", "DE", "GB", "JP", "BR"):
            public_holidays.regional_holidays(country, (), datetime.now(UTC).year + year)
    assert public_holidays._holidays.cache_info().misses == reckoned


def test_the_shipped_policy_keeps_none() -> None:
    assert holidays_duty(shipped_policy()) == []
