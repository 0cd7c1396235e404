"""Dead letters, as they are asked for and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from alerts.ledger.reading.dead_letters import DeadLetterFilter
from app.api.schemas.base import QueryModel, RequestModel, ResponseModel, UtcMoment
from app.api.schemas.paging import ListResource, PageQuery, PlainText, example


class DeadLetterKind(QueryModel):
    """What dead letters may be chosen by. `failed_after` and `failed_before`: when they were set aside."""

    reason: PlainText | None = None
    source: PlainText | None = None
    field: PlainText | None = None
    topic: PlainText | None = None
    failed_after: UtcMoment | None = None
    failed_before: UtcMoment | None = None

    def of_kind(self, *, pending: bool) -> DeadLetterFilter:
        return DeadLetterFilter(
            reason=self.reason,
            source=self.source,
            field=self.field,
            topic=self.topic,
            since=self.failed_after,
            until=self.failed_before,
            pending=pending,
        )


class DeadLetterQuery(DeadLetterKind):
    """Filters of dead letters. `pending`: those that were not sent again yet and still can be."""

    pending: bool = False

    def wanted(self) -> DeadLetterFilter:
        return self.of_kind(pending=self.pending)


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


class RedriveRequest(RequestModel, DeadLetterKind):
    """Which of those that were not sent again yet, the oldest first; `dry_run` sends none of them."""

    model_config = example({"source": "typeform", "reason": "invalid_rating", "limit": 100, "dry_run": True})

    limit: Annotated[int, Field(ge=1, le=500, description="how many at most, 1 to 500")] = 100
    dry_run: bool = False

    @model_validator(mode="after")
    def _chooses(self) -> Self:
        if all(getattr(self, name) is None for name in DeadLetterKind.model_fields):
            raise ValueError("choose by reason, source, field, topic, failed_after or failed_before")
        return self


class RehearsedResource(ResponseModel):
    """`now`: `read`, `passed_over`, `gone` (Kafka no longer keeps it), or the reason to set it aside once more."""

    id: str
    now: str
    field: str | None
    detail: str | None


class RedriveRehearsal(ResponseModel):
    """What would become of those that were chosen; `now` counts them, `left` are beyond `limit`."""

    would_be_read: int
    would_not: int
    now: dict[str, int]
    left: int
    items: list[RehearsedResource]


class BulkRedriveResult(ResponseModel):
    """How many were sent again; of how many Kafka has kept nothing; how many such wait still, beyond `limit`."""

    redriven: int
    gone: int
    left: int


class RedriveResult(ResponseModel):
    """How many were sent again: 0 when Kafka has not kept it."""

    redriven: int
