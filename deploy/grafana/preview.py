"""Draws a dashboard as a picture, from its JSON and what its panels were answered. A preview: this is not Grafana.

The pictures in `docs/dashboards` are of the run of a test (docs/operations.md, "Dashboards").
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

COLUMN, ROW, GAP = 52, 30, 8
"""Pixels of one of Grafana's 24 columns, of one of its rows, and between panels."""

HEAD, EDGE = 58, 10
COLORS = ("#3b6fb6", "#d9822b", "#5a9e4b", "#8a5fb0", "#b8506b", "#3d9a9a", "#8c7a3d", "#777777")
LEVELS = {"green": "#3f8f4f", "yellow": "#c79a1c", "red": "#c2413b"}
STYLE = (
    "text{font:11px sans-serif;fill:#333}.t{font-size:12px;font-weight:bold}.h{font-size:18px;font-weight:bold}"
    ".r{font-size:13px;font-weight:bold;fill:#555}.s{fill:#777;font-size:10px}.p{fill:#fff;stroke:#ddd}.n{font-weight:bold}"
)
MOST_SHOWN = 12
LETTER = 6.4
"""Pixels of a letter, more or less."""


class Answer(Struct, frozen=True):
    """What is drawn under one name: `points` are (Unix time, value); of a figure the last one counts."""

    name: str
    points: list[tuple[float, float]]

    @property
    def last(self) -> float:
        return self.points[-1][1]


class Box(Struct, frozen=True):
    """Where something is drawn, in pixels."""

    x: float
    y: float
    width: float
    height: float


def draw(board: Mapping[str, Any], answers: Mapping[str, Sequence[Answer]]) -> str:
    """SVG. `answers`: by the panel's title. Raises KeyError for a panel that has none, not even an empty one."""
    width = 24 * COLUMN + 2 * EDGE
    height = HEAD + max(place["y"] + place["h"] for place in (each["gridPos"] for each in board["panels"])) * ROW + EDGE
    drawn = [_row(each) if each["type"] == "row" else _panel(each, answers[each["title"]]) for each in board["panels"]]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#f5f5f5"/>',
        _text(EDGE, 24, str(board["title"]), "h"),
        _text(EDGE, 44, f"{board['description']} A preview, drawn from the answers of a test; not Grafana.", "s"),
        *drawn,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _box(panel: Mapping[str, Any]) -> Box:
    at = panel["gridPos"]
    return Box(EDGE + at["x"] * COLUMN, HEAD + at["y"] * ROW, at["w"] * COLUMN - GAP, at["h"] * ROW - GAP)


def _row(panel: Mapping[str, Any]) -> str:
    box = _box(panel)
    return _text(box.x, box.y + 17, panel["title"], "r")


def _panel(panel: Mapping[str, Any], answers: Sequence[Answer]) -> str:
    box = _box(panel)
    inner = Box(box.x + 10, box.y + 28, box.width - 20, box.height - 38)
    content = (
        _DRAWN[panel["type"]](panel, answers, inner)
        if answers
        else [_text(inner.x, inner.y + 14, "nothing to show", "s")]
    )
    lines = [
        f'<g id="panel-{panel["id"]}"><title>{escape(panel["title"] + ": " + panel["description"])}</title>',
        f'<rect class="p" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="3"/>',
        _text(box.x + 10, box.y + 18, panel["title"], "t"),
        *content,
        "</g>",
    ]
    return "\n".join(lines)


def _figures(panel: Mapping[str, Any], answers: Sequence[Answer], box: Box) -> list[str]:
    """Large, the name above each; two columns when there are many."""
    shown = answers[:MOST_SHOWN]
    across = 1 if len(shown) <= 2 else 2
    down = math.ceil(len(shown) / across)
    lines = []
    for place, each in enumerate(shown):
        x = box.x + (place % across) * box.width / across
        y = box.y + (place // across) * box.height / down
        size = min(34.0, box.height / down * 0.5, box.width / across / 5.2)
        name = each.name[: int(box.width / across / LETTER * 1.2)]
        lines += [_text(x, y + 12, name, "s"), _large(x, y + 14 + size, size, panel, each.last)]
    return lines


def _bars(panel: Mapping[str, Any], answers: Sequence[Answer], box: Box) -> list[str]:
    """The largest first, unless the panel itself says which comes first."""
    largest = answers if len(panel["targets"]) > 1 else sorted(answers, key=lambda each: -each.last)
    shown = largest[:MOST_SHOWN]
    most, high = max((each.last for each in shown), default=0) or 1, min(26.0, box.height / len(shown))
    room = min(box.width * 0.5, 12 + LETTER * max(len(each.name) for each in shown))
    lines = []
    for place, each in enumerate(shown):
        y, long = box.y + place * high, max(1.0, (box.width - room - 56) * each.last / most)
        bar = Box(box.x + room, y + 2, long, high * 0.65)
        value = _text(box.x + room + 6 + long, y + high * 0.6, written(each.last, _unit(panel)), "n")
        lines += [
            _text(box.x, y + high * 0.6, each.name[: int(room / LETTER)]),
            _rect(bar, _level(panel, each.last)),
            value,
        ]
    return lines


def _lines(panel: Mapping[str, Any], answers: Sequence[Answer], box: Box) -> list[str]:
    """The highest ones, where there are too many."""
    shown = sorted(answers, key=lambda each: -max(value for _, value in each.points))[:MOST_SHOWN]
    points = [point for each in shown for point in each.points]
    first, last = min(moment for moment, _ in points), max(moment for moment, _ in points)
    most = max(value for _, value in points) or 1.0
    plot = Box(box.x + 34, box.y + 4, box.width - 40, box.height - 42)

    def at(moment: float, value: float) -> str:
        x = plot.x + plot.width * (moment - first) / ((last - first) or 1)
        return f"{x:.0f},{plot.y + plot.height * (1 - value / most):.1f}"

    lines = [_text(box.x, plot.y + 8, written(most, _unit(panel)), "s"), _text(box.x, plot.y + plot.height, "0", "s")]
    lines.append(f'<path d="M{plot.x} {plot.y}v{plot.height}h{plot.width}" fill="none" stroke="#bbb"/>')
    for color, each in zip(_repeated(COLORS), shown, strict=False):
        way = " ".join(at(*point) for point in each.points)
        lines.append(f'<polyline points="{way}" fill="none" stroke="{color}" stroke-width="1.5"/>')
    return [*lines, *_times(plot, first, last), *_legend(shown, box)]


def _times(plot: Box, first: float, last: float) -> list[str]:
    pattern = "%d %b" if last - first > 86_400 else "%H:%M:%S"
    ends = [datetime.fromtimestamp(moment, UTC).strftime(pattern) for moment in (first, last)]
    y = plot.y + plot.height + 11
    return [_text(plot.x, y, ends[0], "s"), _text(plot.x + plot.width - 44, y, ends[1], "s")]


def _legend(answers: Sequence[Answer], box: Box) -> list[str]:
    """Two lines at the bottom, and what has no room there is left out."""
    lines, x, y = [], box.x, box.y + box.height - 9
    for color, each in zip(_repeated(COLORS), answers, strict=False):
        wide = 26 + len(each.name) * LETTER * 0.83
        if x + wide > box.x + box.width + 12:
            x, y = box.x, y + 13
        if y > box.y + box.height + 5:
            break
        lines += [_rect(Box(x, y - 7, 8, 8), color), _text(x + 12, y, each.name, "s")]
        x += wide
    return lines


def _heat(panel: Mapping[str, Any], answers: Sequence[Answer], box: Box) -> list[str]:
    """Of cumulative buckets, named by their upper bounds: a column for each moment, darker where more happened."""
    bounds = sorted(
        (each for each in answers if any(value for _, value in each.points)), key=lambda each: float(each.name)
    )
    moments = sorted({moment for each in bounds for moment, _ in each.points})
    if not moments:
        return [_text(box.x, box.y + 14, "nothing happened", "s")]
    cells, below = [], dict.fromkeys(moments, 0.0)
    for row, each in enumerate(bounds):
        values = dict(each.points)
        cells += [(moments.index(at), row, max(0.0, value - below[at])) for at, value in values.items()]
        below.update(values)
    most = max(value for _, _, value in cells) or 1.0
    wide, high = (box.width - 44) / len(moments), (box.height - 16) / len(bounds)
    lines = [
        _rect(
            Box(box.x + 44 + column * wide, box.y + (len(bounds) - 1 - row) * high, wide, high), "#b8506b", value / most
        )
        for column, row, value in cells
        if value > 0
    ]
    named = [
        _text(box.x, box.y + (len(bounds) - row) * high - 2, written(float(each.name), _unit(panel)), "s")
        for row, each in enumerate(bounds)
    ]
    plot = Box(box.x + 44, box.y, box.width - 44, box.height - 16)
    return [*lines, *named, *_times(plot, moments[0], moments[-1])]


_DRAWN = {"stat": _figures, "bargauge": _bars, "timeseries": _lines, "heatmap": _heat}


def _unit(panel: Mapping[str, Any]) -> str:
    return str(panel["fieldConfig"]["defaults"]["unit"])


def _level(panel: Mapping[str, Any], value: float) -> str:
    """The color of the last step that the value has reached."""
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return LEVELS[reached[-1]]


def written(value: float, unit: str) -> str:
    """As a person reads it: `3.5 h`, `14 %`, `yes`."""
    if math.isinf(value):
        return "more"
    match unit:
        case "percentunit":
            return f"{100 * value:.3g} %"
        case "bool_yes_no":
            return "yes" if value else "no"
        case "s":
            return _duration(value)
        case "cps" | "reqps":
            return f"{value:.3g} /s"
        case _:
            return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def _duration(seconds: float) -> str:
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{1000 * seconds:.3g} ms"


def _repeated(colors: Iterable[str]) -> Iterable[str]:
    several = list(colors)
    return (several[place % len(several)] for place in range(MOST_SHOWN))


def _rect(box: Box, fill: str, opacity: float = 1.0) -> str:
    shade = "" if opacity == 1 else f' fill-opacity="{opacity:.2f}"'
    return f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" fill="{fill}"{shade}/>'


def _large(x: float, y: float, size: float, panel: Mapping[str, Any], value: float) -> str:
    style = f"font-size:{size:.0f}px;fill:{_level(panel, value)}"
    return f'<text x="{x:.0f}" y="{y:.0f}" style="{style}">{escape(written(value, _unit(panel)))}</text>'


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    of_kind = f" class={quoteattr(kind)}" if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{of_kind}>{escape(words)}</text>'
