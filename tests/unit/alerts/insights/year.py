"""A year of one source, made up: every hour's answers and bad ones, with known rates, the same from the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random

from scipy import stats

from alerts.insights.budget import Budget
from alerts.insights.dispersion import Unrest, unrest
from alerts.insights.share import Count
from alerts.insights.spike import spike

HOURS = 168
WEEKS = 52
PAST = 12
"""So many earlier weeks are looked at."""

Week = list[Count]
Rate = Callable[[int, int], float]
"""The share of bad answers in an hour of the week (0..167), and in a week (0..51)."""


def steady(share: float) -> Rate:
    return lambda hour, week: share


def weekly(hour: int, week: int = 0) -> float:
    """Mornings are good, evenings bad, weekends worst: from 10 to 40 %."""
    day, of_day = divmod(hour, 24)
    return 0.25 + 0.1 * math.sin(2 * math.pi * (of_day - 9) / 24) + (0.05 if day >= 5 else -0.05)


def busy(hour: int) -> float:
    """Answers an hour: none at night, up to 90 by day."""
    return max(0.0, 90 * math.sin(2 * math.pi * (hour % 24 - 7) / 24))


def restless(rate: Rate, random: Random, points: float) -> Rate:
    """Every day has a mood of its own: so many points up or down (standard deviation)."""
    moods = [[random.gauss(0, points / 100) for _ in range(7)] for _ in range(WEEKS)]
    return lambda hour, week: min(0.99, max(0.001, rate(hour, week) + moods[week][hour // 24]))


def year(seed: int, rate: Rate, volume: Callable[[int], float]) -> list[Week]:
    """By week, then by hour of the week."""
    hours = [(hour, week) for week in range(WEEKS) for hour in range(HOURS)]
    answers = stats.poisson.rvs([volume(hour) for hour, _ in hours], random_state=seed)
    bad = stats.binom.rvs(answers, [rate(hour, week) for hour, week in hours], random_state=seed + 1_000_000)
    counts = [Count(int(count), int(of)) for count, of in zip(bad, answers, strict=True)]
    return [counts[week * HOURS : (week + 1) * HOURS] for week in range(WEEKS)]


def of_hour(weeks: Sequence[Week], hour: int, before: int) -> list[Count]:
    """The same hour in the twelve weeks before week `before`."""
    return [weeks[week][hour] for week in range(before - PAST, before)]


def swing(weeks: Sequence[Week]) -> Unrest:
    """As it is known after the first twelve weeks."""
    return unrest(of_hour(weeks, hour, PAST) for hour in range(HOURS))


def first_spikes(weeks: Sequence[Week], budget: Budget, since: int = 0, most: int | None = None) -> list[int]:
    """The numbers of the hours that raise, from the thirteenth week or `since` on; at most `most` of them."""
    known, found = swing(weeks), []
    for number in range(max(since, PAST * HOURS), WEEKS * HOURS):
        week, hour = divmod(number, HOURS)
        live = weeks[week][hour]
        if live.count and unusual(live, weeks, hour, week):
            judged = spike(live, of_hour(weeks, hour, week), budget, known)
            if judged is not None and judged.raised:
                found.append(number)
                if len(found) == most:
                    break
    return found


def unusual(live: Count, weeks: Sequence[Week], hour: int, week: int) -> bool:
    """More than a standard deviation above the usual: below, nothing can be raised, and not to ask saves the time."""
    bad = of = 0
    for earlier in range(week - PAST, week):
        past = weeks[earlier][hour]
        bad += past.count
        of += past.of
    expected = live.of * bad / max(of, 1)
    return live.count > expected + math.sqrt(expected * (1 - bad / max(of, 1)))
