"""Shows figures: a share, a difference, limits."""

from __future__ import annotations

from msgspec import structs

from alerts.insights.chart import Limits
from alerts.insights.difference import Difference
from alerts.insights.quantiles import Quantiles
from alerts.insights.share import Share
from alerts.insights.strip import Point
from app.api.schemas.insight import DifferenceResource, HourItem, LimitsResource, QuantilesResource, ShareResource


def share_resource(share: Share) -> ShareResource:
    return ShareResource(**structs.asdict(share))


def difference_resource(difference: Difference) -> DifferenceResource:
    return DifferenceResource(**structs.asdict(difference))


def limits_resource(limits: Limits | None) -> LimitsResource | None:
    return None if limits is None else LimitsResource(**structs.asdict(limits))


def quantiles_resource(quantiles: Quantiles) -> QuantilesResource:
    return QuantilesResource(**structs.asdict(quantiles))


def hour_item(point: Point) -> HourItem:
    return HourItem(
        start=point.start,
        complete=point.complete,
        **structs.asdict(point.boxes),
        share=share_resource(point.share),
        limits=limits_resource(point.limits),
        signal=point.signal,
    )
