"""The figures of the insights, as they are shown: none without what it was counted from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from alerts.callback import Target
from alerts.insights.question import Question
from alerts.insights.rules import Signal
from alerts.resolution import CauseKind
from app.api.schemas.base import ResponseModel
from app.api.schemas.paging import ListResource


class ShareResource(ResponseModel):
    """`count` of `of`, with Wilson's 95 % interval; null when `of` is 0."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class DifferenceResource(ResponseModel):
    """One share minus another, with Newcombe's 95 % interval; null when one of them is of nothing."""

    value: float | None
    low: float | None
    high: float | None


class LimitsResource(ResponseModel):
    """Between which the share moves while nothing has changed, from `points` earlier ones with `answers` answers."""

    center: float
    low: float
    high: float
    sigma_z: float
    points: int
    answers: int


class InsightList(ListResource):
    """`from`, `to` and `zone` as they were understood. `truncated_from`: nothing is known of the time before it."""

    model_config = ConfigDict(serialize_by_alias=True)  # `from` is a word of Python

    from_: datetime = Field(alias="from")
    to: datetime
    zone: str
    truncated_from: datetime | None


class HourItem(ResponseModel):
    """`complete`: the stretch lies wholly in what was asked, and is over. `share`: the bottom box's among the answers."""

    start: datetime
    complete: bool
    answers: int
    bottom: int
    middle: int
    top: int
    share: ShareResource
    limits: LimitsResource | None
    signal: Signal | None


class HourList(InsightList):
    items: list[HourItem]


class CauseItem(ResponseModel):
    """`share` of all coded callbacks, `cumulative` with the larger ones. `ids`: the latest of its callbacks, at most 200.

    `kind` and `driver`, or, for `by=reason`, `reason`: what the customer had been in touch about, null where nobody said.
    """

    kind: CauseKind | None
    driver: str | None
    reason: str | None
    callbacks: int
    share: ShareResource
    cumulative: float
    recovered: ShareResource
    median_resolution_seconds: float | None
    ids: list[str]


class CauseKinds(ResponseModel):
    skill: ShareResource
    operations: ShareResource


class CauseList(InsightList):
    """`uncoded`: callbacks that were closed without a cause. `other_share`: how often the driver was `other`."""

    items: list[CauseItem]
    kinds: CauseKinds
    uncoded: int
    other_share: ShareResource


class QuantilesResource(ResponseModel):
    """Half took at most `p50` seconds, nine of ten at most `p90`; of `of` durations."""

    of: int
    p50: float | None
    p90: float | None


class TargetItem(ResponseModel):
    """`share`: met of those decided. `pending`: open, and not decided. `wall` and `callable`: until it was reached."""

    queue: str
    priority: int
    target: Target
    met: int
    missed: int
    pending: int
    share: ShareResource
    wall: QuantilesResource
    callable: QuantilesResource


class TargetList(InsightList):
    items: list[TargetItem]


class SegmentItem(ResponseModel):
    """One value beside all others. `differs`: not by chance, and not because many values were looked at.

    `value` is null where nobody said. `targets_kept`: of all targets that were decided.
    """

    value: str | None
    answers: int
    share: ShareResource
    difference: DifferenceResource
    p_value: float
    differs: bool
    contact_p50_seconds: float | None
    targets_kept: ShareResource


class SegmentList(InsightList):
    """The values with most answers; `more` have fewer, and are part of the rest only."""

    items: list[SegmentItem]
    more: int


class Rerated(ResponseModel):
    """How often the customer's next answer within 90 days was better: those who were reached, and those who never were."""

    reached: ShareResource
    unreached: ShareResource
    difference: DifferenceResource


class RecoveryItem(ResponseModel):
    """Shares of the `resolved`. `value`: a driver, delay or advisor; null without `by`, and of calls not resolved."""

    model_config = ConfigDict(serialize_by_alias=True)

    value: str | None
    resolved: int
    recovered: ShareResource
    partly: ShareResource
    not_: ShareResource = Field(alias="not")
    information: ShareResource
    rerated: Rerated


class RecoveryList(InsightList):
    items: list[RecoveryItem]


class RepeatItem(ResponseModel):
    """`share`: contacts of customers who had no other contact within the days."""

    value: str | None
    share: ShareResource


class RepeatList(InsightList):
    """The last `days` of the range are left out: nobody knows yet."""

    days: int
    items: list[RepeatItem]


class PaceResource(ResponseModel):
    """Callbacks that somebody tried to reach, in so many open hours."""

    handled: int
    hours: float


class ForecastItem(ResponseModel):
    """Of the callbacks `due` until the calling day ends (`until`), `will_miss` do, the first at `first_at`.

    `low` and `high`: the same at the ends of the pace's 95 % interval. `overdue` are late already. `arriving`: expected.
    """

    queue: str
    until: datetime
    due: int
    will_miss: int
    low: int
    high: int
    first_at: datetime | None
    overdue: int
    arriving: int
    pace: PaceResource


class ForecastList(ListResource):
    items: list[ForecastItem]


def as_asked(question: Question, truncated_from: datetime | None) -> dict[str, Any]:
    """The members of every InsightList but its items."""
    return {
        "from": question.since,
        "to": question.until,
        "zone": question.zone,
        "truncated_from": truncated_from,
        "next": None,
    }
