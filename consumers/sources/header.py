"""Finds the names of a table's columns, and refuses a header that would make an answer out of the wrong cells."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from msgspec import Struct

from alerts.errors import Misconfigured

DELIMITERS = ",;\t|"
_TOLD = 8  # columns that a sentence names before it says "and so on"


class WantedColumns(Struct, frozen=True):
    """The columns that a source file reads. `required`: for each rule that must find something, those it looks into."""

    columns: frozenset[str] = frozenset()
    required: tuple[tuple[str, frozenset[str]], ...] = ()

    def known_in(self, names: Iterable[str]) -> int:
        return len(self.columns.intersection(names))


def column_name(cell: str) -> str:
    """A name as it is compared: one spelling of its letters, no blanks around it."""
    return unicodedata.normalize("NFC", cell.replace("\0", "").replace("\ufeff", "")).strip()


def column_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names that the rows of a header make together, as in `Question - Answer`.

    Above the last row an empty cell belongs to the name on its left, as in a sheet with merged cells.
    """
    parts = [_spread(row) for row in rows[:-1]] + [[column_name(cell) for cell in row] for row in rows[-1:]]
    width = max((len(row) for row in parts), default=0)
    columns = ([row[at] for row in parts if at < len(row) and row[at]] for at in range(width))
    return [" - ".join(dict.fromkeys(column)) for column in columns]


def _spread(row: Sequence[str]) -> list[str]:
    names: list[str] = []
    for cell in row:
        names.append(column_name(cell) or (names[-1] if names else ""))
    return names


def check_names(names: Sequence[str], wanted: WantedColumns, where: str) -> None:
    """Raises Misconfigured, in a sentence that names the columns.

    Names are told only when the row is a header indeed: it may be a row of somebody's data.
    """
    if wanted.columns and not wanted.known_in(names):
        raise Misconfigured(
            f"{where}: no column is there that the source file reads; looked for {_told(sorted(wanted.columns))}. "
            "Is it the right file and source? Else correct the names, or rows.delimiter, rows.encoding, rows.skip_rows"
        )
    unnamed = [str(at) for at, name in enumerate(names, start=1) if not name]
    if unnamed:
        raise Misconfigured(f"{where}: column {', '.join(unnamed[:_TOLD])} has no name; name it, or list rows.columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Misconfigured(
            f"{where}: more than one column has the name {_told(twice)}; rename them, or list rows.columns"
        )
    for place, columns in wanted.required:
        if columns and columns.isdisjoint(names):
            raise Misconfigured(f"{where}: {place} reads {_told(sorted(columns))}, and no column has that name")


def _told(names: Sequence[str]) -> str:
    told = ", ".join(f'"{name[:60]}"' for name in names[:_TOLD])
    return told + (" and so on" if len(names) > _TOLD else "")
