"""Dead letters, as they are asked for and shown."""

from __future__ import annotations

from datetime import datetime

from alerts.ledger.reading.dead_letters import DeadLetterFilter
from app.api.schemas.base import QueryModel, ResponseModel, UtcMoment
from app.api.schemas.paging import ListResource, PageQuery, PlainText


class DeadLetterQuery(QueryModel):
    """Filters of dead letters. `failed_after` and `failed_before`: when they were set aside."""

    reason: PlainText | None = None
    source: PlainText | None = None
    field: PlainText | None = None
    topic: PlainText | None = None
    failed_after: UtcMoment | None = None
    failed_before: UtcMoment | None = None
    pending: bool = False

    def wanted(self) -> DeadLetterFilter:
        return DeadLetterFilter(
            reason=self.reason,
            source=self.source,
            field=self.field,
            topic=self.topic,
            since=self.failed_after,
            until=self.failed_before,
            pending=self.pending,
        )


class DeadLetterPageQuery(DeadLetterQuery, PageQuery):
    """A page of the list, the newest first."""


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


class DeadLetterCountResource(ResponseModel):
    """How many of one kind, and how many of them were not sent again yet and still can be."""

    reason: str
    source: str | None
    field: str | None
    count: int
    pending: int
    first_failed_at: datetime
    last_failed_at: datetime


class DeadLetterCounts(ListResource):
    items: list[DeadLetterCountResource]


class DeadLetterList(ListResource):
    items: list[DeadLetterResource]


class RedriveResult(ResponseModel):
    """How many were sent again: 0 when Kafka has not kept it."""

    redriven: int
