"""Shares and differences, never without what they were counted from (docs/insights.md)."""

from __future__ import annotations

from app.api.schemas.base import ResponseModel


class ShareResource(ResponseModel):
    """`count` of `of`, with Wilson's 95 % interval; null when `of` is 0."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class DifferenceResource(ResponseModel):
    """First share minus second, with its 95 % interval; null when one of them is of nothing."""

    value: float | None
    low: float | None
    high: float | None
