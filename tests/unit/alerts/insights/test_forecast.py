"""What the rest of the day will bring, if it goes on as in the last hours."""

from __future__ import annotations

import heapq
import statistics
from datetime import UTC, datetime, timedelta
from random import Random

from alerts.insights.forecast import Owed, Pace, again, forecast
from tests.unit.alerts.insights.simulated import say

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
END = NOW + timedelta(hours=5)


def waiting(*minutes: float) -> list[Owed]:
    """Callbacks that are due so many minutes from now, in this order in the queue."""
    earlier = NOW - timedelta(hours=1)
    return [
        Owed(earlier, earlier + timedelta(seconds=place), NOW + timedelta(minutes=due))
        for place, due in enumerate(minutes)
    ]


def test_those_are_missed_whose_turn_comes_after_their_time() -> None:
    found = forecast(waiting(20, 25, 45, 50, 299), Pace(8, 4), NOW, END)
    assert (found.due, found.will_miss) == (5, 4)
    assert found.first_at == NOW + timedelta(minutes=20)
    assert found.pace == Pace(8, 4)


def test_what_is_due_tomorrow_is_not_missed_today_but_takes_its_turn() -> None:
    found = forecast(waiting(2_000, 2_000, 80), Pace(8, 4), NOW, END)
    assert (found.due, found.will_miss, found.first_at) == (1, 1, NOW + timedelta(minutes=80))


def test_what_is_late_already_is_told_apart_and_still_takes_its_turn() -> None:
    found = forecast(waiting(-5, -10, 80), Pace(8, 4), NOW, END)
    assert (found.overdue, found.will_miss) == (2, 1)


def test_at_a_standstill_everything_due_is_missed() -> None:
    found = forecast(waiting(10, 200, 301), Pace(0, 3), NOW, END)
    assert (found.will_miss, found.low, found.high) == (2, 1, 2)
    assert found.first_at == NOW + timedelta(minutes=10)


def test_an_empty_queue_misses_nothing() -> None:
    found = forecast([], Pace(4, 2), NOW, END)
    assert (found.due, found.will_miss, found.low, found.high, found.first_at) == (0, 0, 0, 0, None)


def test_the_fewer_were_handled_the_less_sure_is_the_forecast() -> None:
    due = waiting(*range(10, 290, 5))
    few, many = forecast(due, Pace(4, 1), NOW, END), forecast(due, Pace(400, 100), NOW, END)
    assert few.will_miss == many.will_miss
    assert few.low <= many.low <= many.will_miss <= many.high <= few.high
    assert few.high - few.low > many.high - many.low


def test_who_arrives_later_is_served_by_rank_and_not_before_arriving() -> None:
    later = NOW + timedelta(minutes=40)
    urgent = Owed(later, NOW - timedelta(hours=2), later + timedelta(minutes=30))
    found = forecast([*waiting(50, 80, 110), urgent], Pace(8, 4), NOW, END)
    assert (found.arriving, found.will_miss) == (1, 2)


def test_the_next_hours_bring_what_the_last_ones_brought() -> None:
    hour = timedelta(hours=1)
    recent = [Owed(NOW - hour, NOW - hour, NOW), Owed(NOW - hour / 2, NOW, NOW + hour)]
    coming = again(recent, 2 * hour, END)
    assert [each.arrives - NOW for each in coming] == [hour, 3 * hour, 5 * hour, 1.5 * hour, 3.5 * hour]
    assert all(each.due - each.arrives in (hour, 1.5 * hour) for each in coming)
    assert all(each.rank - each.arrives in (hour * 0, hour / 2) for each in coming)


def recorded_day(seed: int) -> tuple[list[Owed], dict[Owed, datetime]]:
    """A day from nine to eight: who arrived when, and when each was phoned, by advisors who come, go and are slow at times."""
    random = Random(seed)
    opens = NOW.replace(hour=9)
    load = random.uniform(20, 32)
    arrived: list[Owed] = []
    at = opens
    while (at := at + timedelta(hours=random.expovariate(load))) < END:
        minutes = random.choice([60, 240])
        arrived.append(Owed(at, at + timedelta(minutes=minutes / 4), at + timedelta(minutes=minutes)))
    called: dict[Owed, datetime] = {}
    queue: list[tuple[datetime, int]] = []
    at, place = opens, 0
    while (at := at + timedelta(hours=random.expovariate(25 if at.hour != 12 else 15))) < END:
        while place < len(arrived) and arrived[place].arrives <= at:
            heapq.heappush(queue, (arrived[place].rank, place))
            place += 1
        if queue:
            called[arrived[heapq.heappop(queue)[1]]] = at
    return arrived, called


def test_over_thirty_replayed_days_the_forecast_is_near_what_happened() -> None:
    """At three o'clock, for eight: about 130 more will arrive, and what was missed ranges from none to 100."""
    errors, missed, within = [], [], 0
    never = END + timedelta(days=1)
    hours = timedelta(hours=3)
    for seed in range(30):
        arrived, called = recorded_day(seed)
        known = [each for each in arrived if each.arrives <= NOW]
        still = [each for each in known if called.get(each, never) > NOW]
        coming = again([each for each in known if each.arrives > NOW - hours], hours, END)
        handled = sum(NOW - hours < at <= NOW for at in called.values())
        found = forecast([*still, *coming], Pace(handled, 3), NOW, END)
        truth = sum(NOW < each.due <= END and called.get(each, never) > each.due for each in arrived)
        errors.append(abs(found.will_miss - truth))
        missed.append(truth)
        within += found.low <= truth <= found.high
    say("median and mean error, mean missed", (statistics.median(errors), statistics.fmean(errors)))
    say("mean missed, days within low and high", (statistics.fmean(missed), within))
    assert max(missed) > 50
    assert statistics.fmean(errors) < statistics.fmean(abs(each - statistics.fmean(missed)) for each in missed)
    assert within >= 20
