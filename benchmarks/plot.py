"""Plots as SVG, made here: no script, no font, nothing from elsewhere. What is measured goes over decades, so the axis
is logarithmic: a point for the median, and a line from the lowest to the highest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

LABELS, PLOT, RIGHT = 430, 420, 90
MOST_LETTERS = 64  # of a label
ROW, HEAD, FOOT = 24, 34, 26
WIDTH = LABELS + PLOT + RIGHT
INK, PALE, GRID, GOOD, BAD = "#222", "#8fb0dd", "#ddd", "#3f8f4f", "#b3432b"
STEPS = (1, 2, 5)


class Point(Struct, frozen=True):
    """One row. All values are above zero. `color`: of its point."""

    label: str
    median: float
    lowest: float
    highest: float
    color: str = "#2b6cb3"


def plot(title: str, points: Sequence[Point], line: float | None = None) -> str:
    """SVG; `line` is drawn from top to bottom at that value."""
    values = [value for each in points for value in (each.lowest, each.highest)] + ([line] if line else [])
    low, high = 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(math.log10(max(values)))
    high = high if high > low else low * 10
    height = HEAD + ROW * len(points) + FOOT
    told = "; ".join(f"{each.label}: {short(each.median)}" for each in points)
    parts = [
        _opening(height, f"{title}: {told}"),
        f'<text x="8" y="20" font-weight="bold" fill="{INK}">{escape(title)}</text>',
        *_axis(low, high, height),
        *(part for number, each in enumerate(points) for part in _row(number, each, low, high)),
    ]
    if line:
        x = _x(line, low, high)
        parts.append(
            f'<line x1="{x:.1f}" y1="{HEAD}" x2="{x:.1f}" y2="{height - FOOT}" stroke="{INK}" stroke-dasharray="5 4"/>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _opening(height: int, told: str) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    words = f'role="img" aria-label={quoteattr(told)} font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {words}>\n<rect width="100%" height="100%" fill="#fff"/>'


def short(value: float) -> str:
    """A number with three digits, and no more noughts than it needs."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _row(number: int, point: Point, low: float, high: float) -> list[str]:
    y = HEAD + ROW * number + ROW / 2
    at, left, right = (_x(value, low, high) for value in (point.median, point.lowest, point.highest))
    return [
        f'<text x="{LABELS - 10}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{escape(_cut(point.label))}</text>',
        f'<line x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}" stroke="{PALE}" stroke-width="5"/>',
        f'<circle cx="{at:.1f}" cy="{y:.1f}" r="4.5" fill="{point.color}"/>',
        f'<text x="{LABELS + PLOT + 8}" y="{y + 4:.1f}" fill="{INK}">{short(point.median)}</text>',
    ]


def _cut(label: str) -> str:
    return label if len(label) <= MOST_LETTERS else f"{label[: MOST_LETTERS - 1]}…"


def _axis(low: float, high: float, height: int) -> list[str]:
    """A line for each decade, and for 2 and 5 of it where there is room."""
    decades = round(math.log10(high / low))
    steps = STEPS if decades <= 3 else STEPS[:1]
    marks = [low * 10**decade * step for decade in range(decades) for step in steps] + [high]
    return [
        f'<line x1="{x:.1f}" y1="{HEAD}" x2="{x:.1f}" y2="{height - FOOT}" stroke="{GRID}"/>'
        f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" fill="{INK}">{short(mark)}</text>'
        for mark in marks
        for x in (_x(mark, low, high),)
    ]


def _x(value: float, low: float, high: float) -> float:
    return LABELS + PLOT * math.log(value / low) / math.log(high / low)
