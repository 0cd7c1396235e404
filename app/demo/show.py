"""Tells in a line or three what the demo is doing: in place on a terminal, now and then as plain lines elsewhere."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct
from rich.console import Console
from rich.live import Live
from rich.text import Text

from alerts.ledger.reading.demo_figures import Tally

EVERY_SECONDS, PLAIN_EVERY_SECONDS = 0.5, 5.0


class Latency(Struct, frozen=True):
    """Milliseconds within which half of the alerts, and 99 of 100, were raised; None before the first."""

    p50: float | None = None
    p99: float | None = None


def latency_of(seconds: Sequence[float]) -> Latency:
    if not seconds:
        return Latency()
    parts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else [*seconds] * 99
    return Latency(round(parts[49] * 1000, 1), round(parts[98] * 1000, 1))


def lines_of(tally: Tally, latency: Latency, seconds_left: float | None) -> list[str]:
    """What there is to see at this moment, for a person."""
    share = f" ({100 * tally.bottom_box / tally.answers:.0f} %)" if tally.answers else ""
    end = "Ctrl-C ends it" if seconds_left is None else f"{max(0.0, seconds_left):.0f} s left"
    states = f"{tally.waiting} waiting · {tally.leased} leased · {tally.resolved} resolved"
    return [
        f"answers    {tally.answers} read · {tally.bottom_box} in the bottom box{share} · {tally.set_aside} set aside",
        f"callbacks  {tally.opened} opened · {tally.joined} joined · {states}",
        f"alerts     {_milliseconds(latency)}{_after(night_of(tally))} · {end}",
    ]


def summary_of(tally: Tally, latency: Latency, seconds: float) -> str:
    """What happened, in a sentence."""
    return (
        f"In {seconds:.0f} s: {tally.answers} answers read, {tally.bottom_box} in the bottom box, {tally.opened} callbacks"
        f" opened, {tally.joined} joined, {tally.resolved} resolved; alert latency {_milliseconds(latency)}."
    )


def night_of(tally: Tally) -> str:
    """Why there is nothing to claim though callbacks wait: it is night where these customers live; else ""."""
    if not tally.waiting or tally.ready or tally.next_callable_at is None:
        return ""
    return f"nobody may be called before {tally.next_callable_at:%H:%M} UTC"


def _after(sentence: str) -> str:
    return f" · {sentence}" if sentence else ""


def _milliseconds(latency: Latency) -> str:
    if latency.p50 is None or latency.p99 is None:
        return "none raised yet"
    return f"p50 {latency.p50:.0f} ms, p99 {latency.p99:.0f} ms"


class Show:
    """Where the demo speaks: standard output, or standard error when that is for one JSON object."""

    def __init__(self, *, to_stderr: bool) -> None:
        self._console = Console(stderr=to_stderr, highlight=False)
        in_place = self._console.is_terminal and not self._console.is_dumb_terminal
        self._live = Live(console=self._console, auto_refresh=False) if in_place else None

    @property
    def every_seconds(self) -> float:
        """How often it is worth showing anew."""
        return EVERY_SECONDS if self._live is not None else PLAIN_EVERY_SECONDS

    def say(self, *lines: str) -> None:
        """Lines that stay. Never broken, so that a command can be pasted."""
        for line in lines:
            self._console.print(Text(line), soft_wrap=True)

    def doing(self, what: str) -> None:
        """What is being waited for; the next such line, or the first figures, take its place."""
        if self._live is not None:
            self._live.update(Text(what, style="dim"), refresh=True)

    def figures(self, lines: Sequence[str]) -> None:
        if self._live is not None:
            self._live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)
        else:
            self.say("; ".join(" ".join(line.split()) for line in lines))

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
