"""Writes docs/performance.md from what benchmarks have found: `python -m benchmarks --page docs/performance.md < runs`.

Pure but for the files it writes: the same runs make the same page. Of each benchmark the last full run counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.goals import GOALS, Figure, Goal
from benchmarks.machine import Machine
from benchmarks.plot import BAD, GOOD, Point, plot, short
from benchmarks.results import Findings, Table, cell_text

RANGE = ("median", "lowest", "highest")
"""The columns that a table has, after its first, when a plot can be made of it."""

HEAD = """# Performance

What was measured, beside what could be had at best on the same machine in the same minutes. `make bench` writes this page;
nothing in it is written by hand. What each benchmark does, and how to read it: [benchmarks](../benchmarks/README.md).
What an installation needs, and how it grows: [operations](operations.md#sizing). Figures from before there was this
page: [earlier](performance/earlier.md). What keeps a goal that is missed from being met: [in the way](performance/in-the-way.md).

**How to read it.** The ratios, not the figures: a figure belongs to one machine at one hour, a ratio compares two things
that ran in turns in the same minutes. *Median* is that of the rounds kept, *lowest* and *highest* are the worst and the
best of them, whichever it is. A goal is judged by the median; the worst round stands beside it. In the plots the axis is
logarithmic, the point is the median, the line goes from the lowest round to the highest.
"""


class Run(Struct, frozen=True, kw_only=True):
    """What one benchmark found, where and when (UTC)."""

    at: str
    quick: bool
    machine: Machine
    findings: Findings


class Page(Struct, frozen=True):
    """The text, and the pictures that lie in the folder of its name, by file name."""

    text: str
    pictures: dict[str, str]


def read_runs(lines: Iterable[str]) -> list[Run]:
    """One run a line, as `--json` prints them. Raises msgspec.ValidationError."""
    return [msgspec.json.decode(line, type=Run) for line in lines if line.strip()]


def make_page(runs: Sequence[Run], folder: str) -> Page:
    """`folder`: where the pictures will lie, beside the page. Raises ValueError when nothing was measured in full."""
    newest = {each.findings.name: each for each in runs if not each.quick}
    if not newest:
        raise ValueError("there is no full run to write a page of; --quick is only to see that the benchmarks work")
    figures = {name: found for each in newest.values() for name, found in each.findings.figures.items()}
    pictures = {"goals.svg": _goals_plot(figures)} if figures else {}
    parts = [HEAD, "## Goals\n", _goals(figures)]
    if figures:
        parts.append(f"![how far from each goal]({folder}/goals.svg)\n")
    parts += ["## Where\n", _machines(list(newest.values()))]
    for each in newest.values():
        parts.append(_section(each, folder, pictures))
    return Page("\n".join(parts), pictures)


def write_page(page: Page, path: Path) -> None:
    """The page, and its pictures in a folder beside it; pictures of before go."""
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, drawn in page.pictures.items():
        (folder / name).write_text(drawn)
    path.write_text(page.text)


def _goals(figures: Mapping[str, Figure]) -> str:
    rows: list[tuple[str, ...]] = []
    for goal in GOALS:
        found = figures.get(goal.figure)
        measured = (
            (short(found.median), short(found.worst), _verdict(goal, found)) if found else ("", "", "not measured")
        )
        rows.append((goal.what, *measured, goal.words(goal.goal), goal.words(goal.stretch)))
    return _markdown(("what", "median", "worst round", "", "goal", "stretch"), rows)


def _verdict(goal: Goal, found: Figure) -> str:
    if goal.is_stretched(found):
        return "met, and the stretch"
    return "met" if goal.is_met(found) else "**missed**"


def _goals_plot(figures: Mapping[str, Figure]) -> str:
    """How many times as good as its goal each is; 1 is the goal."""
    points = []
    for goal in GOALS:
        found = figures.get(goal.figure)
        if found is not None and min(found.median, found.worst) > 0:
            good, worst = (
                goal.goal / value if goal.is_most else value / goal.goal for value in (found.median, found.worst)
            )
            points.append(
                Point(goal.what, good, min(good, worst), max(good, worst), GOOD if goal.is_met(found) else BAD)
            )
    return plot("Times as good as the goal (right of the line is met)", points, line=1.0)


def _machines(runs: Sequence[Run]) -> str:
    """One row a benchmark: two of them need not have run on the same machine."""
    rows = []
    for each in runs:
        machine = each.machine
        where = f"{machine.processor}, {machine.cores} cores, {machine.memory_gib:g} GiB, {machine.system}"
        spin = "" if machine.spin_ms is None else f"{machine.spin_ms:g}"
        rows.append(
            (
                each.findings.name,
                each.at,
                machine.commit,
                where,
                f"{machine.load:g}",
                f"{machine.fdatasync_us:,.0f}",
                spin,
                machine.python,
            )
        )
    packages = {f"{name} {version}" for each in runs for name, version in each.machine.packages.items()}
    told = f"{', '.join(sorted(packages))}.\n"
    if beside := [each.findings.name for each in runs if each.machine.load > each.machine.cores]:
        told += (
            f"\n**Beside other work**, a load above the number of cores, and so to be run again: {', '.join(beside)}.\n"
        )
    columns = ("benchmark", "when", "source", "machine", "load before", "fdatasync, us", "fixed work, ms", "Python")
    return "\n".join([_markdown(columns, rows), told])


def _section(run: Run, folder: str, pictures: dict[str, str]) -> str:
    found = run.findings
    parts = [f"## {found.name}\n"]
    for number, table in enumerate(found.tables, start=1):
        parts += [f"**{table.title}**\n", _markdown(table.columns, [tuple(map(cell_text, row)) for row in table.rows])]
        if points := _points(table):
            name = f"{found.name}-{number}.svg"
            pictures[name] = plot(table.title, points)
            parts.append(f"![{table.title}]({folder}/{name})\n")
    for name, drawn in found.pictures.items():
        pictures[f"{name}.svg"] = drawn
        parts.append(f"![{name}]({folder}/{name}.svg)\n")
    parts.append("".join(f"- {note}\n" for note in found.notes))
    for when, explained in found.plans.items():
        parts.append(f"<details><summary>Plan {when}</summary>\n\n```\n{explained}\n```\n\n</details>\n")
    return "\n".join(parts)


def _points(table: Table) -> list[Point]:
    if table.columns[1:4] != RANGE:
        return []
    found = []
    for row in table.rows:
        values = [float(cell) for cell in row[1:4] if isinstance(cell, int | float) and cell > 0]
        if len(values) == len(RANGE):
            found.append(Point(str(row[0]), values[0], values[1], values[2]))
    return found


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(each.replace('|', '/') for each in line)} |" for line in lines) + "\n"
