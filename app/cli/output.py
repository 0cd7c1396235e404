"""How commands speak: settings in, one answer out."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
import msgspec

from alerts.errors import Misconfigured
from app.logs import set_up_logs
from app.settings import Settings, read_settings

T = TypeVar("T")

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


def settings() -> Settings:
    """The settings of this environment; logs are set up with them."""
    read = read_settings(os.environ)
    set_up_logs(read.log_level, read.log_format)
    return read


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")
    sys.stdout.flush()


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Plain columns that a person and `awk` can read."""
    texts = [list(headings), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(headings))]
    for row in texts:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(cell)


def moment(text: str) -> datetime:
    """An RFC 3339 time with a zone. Raises Misconfigured."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise Misconfigured("a time is written like 2026-11-23T09:00:00Z")
    return parsed
