"""Writes many rows at once: as one parameter, a JSON array that PostgreSQL reads as a set of rows; very many by COPY."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import asyncpg
import msgspec
from sqlalchemy import Table, TextClause, exc, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.ledger.connection.direct import AnyConnection, Statement, rows
from alerts.ledger.connection.opening import Connection

COPY_FROM = 100
"""So many rows go by COPY, which asks the server twice and saves it the reading of JSON."""

_encoder = msgspec.json.Encoder()
_dialect = PGDialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def encode(rows: Any) -> str:
    """Structs or dicts as a JSON array; times in RFC 3339, bytes as base64."""
    return _encoder.encode(rows).decode()


def recordset(table: Table, columns: Iterable[str], *more: str, parameter: str = "rows") -> str:
    """`json_to_recordset(:rows) AS r(...)` with the types of the table's own columns; `more` like "fence TEXT".

    A `parameter` like "$1" is the driver's own.
    """
    given = parameter if parameter.startswith("$") else f":{parameter}"
    typed = (f'"{name}" {_type(table, name).replace("BYTEA", "TEXT")}' for name in columns)
    return f"json_to_recordset(CAST({given} AS json)) AS r({', '.join((*typed, *more))})"


def _selected(table: Table, name: str) -> str:
    # JSON has no bytes: they travel as base64
    return f"decode(r.\"{name}\", 'base64')" if _type(table, name) == "BYTEA" else f'r."{name}"'


def _type(table: Table, name: str) -> str:
    return table.c[name].type.compile(dialect=_dialect)


def insert_sql(table: Table, columns: Sequence[str], *, parameter: str = "rows") -> str:
    """The numbers of rows that a table numbers itself are taken as they come."""
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(_selected(table, name) for name in columns)
    numbered = "OVERRIDING SYSTEM VALUE " if any(table.c[name].identity for name in columns) else ""
    source = recordset(table, columns, parameter=parameter)
    return f"INSERT INTO {table.name} ({names}) {numbered}SELECT {values} FROM {source}"


@cache
def _insert(table: Table, columns: Sequence[str]) -> TextClause:
    return text(insert_sql(table, columns))


@cache
def document_places(table: Table, columns: tuple[str, ...]) -> tuple[int, ...]:
    """Which of the columns hold documents (jsonb): their indexes."""
    return tuple(place for place, name in enumerate(columns) if isinstance(table.c[name].type, JSONB))


async def insert_rows(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Inserts `rows`, which all have the members of the first one. Does nothing when there are none."""
    if len(rows) >= COPY_FROM:
        await copy_rows(connection, table, rows)
    elif rows:
        await connection.execute(_insert(table, tuple(rows[0])), {"rows": encode(rows)})


async def insert_returning(
    connection: AnyConnection, table: Table, given: Sequence[dict[str, Any]], tail: str
) -> Sequence[Mapping[str, Any]]:
    """As `insert_rows`, and what `tail` returns, like "ON CONFLICT DO NOTHING RETURNING id"."""
    if not given:
        return ()
    return await rows(connection, _insert_returning(table, tuple(given[0]), tail), rows=encode(given))


@cache
def _insert_returning(table: Table, columns: Sequence[str], tail: str) -> Statement:
    return Statement(f"{insert_sql(table, columns)} {tail}")


async def copy_rows(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """By the driver's COPY, in the transaction that has begun. A row that a constraint refuses is an IntegrityError."""
    columns = tuple(rows[0])
    documents = [columns[place] for place in document_places(table, columns)]
    records = [{**row, **{name: encode(row[name]) for name in documents}}.values() for row in rows]
    try:
        await copy_records(await driver_of(connection), table, columns, [tuple(record) for record in records])
    except asyncpg.IntegrityConstraintViolationError as error:
        raise exc.IntegrityError(f"COPY {table.name}", None, error) from error


async def driver_of(connection: AsyncConnection) -> Connection:
    """The driver's own connection, in the transaction that SQLAlchemy has begun: for what is asked of it so often, or of so
    many rows, that what SQLAlchemy does beside it would cost more. Its errors are the driver's own."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    assert driver.is_in_transaction(), "SQLAlchemy begins with the first statement, which must be its own"
    return cast("Connection", driver)


async def copy_records(
    driver: Connection, table: Table, columns: Sequence[str], records: Collection[tuple[Any, ...]]
) -> None:
    """Rows as tuples in the order of `columns`; documents (jsonb) are JSON text."""
    await driver.copy_records_to_table(table.name, records=records, columns=columns)
