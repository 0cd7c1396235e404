"""Charts as inline SVG, made here: no script, no font, no picture from elsewhere; each says in words what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from alerts.insights.pareto import Bar
from alerts.insights.share import Share

WIDTH, HEIGHT = 640, 220
LEFT, BOTTOM, TOP = 44, 30, 12
INK, BAR, PALE, USUAL = "#222", "#b3432b", "#e7b8ad", "#2b6cb3"

STEPS = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""The tops that an axis of shares may have."""


def days_chart(names: Sequence[str], shares: Sequence[Share], usual: Share) -> str:
    """The bottom box of each day with its 95 % interval, and a line at what is usual."""
    top = _top([*(each.high or 0.0 for each in shares), usual.share or 0.0])
    slot = (WIDTH - LEFT) / max(1, len(shares))
    parts = [_axis(top)]
    for number, (name, share) in enumerate(zip(names, shares, strict=True)):
        parts.append(_day(LEFT + slot * number, slot, name, share, top))
    if usual.share is not None:
        y = _y(usual.share, top)
        parts.append(
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}" stroke="{USUAL}" stroke-dasharray="6 4"/>'
        )
    told = ", ".join(f"{name} {percent(share)}" for name, share in zip(names, shares, strict=True))
    return _svg(HEIGHT, f"Bottom box by day: {told}; usual {percent(usual)}", parts)


def causes_chart(bars: Sequence[Bar[tuple[str, ...]]]) -> str:
    """One bar for each cause, the largest first."""
    row, most = 24, max((bar.share.count for bar in bars), default=1)
    parts = []
    for number, bar in enumerate(bars):
        y, length = row * number + 4, (WIDTH - 320) * bar.share.count / most
        parts.append(_text(0, y + 13, f"{bar.name[1]} ({bar.name[0]})"))
        parts.append(f'<rect x="190" y="{y}" width="{length:.1f}" height="16" fill="{BAR}"/>')
        parts.append(_text(196 + length, y + 13, f"{bar.share.count}, together {bar.cumulative:.0%}"))
    told = ", ".join(f"{bar.name[1]} {bar.share.count}" for bar in bars)
    return _svg(row * len(bars) + 8, f"Callbacks by cause: {told}", parts)


def percent(share: Share) -> str:
    return "no answers" if share.share is None else f"{share.share:.1%}"


def _day(x: float, slot: float, name: str, share: Share, top: float) -> str:
    middle = x + slot / 2
    parts = [_text(middle, HEIGHT - 10, name, anchor="middle")]
    if share.share is not None and share.low is not None and share.high is not None:
        y, low, high = (_y(value, top) for value in (share.share, share.low, share.high))
        base = HEIGHT - BOTTOM
        told = f"<title>{escape(name)}: {share.count} of {share.of}</title>"
        box = f'x="{x + slot * 0.2:.1f}" y="{y:.1f}" width="{slot * 0.6:.1f}" height="{base - y:.1f}"'
        parts.append(f'<rect {box} fill="{PALE}">{told}</rect>')
        reach = f'x1="{middle:.1f}" y1="{low:.1f}" x2="{middle:.1f}" y2="{high:.1f}"'
        parts.append(f'<line {reach} stroke="{BAR}" stroke-width="2"/>')
    return "".join(parts)


def _axis(top: float) -> str:
    base = HEIGHT - BOTTOM
    marks = "".join(_text(LEFT - 6, _y(value, top) + 4, f"{value:.0%}", anchor="end") for value in (0.0, top / 2, top))
    return f'{marks}<line x1="{LEFT}" y1="{base}" x2="{WIDTH}" y2="{base}" stroke="{INK}"/>'


def _top(values: Sequence[float]) -> float:
    return next(step for step in STEPS if step >= min(1.0, max(values, default=0.0)))


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _text(x: float, y: float, words: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{INK}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(height: int, told: str, parts: Sequence[str]) -> str:
    label = escape(told, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-label="{label}" font-family="sans-serif">{"".join(parts)}</svg>'
    )
