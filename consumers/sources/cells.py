"""Reads the rows of a CSV text strictly, so that a broken quote costs the row that it is in and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from msgspec import Struct

from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.sources.lines import NOT_TEXT, Ahead, Line

MAX_CELL_LINES = 1000
MAX_CELL = 128 * 1024
"""Lines and characters in one quoted cell. What goes on longer is a quote that was never closed."""

Cells: TypeAlias = tuple[int, list[str] | InvalidRecord]
"""The line on which a row begins, and its cells, or why it has none."""


class Marks(Struct, frozen=True):
    """The signs of a file: what stands between cells, and what makes a quote within quotes a letter besides a second one."""

    delimiter: str
    escape: str | None = None

    def next_in_quotes(self, text: str, at: int) -> int:
        """Where the next quote or escape stands; -1 when none does."""
        quote = text.find('"', at)
        escape = text.find(self.escape, at) if self.escape is not None else -1
        return escape if escape >= 0 and (escape < quote or quote < 0) else quote


class Judge(Struct, frozen=True):
    """What a reader knows of its rows: how many cells they have, what is one, and what at least seems one.

    `on_one_line`: places of cells that hold an id, a rating or a time, and so no line break.
    """

    width: int
    on_one_line: frozenset[int]
    is_row: Callable[[list[str]], bool]
    may_be_row: Callable[[list[str]], bool]


class BrokenQuote(Exception):
    """A quote is not closed, or text stands behind a closed one."""


def read_cells(ahead: Ahead, marks: Marks, judge: Judge) -> Iterator[Cells]:
    """Each row of `ahead` that is not blank.

    A row whose quotes are broken is given up at the end of its first line, and the next line begins anew. A quoted
    cell may go on over lines; but where one of these seems a row by itself, nobody can tell a pasted row from a
    quote that was forgotten, and each line of the cell is named.
    """
    while (line := ahead.peek()) is not None:
        try:
            if line.is_cut:
                raise InvalidRecord(
                    DeadLetterReason.TOO_LARGE, None, "this line has more than a million characters; send less"
                )
            cells, taken = cells_at(ahead, marks)
            holds_rows = taken > 1 and _holds_rows(ahead, cells, taken, marks, judge)
            if taken > 1 and not _is_whole(cells, judge, holds_rows):
                raise BrokenQuote
        except BrokenQuote:
            yield line.number, _malformed("a quote is not closed, or text stands behind it; mend the quotes")
            taken = 1
        except InvalidRecord as why:
            yield line.number, why
            taken = 1
        else:
            if holds_rows:
                yield from _each(ahead, taken)
            elif any(cell.strip() for cell in cells):
                yield line.number, _checked(cells)
        ahead.drop(taken)


def cells_at(ahead: Ahead, marks: Marks) -> tuple[list[str], int]:
    """The cells of the row that begins with the next line, and over how many lines it goes. Raises BrokenQuote.

    A quote within a cell that did not begin with one is a letter like any other.
    """
    line = ahead.peek()
    assert line is not None
    if '"' not in line.text:
        return line.text.split(marks.delimiter), 1
    row = _Row(ahead, line, marks)
    cells = [row.next_cell()]
    while row.goes_on:
        cells.append(row.next_cell())
    return cells, row.taken


class _Row:
    """A place in a row, which moves from cell to cell."""

    def __init__(self, ahead: Ahead, line: Line, marks: Marks) -> None:
        self.taken = 1
        self.goes_on = True
        self._ahead, self._line, self._at, self._marks = ahead, line, 0, marks
        self._blanks = " \t".replace(marks.delimiter, "")

    def next_cell(self) -> str:
        if self._line.text.startswith('"', self._at):
            self._at += 1
            return self._quoted()
        return self._until_delimiter()

    def _until_delimiter(self) -> str:
        start, end = self._at, self._line.text.find(self._marks.delimiter, self._at)
        self.goes_on = end >= 0
        self._at = end + 1
        return self._line.text[start:end] if self.goes_on else self._line.text[start:]

    def _quoted(self) -> str:
        parts: list[str] = []
        size = 0
        while True:
            text = self._line.text
            end = self._marks.next_in_quotes(text, self._at)
            if end < 0:
                parts.append(text[self._at :] + self._line.end)
                size += len(parts[-1])
                self._next_line(size)
            elif text[end] != '"':
                parts.append(text[self._at : end] + text[end + 1 : end + 2])
                self._at = end + 2
            elif text.startswith('"', end + 1):
                parts.append(text[self._at : end + 1])
                self._at = end + 2
            else:
                parts.append(text[self._at : end])
                self._at = end + 1
                if self._until_delimiter().strip(self._blanks):
                    raise BrokenQuote
                return "".join(parts)

    def _next_line(self, size: int) -> None:
        line = self._ahead.peek(self.taken)
        if line is None or line.is_cut or self.taken >= MAX_CELL_LINES or size > MAX_CELL:
            raise BrokenQuote
        self._line, self._at, self.taken = line, 0, self.taken + 1


def _is_whole(cells: list[str], judge: Judge, holds_rows: bool) -> bool:
    if len(cells) != judge.width or any(_goes_on(cells[at]) for at in judge.on_one_line):
        return False
    return not holds_rows or judge.is_row(cells)


def _goes_on(cell: str) -> bool:
    return "\n" in cell or "\r" in cell


def _holds_rows(ahead: Ahead, cells: list[str], taken: int, marks: Marks, judge: Judge) -> bool:
    """Whether a line within the quotes is a row, or seems one.

    What stands behind the quotes on the last line is the row's own; only what stands before can be another's.
    """
    inside = max((at for at, cell in enumerate(cells) if _goes_on(cell)), default=0)
    for place in range(1, taken):
        alone = _alone(ahead, place, marks)
        if len(alone) != judge.width:
            continue
        before = alone[:inside] + [""] * (judge.width - inside) if place == taken - 1 else alone
        if judge.is_row(alone) or judge.may_be_row(before):
            return True
    return False


def _alone(ahead: Ahead, place: int, marks: Marks) -> list[str]:
    line = ahead.peek(place)
    assert line is not None
    try:
        return cells_at(Ahead(iter([line])), marks)[0]
    except BrokenQuote:
        return []


def _each(ahead: Ahead, taken: int) -> Iterator[Cells]:
    for place in range(taken):
        line = ahead.peek(place)
        if line is not None and line.text.strip():
            yield line.number, _malformed("a quoted cell holds lines that are rows themselves; mend the quotes")


def _checked(cells: list[str]) -> list[str] | InvalidRecord:
    if any(NOT_TEXT in cell for cell in cells if not cell.isascii()):
        return _malformed("bytes of this row mean nothing in the file's encoding; state `rows.encoding`")
    return cells


def _malformed(detail: str) -> InvalidRecord:
    return InvalidRecord(DeadLetterReason.MALFORMED, None, detail)
