"""What a benchmark found, as a table for people and as one JSON object for programs."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from benchmarks.goals import Figure, judged

Cell = str | int | float | None


class Table(Struct, frozen=True, kw_only=True):
    """`columns` carry the units. A cell that is None was not measured."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


class Findings(Struct, frozen=True, kw_only=True):
    """One benchmark's tables; `notes` say under what conditions, `figures` are what `goals.GOALS` are judged by,
    `plans` hold what the database says of a statement, `pictures` are SVG by name."""

    name: str
    tables: list[Table]
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)


def render(findings: Findings) -> str:
    parts = [f"== {findings.name}"]
    for table in findings.tables:
        parts += ["", table.title, *_lines(table)]
    parts += ["", *(f"* {note}" for note in findings.notes)]
    parts += [f"* {'met' if met else 'MISSED'}: {goal}" for goal, met in judged(findings.figures).items()]
    parts += [f"\nPlan {when}\n{plan}" for when, plan in findings.plans.items()]
    return "\n".join(parts)


def _lines(table: Table) -> list[str]:
    cells = [table.columns, *(tuple(map(cell_text, row)) for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [_line(row, widths) for row in cells]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    return "  ".join([f"  {first}", *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))])


def cell_text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        digits = 0 if abs(cell) >= 1000 else 2 if abs(cell) >= 0.1 else 4
        return f"{cell:,.{digits}f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
