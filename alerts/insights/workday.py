"""How long today's work goes on, and how fast it went in the last hours, by the opening hours of a queue."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.calling_hours.hours import Hours
from alerts.insights.buckets import Grain, buckets
from alerts.insights.forecast import Pace

LAST_HOURS = timedelta(hours=4)
LEAST_HOURS = 1 / 6
"""A pace of the first minutes of a day would be no pace."""

AHEAD = timedelta(days=8)


def end_of_calling_day(hours: Hours, now: datetime) -> datetime:
    """When the last slot of today ends, or of the next day with one that is not over; eight days from now if none is."""
    for day in buckets(now, now + AHEAD, Grain.DAY, hours.zone):
        slots = list(hours.open_between(max(now, day.start), day.end))
        if slots:
            return slots[-1][1]
    return now + AHEAD


def pace_of(handled: int, hours: Hours, now: datetime) -> Pace:
    """So many in the open part of the last hours."""
    return Pace(handled, max(LEAST_HOURS, hours.open_seconds(now - LAST_HOURS, now) / 3600))
