"""A list's page, in and out."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app.api.schemas.base import (
    QueryModel,
    ResponseModel,
)

Limit = Annotated[int, Field(ge=1, le=200, description="how many at most, 1 to 200")]
Cursor = Annotated[str, Field(max_length=2_000, description="`next` of the page before, with the same filters")]
RefText = Annotated[str, Field(max_length=100)]
PlainText = Annotated[str, Field(min_length=1, max_length=512)]


def example(members: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [members]})


class PageQuery(QueryModel):
    limit: Limit = 50
    cursor: Cursor | None = None


class ListResource(ResponseModel):
    next: str | None
