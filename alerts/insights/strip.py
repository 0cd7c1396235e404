"""The bottom box hour by hour, day by day or week by week, with the limits that the same hours of earlier weeks set."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from alerts.insights.buckets import Bucket, Grain, buckets
from alerts.insights.chart import Limits, limits
from alerts.insights.question import Question
from alerts.insights.rules import Signal, signals
from alerts.insights.share import Count, Share, share_of

WEEKS_BACK = 12
"""So many weeks of history the limits are taken from, where there are so many."""


MARGIN = timedelta(hours=3)
"""By so much clocks may have been changed meanwhile."""


class Boxes(Struct, frozen=True):
    """Answers of one stretch. `bottom` may leave out bad ones that a filter by driver does not let through."""

    answers: int = 0
    bottom: int = 0
    middle: int = 0
    top: int = 0

    def __add__(self, other: Boxes) -> Boxes:
        return Boxes(
            self.answers + other.answers, self.bottom + other.bottom, self.middle + other.middle, self.top + other.top
        )

    @property
    def bad(self) -> Count:
        return Count(self.bottom, self.answers)


class Plan(Struct, frozen=True):
    """`shown` buckets, and the `earlier` ones of each. `cuts` are sorted: between two neighbours all is in one bucket."""

    question: Question
    shown: tuple[Bucket, ...]
    earlier: tuple[tuple[Bucket, ...], ...]
    cuts: tuple[datetime, ...]

    def spans(self) -> list[tuple[datetime, datetime]]:
        """The stretches of time of which answers are needed; those that touch are one."""
        spans: list[tuple[datetime, datetime]] = []
        for start, end in sorted({(each.start, each.end) for each in self._all()}):
            if spans and spans[-1][1] >= start:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
        return spans

    def _all(self) -> Iterable[Bucket]:
        yield from self.shown
        for each in self.earlier:
            yield from each


class Point(Struct, frozen=True, kw_only=True):
    """One bucket. `complete`: it lies wholly in what was asked, and is over."""

    start: datetime
    complete: bool
    boxes: Boxes
    share: Share
    limits: Limits | None
    signal: Signal | None


def plan(question: Question, step: Grain) -> Plan:
    """What must be counted to draw the strip."""
    shown = tuple(buckets(question.since, question.until, step, question.clock))
    places = {each.place for each in shown}
    by_place: dict[tuple[int, int], list[Bucket]] = {place: [] for place in places}
    for since, until in _stretches(question):
        for each in buckets(since, until, step, question.clock):
            if each.place in places and each not in by_place[each.place][-1:]:
                by_place[each.place].append(each)
    earlier = tuple(_earlier(each, by_place[each.place]) for each in shown)
    edges = {edge for bucket in (*shown, *_flat(earlier)) for edge in (bucket.start, bucket.end)}
    return Plan(question, shown, earlier, tuple(sorted(edges | {question.since, question.until})))


def strip(plan: Plan, counted: Mapping[datetime, Boxes], now: datetime) -> list[Point]:
    """`counted`: the answers between each cut and the next, by the first of the two; those without answers may lack."""
    question, sums = plan.question, _Sums(plan.cuts, counted)
    asked = [sums.between(max(each.start, question.since), min(each.end, question.until)) for each in plan.shown]
    borders = [
        limits([sums.between(each.start, each.end).bad for each in earlier], boxes.answers)
        for boxes, earlier in zip(asked, plan.earlier, strict=True)
    ]
    found = signals([(boxes.bad, border) for boxes, border in zip(asked, borders, strict=True)])
    return [
        Point(
            start=bucket.start,
            complete=question.since <= bucket.start and bucket.end <= min(question.until, now),
            boxes=boxes,
            share=share_of(boxes.bottom, boxes.answers),
            limits=border,
            signal=signal,
        )
        for bucket, boxes, border, signal in zip(plan.shown, asked, borders, found, strict=True)
    ]


class _Sums:
    def __init__(self, cuts: Sequence[datetime], counted: Mapping[datetime, Boxes]) -> None:
        self._cuts = cuts
        self._counted = counted

    def between(self, start: datetime, end: datetime) -> Boxes:
        first, last = bisect_left(self._cuts, start), bisect_left(self._cuts, end)
        return sum((self._counted.get(cut, Boxes()) for cut in self._cuts[first:last]), Boxes())


def _stretches(question: Question) -> Iterator[tuple[datetime, datetime]]:
    """Where the earlier hours of the same places of the week lie: of a short question, a few hours of each week."""
    if question.until - question.since >= timedelta(days=6):
        yield question.since - timedelta(weeks=WEEKS_BACK + 1), question.until
        return
    for back in range(WEEKS_BACK, -1, -1):
        week = timedelta(weeks=back)
        yield question.since - week - MARGIN, question.until - week + MARGIN


def _earlier(bucket: Bucket, alike: Sequence[Bucket]) -> tuple[Bucket, ...]:
    """The ones before it at the same place of the week, of the last weeks."""
    at = bisect_left(alike, bucket.start, key=lambda each: each.start)
    oldest = bucket.start - timedelta(weeks=WEEKS_BACK, hours=12)  # clocks may have been changed since
    return tuple(each for each in alike[:at] if each.start >= oldest)


def _flat(earlier: Iterable[Iterable[Bucket]]) -> Iterable[Bucket]:
    return (bucket for each in earlier for bucket in each)
