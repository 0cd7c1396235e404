"""The law of the house, in every time zone and on every day on which clocks change: nobody is called at night.

No claim succeeds and no attempt is recorded without a mark outside the hours in which the customer may be phoned, whatever
the clock there did; and within them both succeed, or the customer would wait for nothing.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from alerts.callback import Callback
from alerts.calling_hours.window import Place
from alerts.errors import OutsideCallingWindow
from alerts.result import Result
from alerts.transitions import NewAttempt, attempt, claim, wake
from tests.parts.effort import EFFORT, FULL
from tests.unit.alerts.transitions.builders import POLICY, opened, token

YEARS = (2026, 2027, 2028)
ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
SAMPLE = ZONES if EFFORT >= FULL else ZONES[7::40]
EVERY = 110  # minutes
OPENS, CLOSES = 9 * 60, 20 * 60


@cache
def days_to_try(zone: str) -> tuple[date, ...]:
    """The days on which the clock there changes, those around them, and a few plain ones."""
    here = zoneinfo.ZoneInfo(zone)
    found = {date(year, month, 29 if month == 2 and year == 2028 else 28) for year in YEARS for month in (2, 12)}
    for number in range((date(YEARS[-1], 12, 31) - date(YEARS[0], 1, 1)).days):
        day = date(YEARS[0], 1, 1) + timedelta(days=number)
        midnight, next_one = (
            datetime(each.year, each.month, each.day, tzinfo=here) for each in (day, day + timedelta(1))
        )
        if midnight.utcoffset() != next_one.utcoffset():
            found |= {day - timedelta(1), day, day + timedelta(1)}
    return tuple(sorted(found))


def moments(zone: str) -> Iterator[datetime]:
    """Through those days, and the minutes before and after nine and eight."""
    here = zoneinfo.ZoneInfo(zone)
    for day in days_to_try(zone):
        start = datetime(day.year, day.month, day.day, tzinfo=here).astimezone(UTC)
        for minute in (*range(0, 25 * 60, EVERY), OPENS - 1, OPENS, OPENS + 1, CLOSES - 1, CLOSES):
            yield start + timedelta(minutes=minute)


def may_be_called(at: datetime, zone: str) -> bool:
    """By the wall clock there, worked out without the code under test."""
    local = at.astimezone(zoneinfo.ZoneInfo(zone))
    return OPENS <= local.hour * 60 + local.minute < CLOSES


def waiting(at: datetime, zone: str) -> Callback:
    """A callback that was opened an hour before and has been looked at since."""
    callback = opened(at - timedelta(hours=1), where=Place((zone,), None))
    return wake(callback, now=at, policy=POLICY).callback


@pytest.mark.parametrize("zone", SAMPLE)
def test_a_claim_succeeds_exactly_within_the_hours(zone: str) -> None:
    for at in moments(zone):
        callback = waiting(at, zone)
        assert callback.ready == may_be_called(at, zone), at
        if may_be_called(at, zone):
            claim(callback, advisor="ann", token="t", seconds=900, now=at, policy=POLICY)
        else:
            with pytest.raises(OutsideCallingWindow):
                claim(callback, advisor="ann", token="t", seconds=900, now=at, policy=POLICY)


@pytest.mark.parametrize("zone", SAMPLE[::2])
def test_an_attempt_outside_the_hours_is_refused_or_marked(zone: str) -> None:
    for at in moments(zone):
        callback = waiting(at - timedelta(minutes=5), zone)
        if not callback.ready:
            continue
        leased = claim(callback, advisor="ann", token="t", seconds=900, now=at - timedelta(minutes=5), policy=POLICY)
        report = NewAttempt(result=Result.CONNECTED, started_at=at)
        if may_be_called(at, zone):
            moved = attempt(leased.callback, report, token=token(leased.callback), now=at, policy=POLICY)
            assert moved.attempt is not None
            assert not moved.attempt.outside_window
            continue
        with pytest.raises(OutsideCallingWindow):
            attempt(leased.callback, report, token=token(leased.callback), now=at, policy=POLICY)
        lead = NewAttempt(result=Result.CONNECTED, started_at=at, override_reason="they asked for it")
        moved = attempt(leased.callback, lead, token=token(leased.callback), now=at, policy=POLICY)
        assert moved.attempt is not None
        assert moved.attempt.outside_window
