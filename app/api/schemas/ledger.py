"""Where every consumed offset ended, as it is shown."""

from __future__ import annotations

from app.api.schemas.base import ResponseModel
from app.api.schemas.paging import ListResource


class PartitionResource(ResponseModel):
    """One partition. `difference` = next_offset - first_offset - the sum of outcomes - skipped, and is 0."""

    topic: str
    partition: int
    epoch: int
    first_offset: int
    next_offset: int
    outcomes: dict[str, int]
    skipped: int
    seen_again: int
    difference: int


class PartitionList(ListResource):
    items: list[PartitionResource]
