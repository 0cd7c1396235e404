"""Dead letters, as they are asked for and shown."""

from __future__ import annotations

from datetime import datetime

from app.api.schemas.base import (
    ResponseModel,
)
from app.api.schemas.paging import ListResource, PageQuery, PlainText


class DeadLetterQuery(PageQuery):
    """Filters of the list of dead letters, newest first."""

    reason: PlainText | None = None
    topic: PlainText | None = None


class OriginResource(ResponseModel):
    topic: str
    partition: int
    offset: int
    timestamp: datetime


class AddressResource(ResponseModel):
    topic: str
    partition: int
    offset: int


class DeadLetterResource(ResponseModel):
    id: str
    origin: OriginResource
    address: AddressResource | None
    reason: str
    field: str | None
    detail: str
    source: str | None
    failed_at: datetime
    redriven_at: datetime | None
    redriven_by: str | None


class DeadLetterList(ListResource):
    items: list[DeadLetterResource]


class RedriveResult(ResponseModel):
    """How many were sent again: 0 when Kafka has not kept it."""

    redriven: int
