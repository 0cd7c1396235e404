"""The index of what was set aside; the records themselves stand in the dead-letter topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.errors import NotFound
from alerts.ledger.database import transaction
from alerts.ledger.tables.kafka import dead_letters


class DeadLetter(Struct, frozen=True, kw_only=True):
    """Where it came from, why it was set aside, and where it stands now. No value."""

    id: int
    topic: str
    partition: int
    offset: int
    recorded_at: datetime
    reason: str
    field: str | None
    detail: str
    source: str | None
    failed_at: datetime
    dead_topic: str | None
    dead_partition: int | None
    dead_offset: int | None
    redriven_at: datetime | None
    redriven_by: str | None
    gone_at: datetime | None


class DeadLetterFilter(Struct, frozen=True, kw_only=True):
    """Which dead letters are meant; what is None does not matter. Times are those at which they were set aside.

    `pending`: those that were not sent again yet and still can be.
    """

    reason: str | None = None
    source: str | None = None
    field: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    pending: bool = False

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        c = dead_letters.c
        equal = [(c.reason, self.reason), (c.source, self.source), (c.field, self.field), (c.topic, self.topic)]
        found = [column == value for column, value in equal if value is not None]
        if self.since is not None:
            found.append(c.failed_at >= self.since)
        if self.until is not None:
            found.append(c.failed_at < self.until)
        return [*found, _PENDING] if self.pending else found


class DeadLetterCount(Struct, frozen=True, kw_only=True):
    """How many were set aside for one reason, source and field, how many of them wait, and since when."""

    reason: str
    source: str | None
    field: str | None
    count: int
    pending: int
    first_failed_at: datetime
    last_failed_at: datetime


ALL = DeadLetterFilter()
_PENDING = and_(dead_letters.c.redriven_at.is_(None), dead_letters.c.gone_at.is_(None))


async def count_dead_letters(engine: AsyncEngine, wanted: DeadLetterFilter) -> list[DeadLetterCount]:
    """What there is of each kind, the most first."""
    c = dead_letters.c
    kind = (c.reason, c.source, c.field)
    query = (
        select(
            *kind,
            func.count().label("count"),
            func.count().filter(_PENDING).label("pending"),
            func.min(c.failed_at).label("first_failed_at"),
            func.max(c.failed_at).label("last_failed_at"),
        )
        .where(*wanted.conditions)
        .group_by(*kind)
        .order_by(func.count().desc(), c.reason, c.source, c.field)
    )
    async with transaction(engine) as connection:
        return [DeadLetterCount(**row._mapping) for row in await connection.execute(query)]


async def find_dead_letters(
    engine: AsyncEngine, wanted: DeadLetterFilter = ALL, *, ids: Sequence[int] = (), limit: int = 100
) -> list[DeadLetter]:
    """The oldest first."""
    query = select(dead_letters).where(*wanted.conditions).order_by(dead_letters.c.id).limit(limit)
    if ids:
        query = query.where(dead_letters.c.id.in_(ids))
    async with transaction(engine) as connection:
        return [DeadLetter(**row._mapping) for row in await connection.execute(query)]


async def one_dead_letter(engine: AsyncEngine, id: int) -> DeadLetter:
    found = await find_dead_letters(engine, ids=[id], limit=1)
    if not found:
        raise NotFound("there is no such dead letter")
    return found[0]


async def mark_redriven(engine: AsyncEngine, id: int, by: str) -> None:
    done = update(dead_letters).where(dead_letters.c.id == id).values(redriven_at=func.ledger_now(), redriven_by=by)
    async with transaction(engine) as connection:
        await connection.execute(done)


async def mark_gone(engine: AsyncEngine, id: int) -> None:
    gone = update(dead_letters).where(dead_letters.c.id == id).values(gone_at=func.ledger_now())
    async with transaction(engine) as connection:
        await connection.execute(gone)


async def list_dead_letters(
    engine: AsyncEngine, wanted: DeadLetterFilter, *, before: int | None, limit: int
) -> tuple[list[DeadLetter], int | None]:
    """The newest first, and the id before which the next page begins; None on the last page. Raises Unavailable."""
    query = select(dead_letters).where(*wanted.conditions).order_by(dead_letters.c.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(dead_letters.c.id < before)
    async with transaction(engine) as connection:
        rows = (await connection.execute(query)).all()
    page = [DeadLetter(**row._mapping) for row in rows[:limit]]
    return page, page[-1].id if len(rows) > limit else None
