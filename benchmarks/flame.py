"""Draws sampled stacks as a flame graph: a box for each function, as wide as its share of the samples, under whoever
called it. Made here as SVG, without script; a browser shows the whole name and the share of a box that is pointed at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct, field

WIDTH, ROW, HEAD = 1200, 17, 48
LETTER = 6.3
"""Pixels of a letter, more or less."""

SMALLEST = 0.002
"""A function with a smaller share of all samples is not drawn."""

COLORS = {
    "alerts": "#e39a3b",
    "consumers": "#e3b23b",
    "app": "#e8c568",
    "sqlalchemy": "#8fb0dd",
    "asyncpg": "#7ac0b0",
    "aiokafka": "#b79fd6",
    "fastapi": "#d99aa8",
    "starlette": "#d9b0ba",
    "pydantic": "#c9c27a",
    "uvicorn": "#a8b8a0",
}
OTHERS = "#d5d5d5"


class Node(Struct):
    """A function as called from where it stands; `count`: samples in it or in whatever it calls."""

    count: int = 0
    calls: dict[str, Node] = field(default_factory=dict)


def package_of(frame: str) -> str:
    return frame.partition(":")[0].partition(".")[0]


def own_time(stacks: Mapping[tuple[str, ...], int]) -> Counter[str]:
    """Samples by the package whose function was running itself."""
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        found[package_of(stack[-1])] += count
    return found


def draw(title: str, stacks: Mapping[tuple[str, ...], int]) -> str:
    """SVG. Raises ValueError when there is no sample."""
    total = sum(stacks.values())
    if not total:
        raise ValueError("there is nothing to draw")
    root = _tree(stacks)
    boxes = list(_boxes(root, 0.0, 0, WIDTH / total, total * SMALLEST))
    height = HEAD + ROW * (1 + max(depth for _, _, depth, _ in boxes)) + 8
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
    words = f'role="img" aria-label={quoteattr(title)} font-family="sans-serif" font-size="11"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {words}>',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="6" y="17" font-size="14" font-weight="bold">{escape(f"{title}: {total:,} samples")}</text>',
        *_legend(),
        *(_box(name, left, depth, count, WIDTH / total, total) for name, left, depth, count in boxes),
    ]
    return "\n".join([*parts, "</svg>\n"])


def _tree(stacks: Mapping[tuple[str, ...], int]) -> Node:
    root = Node()
    for stack, count in stacks.items():
        root.count += count
        node = root
        for frame in stack:
            node = node.calls.setdefault(frame, Node())
            node.count += count
    return root


def _boxes(node: Node, left: float, depth: int, scale: float, least: float) -> Iterator[tuple[str, float, int, int]]:
    """Name, left edge in pixels, depth and samples of all that is called here, the widest first."""
    for name, called in sorted(node.calls.items(), key=lambda each: -each[1].count):
        if called.count >= least:
            yield name, left, depth, called.count
            yield from _boxes(called, left, depth + 1, scale, least)
        left += called.count * scale


def _box(name: str, left: float, depth: int, count: int, scale: float, total: int) -> str:
    width, y = count * scale, HEAD + ROW * depth
    short = name.partition(":")[2]
    letters = int((width - 4) / LETTER)
    label = short if len(short) <= letters else f"{short[: letters - 1]}…" if letters > 3 else ""
    words = f'<text x="{left + 3:.1f}" y="{y + 12}">{escape(label)}</text>' if label else ""
    color = COLORS.get(package_of(name), OTHERS)
    return (
        f"<g><title>{escape(f'{name} {count / total:.1%}')}</title>"
        f'<rect x="{left:.1f}" y="{y}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}" fill="{color}"/>{words}</g>'
    )


def _legend() -> list[str]:
    names = [*COLORS.items(), ("others", OTHERS)]
    return [
        f'<rect x="{6 + 105 * number}" y="26" width="11" height="11" fill="{color}"/>'
        f'<text x="{21 + 105 * number}" y="36">{name}</text>'
        for number, (name, color) in enumerate(names)
    ]
