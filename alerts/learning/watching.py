"""Looks at a closed hour of every scope: is its bottom box a spike, has a source fallen silent?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from alerts.insights.budget import Budget, budget
from alerts.insights.dispersion import unrest
from alerts.insights.share import Count, total
from alerts.insights.silence import Silence, silence
from alerts.insights.spike import Spike, spike
from alerts.policy import SignalRules

WEEK = 168  # hours
WEEKS = 12
"""So many earlier weeks are looked at."""

NOTHING = Count(0, 0)

HourlyCounts = Mapping[int, Count]
"""The bottom box by hour, in hours since 1970 on the wall clock of the policy's zone; hours without answers are absent."""


class SignalKind(StrEnum):
    SPIKE = "spike"  # more bad answers than the same hours of earlier weeks explain
    SILENCE = "silence"  # no answers at all, in hours in which there usually are


class WatchedScope(Struct, frozen=True, order=True):
    """What is looked at by itself: all answers whose `by` (source, queue, ...) is `value`."""

    by: str
    value: str


class Sighting(Struct, frozen=True, kw_only=True):
    """What a look has raised; `since`: the hour in which it began."""

    kind: SignalKind
    scope: WatchedScope
    since: int
    found: Spike | Silence


def look(counts: Mapping[WatchedScope, HourlyCounts], hour: int, rules: SignalRules) -> list[Sighting]:
    """At `hour`, which is over. All scopes, and both kinds, share the policy's one budget of false alarms."""
    sources = sorted(scope for scope in counts if scope.by == "source")
    watched = sorted(scope for scope in counts if scope.by in rules.watch)
    if not rules.alarms_a_month or not counts:
        return []
    spend = budget(rules.alarms_a_month, scopes=len(sources) + len(watched))
    return [*_spikes(counts, watched, hour, spend), *_silences(counts, sources, hour, spend)]


def _spikes(
    counts: Mapping[WatchedScope, HourlyCounts], scopes: Sequence[WatchedScope], hour: int, spend: Budget
) -> Iterator[Sighting]:
    for scope in scopes:
        found = spike_of(counts[scope], hour, spend)
        if found is not None and found.raised:
            yield Sighting(kind=SignalKind.SPIKE, scope=scope, since=hour, found=found)


def spike_of(hours: HourlyCounts, hour: int, spend: Budget) -> Spike | None:
    """None when nothing can be said, or there are no more bad answers than usual."""
    live, past = hours.get(hour, NOTHING), _earlier(hours, hour)
    usual = total(past)
    if live.count * usual.of <= usual.count * live.of:
        return None
    swing = unrest(_earlier(hours, hour - number) for number in range(WEEK))
    return spike(live, past, spend, swing)


def _earlier(hours: HourlyCounts, hour: int) -> list[Count]:
    """The same hour of the week in earlier weeks, in their order."""
    return [hours.get(hour - week * WEEK, NOTHING) for week in range(WEEKS, 0, -1)]


def _silences(
    counts: Mapping[WatchedScope, HourlyCounts], sources: Sequence[WatchedScope], hour: int, spend: Budget
) -> Iterator[Sighting]:
    for scope in sources:
        heard = [each for each in counts[scope] if each <= hour]
        since = max(heard, default=hour) + 1
        found = silence_of(counts[scope], since, hour, spend) if since <= hour else None
        if found is not None and found.raised:
            yield Sighting(kind=SignalKind.SILENCE, scope=scope, since=since, found=found)


def silence_of(hours: HourlyCounts, since: int, hour: int, spend: Budget) -> Silence | None:
    """Of a source without an answer from `since` to `hour`. Only weeks in which it was heard of already are usual ones.

    None after a week: what speaks so seldom has no usual hours.
    """
    if hour - since >= WEEK:
        return None
    first = min(hours)
    weeks = [week for week in range(WEEKS, 0, -1) if since - week * WEEK >= first]
    same = [sum(hours.get(at - week * WEEK, NOTHING).of for at in range(since, hour + 1)) for week in weeks]
    return silence(0, same, spend)
