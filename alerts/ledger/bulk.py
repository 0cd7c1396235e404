"""Writes many rows with one statement and one parameter: a JSON array that PostgreSQL reads as a set of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import CursorResult, Table, TextClause, text
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.asyncio import AsyncConnection

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


@cache
def insert_sql(table: Table, columns: Sequence[str], tail: str = "") -> TextClause:
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(_selected(table, name) for name in columns)
    return text(f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {recordset(table, columns)} {tail}")


async def insert_rows(
    connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]], tail: str = ""
) -> CursorResult[Any] | None:
    """Inserts `rows`, which all have the members of the first one. Does nothing when there are none."""
    if not rows:
        return None
    return await connection.execute(insert_sql(table, tuple(rows[0]), tail), {"rows": encode(rows)})
