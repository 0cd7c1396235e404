"""Writes many rows at once: as one parameter, a JSON array that PostgreSQL reads as a set of rows; very many by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import CursorResult, Table, TextClause, exc, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.asyncio import AsyncConnection

COPY_FROM = 100
"""So many rows go by COPY, which asks the server twice and saves it the reading of JSON."""

_encoder = msgspec.json.Encoder()
_dialect = PGDialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def encode(rows: Any) -> str:
    """Structs or dicts as a JSON array; times in RFC 3339, bytes as base64."""
    return _encoder.encode(rows).decode()


def recordset(table: Table, columns: Iterable[str], *more: str, parameter: str = "rows") -> str:
    """`json_to_recordset(:rows) AS r(...)` with the types of the table's own columns; `more` like "fence TEXT"."""
    typed = (f'"{name}" {_type(table, name).replace("BYTEA", "TEXT")}' for name in columns)
    return f"json_to_recordset(CAST(:{parameter} AS json)) AS r({', '.join((*typed, *more))})"


def _selected(table: Table, name: str) -> str:
    # JSON has no bytes: they travel as base64
    return f"decode(r.\"{name}\", 'base64')" if _type(table, name) == "BYTEA" else f'r."{name}"'


def _type(table: Table, name: str) -> str:
    return table.c[name].type.compile(dialect=_dialect)


def insert_sql(table: Table, columns: Sequence[str], *, parameter: str = "rows") -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(_selected(table, name) for name in columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {recordset(table, columns, parameter=parameter)}"


@cache
def _insert(table: Table, columns: Sequence[str], tail: str = "") -> TextClause:
    return text(f"{insert_sql(table, columns)} {tail}")


async def insert_rows(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Inserts `rows`, which all have the members of the first one. Does nothing when there are none."""
    if len(rows) >= COPY_FROM:
        await copy_rows(connection, table, rows)
    elif rows:
        await connection.execute(_insert(table, tuple(rows[0])), {"rows": encode(rows)})


async def insert_returning(
    connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]], tail: str
) -> CursorResult[Any] | None:
    """As `insert_rows`, and what `tail` returns, like "ON CONFLICT DO NOTHING RETURNING id"; None for no rows."""
    if not rows:
        return None
    return await connection.execute(_insert(table, tuple(rows[0]), tail), {"rows": encode(rows)})


async def copy_rows(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """By the driver's COPY, in the transaction that has begun. A row that a constraint refuses is an IntegrityError."""
    columns = tuple(rows[0])
    documents = [name for name in columns if isinstance(table.c[name].type, JSONB)]
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    assert driver.is_in_transaction(), "SQLAlchemy begins with the first statement; COPY must not be it"
    records = [{**row, **{name: encode(row[name]) for name in documents}}.values() for row in rows]
    try:
        await driver.copy_records_to_table(table.name, records=map(tuple, records), columns=columns)
    except asyncpg.IntegrityConstraintViolationError as error:
        raise exc.IntegrityError(f"COPY {table.name}", None, error) from error


async def reserve_ids(connection: AsyncConnection, table: Table, count: int) -> Sequence[int]:
    """The next ids of a table that numbers its rows, for rows that are made here."""
    drawn = text(f"SELECT nextval(pg_get_serial_sequence('{table.name}', 'id')) FROM generate_series(1, :count)")
    return (await connection.execute(drawn, {"count": count})).scalars().all()
