"""What a check is, and how checks are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

FOUND_AT_MOST = 1000
"""So many are named by one check; more say no more."""


class Kind(StrEnum):
    """What the ids are that a check finds."""

    CALLBACK = "callback"
    CUSTOMER = "customer"
    RESPONSE = "response"
    PARTITION = "partition"


class Check(Struct, frozen=True):
    """`breaks` selects one text column: the ids of what breaks it; no row when all is well.

    `number` is that of docs/invariants.md. The tables are named without a schema, so that a part of them can be put in
    their place.
    """

    name: str
    number: str
    says: str
    breaks: str
    finds: Kind = Kind.CALLBACK


class Broken(Struct, frozen=True):
    check: Check
    id: str

    def __str__(self) -> str:
        return f"{self.check.number} {self.check.says}: {self.id}"


async def find_broken(
    connection: AsyncConnection, checks: Sequence[Check], *, within: str = "", given: Mapping[str, Any] | None = None
) -> list[Broken]:
    """All checks in one statement, so that they see one moment. `within`: a WITH that stands for the tables it names."""
    parts = (
        f"(SELECT {place} AS place, found.* FROM ({check.breaks}) AS found(id) LIMIT {FOUND_AT_MOST})"
        for place, check in enumerate(checks)
    )
    query = text(f"{within} {' UNION ALL '.join(parts)}")
    rows = await connection.execute(query, dict(given or {}))
    return list(dict.fromkeys(Broken(checks[row.place], row.id) for row in rows))
