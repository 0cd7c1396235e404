"""Cuts stretches of time into whole units, of which a sum is kept, and what is left over, where answers must be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Span = tuple[datetime, datetime]


class Pieces(Struct, frozen=True):
    """`whole` begin and end with a unit, and no unit of theirs is cut. `parts` lie beside them; both in order of time."""

    whole: tuple[Span, ...]
    parts: tuple[Span, ...]


def pieces(spans: Iterable[Span], cuts: Iterable[datetime], unit: timedelta) -> Pieces:
    """`spans` do not overlap, and begin and end with a cut. Units are counted from 1970-01-01 UTC."""
    broken = sorted({_begin(cut, unit) for cut in cuts if _begin(cut, unit) != cut})
    whole: list[Span] = []
    parts: list[Span] = []
    for start, end in spans:
        for is_part, piece in _pieces(start, end, broken, unit):
            _add(parts if is_part else whole, piece)
    return Pieces(tuple(whole), tuple(parts))


def _add(spans: list[Span], piece: Span) -> None:
    """Those that touch are one."""
    if spans and spans[-1][1] == piece[0]:
        piece = (spans.pop()[0], piece[1])
    spans.append(piece)


def _pieces(start: datetime, end: datetime, broken: Sequence[datetime], unit: timedelta) -> Iterator[tuple[bool, Span]]:
    at = start
    for begin in (each for each in broken if start - unit < each < end):
        if at < begin:
            yield False, (at, begin)
        yield True, (max(at, begin), min(end, begin + unit))
        at = min(end, begin + unit)
    if at < end:
        yield False, (at, end)


def _begin(at: datetime, unit: timedelta) -> datetime:
    return at - (at - EPOCH) % unit
