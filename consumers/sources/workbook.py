"""Reads a sheet of an Excel workbook as rows with names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from alerts.errors import Misconfigured
from consumers.sources.header import WantedColumns
from consumers.sources.source import Rows
from consumers.sources.table import NamedRow, header_of, named


def sheet_rows(path: Path, rules: Rows, wanted: WantedColumns) -> Iterator[NamedRow]:
    """The rows of `rules.sheet`, else of the first one. Raises Misconfigured.

    Memory: the sheet; Excel keeps no more than 1,048,576 rows.
    """
    sheet = _sheet(path, rules.sheet)
    rows = _filled(sheet)
    header = list(islice(rows, rules.skip_rows, rules.skip_rows + rules.header_rows))
    if len(header) < rules.header_rows:
        told = ", ".join(f'"{name}"' for name in sorted(wanted.columns)[:8]) or "any"
        raise Misconfigured(
            f"{path.name} has no header; looked for the columns {told}. Check rows.sheet and rows.skip_rows"
        )
    width = max((len(cells) for _, cells in header), default=len(rules.columns))
    where = f"{path.name}, row {header[0][0] if header else 1}"
    names = header_of([_wide(cells, width) for _, cells in header], rules, wanted, where)
    data = islice(rows, rules.skip_after_header, None)
    yield from named(((line, _wide(cells, len(names))) for line, cells in data), names)


def _sheet(path: Path, name: str | None) -> CalamineSheet:
    try:
        book = CalamineWorkbook.from_path(str(path))
        if name is not None and name not in book.sheet_names:
            told = ", ".join(f'"{each}"' for each in book.sheet_names[:8])
            raise Misconfigured(f'{path.name} has no sheet "{name}", which rows.sheet names; there are: {told}')
        return book.get_sheet_by_name(name) if name is not None else book.get_sheet_by_index(0)
    except (CalamineError, OSError):
        raise Misconfigured(f"{path.name} cannot be read as a workbook; save it anew, without a password") from None


def _filled(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    """Rows in which something stands, with their numbers; cells that are empty at their ends are left out."""
    for line, row in enumerate(sheet.iter_rows(), start=1):
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield line, cells


def _wide(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def _text(cell: Any) -> str:
    """Dates as ISO 8601 however they look in the sheet, whole numbers without a fraction, lengths of time as 1:02:03."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="microseconds" if cell.microsecond else "seconds")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(cell)
