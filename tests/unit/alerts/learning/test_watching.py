"""A closed hour is looked at in every scope; what chance explains raises nothing."""

from __future__ import annotations

import math

import pytest

from alerts.insights.budget import budget
from alerts.insights.share import Count
from alerts.insights.silence import Silence
from alerts.insights.spike import Spike
from alerts.learning.watching import WEEK, WEEKS, SignalKind, WatchedScope, look, silence_of
from alerts.policy import SignalRules
from tests.parts.effort import times
from tests.unit.alerts.insights.simulated import say
from tests.unit.alerts.insights.year import Rate, busy, steady, weekly, year

SHOP, DESK = WatchedScope("source", "shop"), WatchedScope("queue", "desk")
RULES = SignalRules()
NOW = 20 * WEEK + 30
USUAL = {hour: Count(8, 40) for hour in range(NOW + 1)}
LIVE = {**USUAL, NOW: Count(24, 40)}


def test_a_bad_hour_is_raised_in_its_own_scope_with_the_shared_budget() -> None:
    (found,) = look({SHOP: USUAL, DESK: LIVE}, NOW, RULES)
    assert (found.kind, found.scope, found.since) == (SignalKind.SPIKE, DESK, NOW)
    assert isinstance(found.found, Spike)
    assert found.found.budget == budget(1.0, scopes=3)  # two for spikes, one for the silence of the source
    assert (found.found.observed.count, found.found.observed.of, found.found.hours) == (24, 40, WEEKS)


def test_a_scope_that_the_policy_does_not_watch_is_left_alone() -> None:
    assert look({SHOP: USUAL, DESK: LIVE}, NOW, SignalRules(watch=("source",))) == []
    assert look({SHOP: LIVE}, NOW, SignalRules(watch=("queue",))) == []


def test_with_no_alarm_agreed_nothing_is_looked_at() -> None:
    assert look({SHOP: LIVE}, NOW, SignalRules(alarms_a_month=0.0)) == []


def test_more_scopes_make_every_look_stricter() -> None:
    def is_raised(bad: int, scopes: int) -> bool:
        counts = {WatchedScope("queue", str(number)): USUAL for number in range(scopes - 1)}
        return bool(look({**counts, DESK: {**USUAL, NOW: Count(bad, 40)}}, NOW, RULES))

    least = [next(bad for bad in range(41) if is_raised(bad, scopes)) for scopes in (1, 100)]
    assert least[0] < least[1]


def test_a_source_that_stops_in_its_usual_hours_is_silent_since_its_last_hour() -> None:
    stopped = {hour: count for hour, count in USUAL.items() if hour < NOW - 2}
    (found,) = look({SHOP: stopped, DESK: USUAL}, NOW, RULES)
    assert (found.kind, found.scope, found.since) == (SignalKind.SILENCE, SHOP, NOW - 2)
    assert isinstance(found.found, Silence)
    assert (found.found.observed, found.found.expected, found.found.weeks) == (0, 120, WEEKS)


def test_a_night_is_no_silence() -> None:
    by_day = {hour: count for hour, count in USUAL.items() if 8 <= hour % 24 < 20}
    night = NOW - NOW % 24 + 5
    assert look({SHOP: {hour: count for hour, count in by_day.items() if hour <= night}}, night, RULES) == []


def test_only_weeks_in_which_it_was_there_count_as_usual() -> None:
    begun = {hour: Count(0, 40) for hour in range(NOW - 9 * WEEK, NOW - 3)}
    found = silence_of(begun, NOW - 3, NOW, budget(1.0))
    assert found is not None
    assert (found.weeks, found.sigma_z) == (8, 1)
    assert (
        silence_of({hour: count for hour, count in begun.items() if hour > NOW - 7 * WEEK}, NOW - 3, NOW, budget(1))
        is None
    )


def test_what_is_silent_for_a_week_has_no_usual_hours() -> None:
    assert silence_of(USUAL, NOW + 1, NOW + WEEK, budget(1.0)) is not None
    assert silence_of(USUAL, NOW + 1, NOW + WEEK + 1, budget(1.0)) is None


@pytest.mark.parametrize("rate", [steady(0.2), weekly], ids=["steady", "by the hour of the week"])
def test_whole_looks_at_stable_weeks_keep_the_agreed_rate(rate: Rate) -> None:
    """Spikes and silences together: as the worker looks, with the unrest reckoned anew each hour."""
    runs, weeks = times(10), 6
    alarms = 0
    for seed in range(runs):
        made = year(seed, rate, busy)
        hours = {
            number: count
            for number, count in enumerate(count for week in made[: WEEKS + weeks] for count in week)
            if count.of
        }
        for number in range(WEEKS * WEEK, (WEEKS + weeks) * WEEK):
            alarms += len(look({SHOP: {h: c for h, c in hours.items() if h <= number}}, number, RULES))
    months = runs * weeks * WEEK / 730.5
    say("alarms a month", alarms / months)
    assert alarms / months <= 1 + 3 / math.sqrt(months)
