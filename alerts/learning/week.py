"""One week, as the weekly page tells it: from Monday to Sunday, in UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from alerts.errors import Invalid
from alerts.insights.effect import ActionEffect
from alerts.insights.pareto import Bar
from alerts.insights.share import Count, Share, share_of
from alerts.learning.plan import ActionPlan
from alerts.learning.problem import KnownProblem
from alerts.learning.signal import RaisedSignal

DAYS = 7
BEFORE = 4 * DAYS
"""So many days before the week are what is usual."""


class IsoWeek(Struct, frozen=True):
    """`monday` to the Sunday after it."""

    monday: date

    @property
    def name(self) -> str:
        """As ISO 8601 has it: `2026-W47`."""
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02}"

    @property
    def until(self) -> date:
        """The day after the week."""
        return self.monday + timedelta(days=DAYS)

    @property
    def days(self) -> list[date]:
        return [self.monday + timedelta(days=number) for number in range(DAYS)]


def named_week(text: str) -> IsoWeek:
    """Raises Invalid."""
    match = re.fullmatch(r"(\d{4})-W(\d{2})", text)
    try:
        return IsoWeek(date.fromisocalendar(int(match.group(1)), int(match.group(2)), 1)) if match else _no_week()
    except ValueError:
        return _no_week()


def _no_week() -> IsoWeek:
    raise Invalid("a week is written like 2026-W47", "/week")


def last_whole_week(today: date) -> IsoWeek:
    """The one before the week that runs."""
    return IsoWeek(today - timedelta(days=today.weekday() + DAYS))


class WeekOutcome(Struct, frozen=True, kw_only=True):
    """What became of the week's callbacks: opened in it; ended in it, with a conversation (`recovered` of those) or without."""

    opened: int
    resolved: int
    recovered: int
    closed: int


class WeekFigures(Struct, frozen=True, kw_only=True):
    """`days`: the bottom box of each day of the week; `change`: the week beside the four weeks before it."""

    week: IsoWeek
    days: Sequence[Count]
    change: ActionEffect
    ended: WeekOutcome
    causes: Sequence[Bar[tuple[str, ...]]]
    signals: Sequence[RaisedSignal]
    problems: Sequence[KnownProblem]
    plans: Sequence[ActionPlan]
    effects: Sequence[tuple[ActionPlan, ActionEffect]]

    @property
    def recovered(self) -> Share:
        return share_of(self.ended.recovered, self.ended.resolved)
