"""Reads a file of cells as rows with names: CSV text, or a sheet of a workbook."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from alerts.errors import Misconfigured
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.sources.cells import BrokenQuote, Cells, Judge, Marks, cells_at, read_cells
from consumers.sources.header import DELIMITERS, WantedColumns, check_names, column_name, column_names
from consumers.sources.lines import Ahead, Line, open_text, read_lines
from consumers.sources.source import Join, Rows

NamedRow: TypeAlias = tuple[int, dict[str, str] | InvalidRecord]
"""The line on which a row begins, and its cells by column, or why it cannot be read."""


class Answers(Struct, frozen=True):
    """Tells by the source file's rules whether a row is an answer, and whether it at least seems one."""

    is_one: Callable[[dict[str, str]], bool]
    may_be_one: Callable[[dict[str, str]], bool]


# What Excel reads, and writes on wish, before the header: https://support.microsoft.com, "sep=".
_SEP = re.compile(r'"?sep=(.)"?[,;\t|]*', re.IGNORECASE)


def csv_rows(path: Path, rules: Rows, wanted: WantedColumns, answers: Answers) -> Iterator[NamedRow]:
    """The rows of a CSV file. Raises Misconfigured when it, or its header, cannot be read."""
    with open_text(path, rules.encoding) as file:
        ahead = Ahead(read_lines(file))
        ahead.drop_blank()
        stated = _separator(ahead) or rules.delimiter
        for _ in range(rules.skip_rows):
            if ahead.peek() is not None:
                ahead.drop()
                ahead.drop_blank()
        marks = Marks(stated or _found(ahead, rules, wanted), rules.escape)
        names = _names(ahead, marks, rules, wanted, path)

        for _ in range(rules.skip_after_header):
            ahead.drop_blank()
            if ahead.peek() is not None:
                ahead.drop(_taken(ahead, marks))
        yield from named(read_cells(ahead, marks, _judge(names, wanted, answers)), names)


def _judge(names: Sequence[str], wanted: WantedColumns, answers: Answers) -> Judge:
    single = frozenset().union(*(columns for _, columns in wanted.required))
    return Judge(
        len(names),
        frozenset(at for at, name in enumerate(names) if name in single),
        lambda cells: answers.is_one(dict(zip(names, cells, strict=True))),
        lambda cells: answers.may_be_one(dict(zip(names, cells, strict=True))),
    )


def named(rows: Iterator[Cells], names: Sequence[str]) -> Iterator[NamedRow]:
    """Rows with more or fewer cells than names are told from those that fit."""
    for line, cells in rows:
        if isinstance(cells, InvalidRecord):
            yield line, cells
        elif len(cells) != len(names):
            yield (
                line,
                InvalidRecord(DeadLetterReason.MALFORMED, None, "this row has more or fewer cells than the header"),
            )
        else:
            yield line, dict(zip(names, cells, strict=True))


def header_of(rows: Sequence[Sequence[str]], rules: Rows, wanted: WantedColumns, where: str) -> list[str]:
    """The names of the columns: those the source file lists, else those of the header. Raises Misconfigured."""
    names = column_names(rows) if not rules.columns else [column_name(name) for name in rules.columns]
    if rules.columns and rows and len(rows[-1]) != len(names):
        raise Misconfigured(f"{where}: the file has {len(rows[-1])} columns and rows.columns lists {len(names)}")
    check_names(names, wanted, where)
    return names


_PARTNERS = Answers(lambda row: True, lambda row: len(row) > 2)
"""Any row of a joined file may be right; with two columns, any line with one delimiter would seem a row."""


def joined(join: Join, folder: Path, rules: Rows) -> dict[str, dict[str, str | None]]:
    """The rows of the file beside the answers, by the column that both have. Raises Misconfigured."""
    path, on = _beside(folder, join.file), column_name(join.on)
    wanted = WantedColumns(frozenset({on}), ((f"rows.join.on in {join.file}", frozenset({on})),))
    table: dict[str, dict[str, str | None]] = {}
    for line, row in csv_rows(path, Rows(delimiter=rules.delimiter, escape=rules.escape), wanted, _PARTNERS):
        if isinstance(row, InvalidRecord):
            raise Misconfigured(f"{path.name}, line {line}: {row.detail}")
        table.setdefault(row[on], {name: cell or None for name, cell in row.items()})
    return table


def _beside(folder: Path, name: str) -> Path:
    """The file of that name; some systems store `ü` as two letters."""
    path = folder / name
    if path.exists() or name.isascii() or not folder.is_dir():
        return path
    same = unicodedata.normalize("NFC", name)
    return next((each for each in folder.iterdir() if unicodedata.normalize("NFC", each.name) == same), path)


def _separator(ahead: Ahead) -> str | None:
    line = ahead.peek()
    stated = _SEP.fullmatch(line.text.strip(" ")) if line is not None else None
    if stated is None:
        return None
    ahead.drop()
    ahead.drop_blank()
    return stated[1]


def _found(ahead: Ahead, rules: Rows, wanted: WantedColumns) -> str:
    """The delimiter that makes the most known columns of the header; of equals, the one that makes the most cells."""

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            rows, _ = _header_rows(ahead, Marks(delimiter, rules.escape), max(1, rules.header_rows))
        except BrokenQuote:
            line = ahead.peek()
            rows = [line.text.split(delimiter)] if line is not None else []
        if rules.columns:
            return int(bool(rows) and len(rows[-1]) == len(rules.columns)), 0
        names = column_names(rows)
        return wanted.known_in(names), len(names)

    return max(DELIMITERS, key=fitness)


def _names(ahead: Ahead, marks: Marks, rules: Rows, wanted: WantedColumns, path: Path) -> list[str]:
    line = ahead.peek()
    where = f"{path.name}, line {line.number if line else 1}"
    try:
        rows, taken = _header_rows(ahead, marks, rules.header_rows)
    except BrokenQuote:
        raise Misconfigured(f"{where}: the header's quotes are not closed; mend them") from None
    if len(rows) < max(1, rules.header_rows) and not (rules.columns and line is not None):
        told = ", ".join(f'"{name}"' for name in sorted(wanted.columns)[:8]) or "any"
        raise Misconfigured(
            f"{path.name} has no header; looked for the columns {told}. Check the file and rows.skip_rows"
        )
    names = header_of(rows, rules, wanted, where)
    ahead.drop(taken)
    return names


def _header_rows(ahead: Ahead, marks: Marks, count: int) -> tuple[list[list[str]], int]:
    """The next `count` rows, and over how many lines they go. Raises BrokenQuote."""
    rows: list[list[str]] = []
    taken = 0
    while len(rows) < count and (line := ahead.peek(taken)) is not None:
        if line.is_cut:
            raise BrokenQuote
        cells, lines = cells_at(_From(ahead, taken), marks)
        taken += lines
        if any(cell.strip() for cell in cells):
            rows.append(cells)
    return rows, taken


def _taken(ahead: Ahead, marks: Marks) -> int:
    try:
        return cells_at(ahead, marks)[1]
    except BrokenQuote:
        return 1


class _From(Ahead):
    """The same lines, counted from a place further on."""

    def __init__(self, ahead: Ahead, start: int) -> None:
        self._ahead, self._start = ahead, start

    def peek(self, place: int = 0) -> Line | None:
        return self._ahead.peek(self._start + place)
