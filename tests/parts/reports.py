"""The views over the ledger that Grafana reads, made in a story's database, and the role that may read nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from tests.parts.deployment import DEPLOY

VIEWS = DEPLOY / "grafana" / "ledger_views.sql"
READER = "bottombox_reader"
_PASSWORD = "reading"


async def make_reports(database_url: str) -> str:
    """Runs the file that is shipped, as an operator does; the address of the reader."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(VIEWS.read_text(encoding="utf-8"))
        await connection.execute(f"ALTER ROLE {READER} PASSWORD '{_PASSWORD}'")
    finally:
        await connection.close()
    parts = urlsplit(database_url)
    return parts._replace(netloc=f"{READER}:{_PASSWORD}@{parts.hostname}:{parts.port}").geturl()


async def ask_reports(reader_url: str, sql: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The rows, with Grafana's macros as it replaces them."""
    connection = await asyncpg.connect(reader_url)
    try:
        return [dict(row) for row in await connection.fetch(without_macros(sql, since, until))]
    finally:
        await connection.close()


def without_macros(sql: str, since: datetime, until: datetime) -> str:
    head, *rest = sql.split("$__timeFilter(")
    told = [head]
    for part in rest:
        column, _, after = part.partition(")")
        told.append(f"{column} BETWEEN '{since.isoformat()}' AND '{until.isoformat()}'{after}")
    return "".join(told)
