"""Gets a batch through in pieces when it does not go through whole, so that one bad record costs only itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from alerts.errors import Unavailable

Item = TypeVar("Item")
PieceResult = TypeVar("PieceResult")


async def in_pieces(
    batch: Sequence[Item],
    take: Callable[[Sequence[Item]], Awaitable[PieceResult]],
    *,
    wait: Callable[[Unavailable], Awaitable[bool]],
    without_first: Callable[[Sequence[Item], Exception], Awaitable[Sequence[Item]]],
) -> AsyncGenerator[tuple[Sequence[Item], PieceResult], None]:
    """Each piece that was taken, in the batch's order, with what `take` gave.

    After a failure the next try takes half as much, after a success twice as much. Unavailable may mean that one
    statement was asked too much, so it halves too, and `wait` says whether to go on. What fails alone is given to
    `without_first` with all that is left: it gives what to go on with.
    """
    left, size = list(batch), len(batch)
    while left:
        piece = left[:size]
        try:
            result = await take(piece)
        except Unavailable as error:
            if not await wait(error):
                return
            size = max(1, len(piece) // 2)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is found in fewer records
            if len(piece) > 1:
                size = len(piece) // 2
            else:
                left = list(await without_first(left, error))
        else:
            del left[: len(piece)]
            size = 2 * len(piece)
            yield piece, result


def within(sizes: Sequence[int], most: int) -> list[int]:
    """How many of the items, one after the other, go together so that no group is larger than `most`, or is one."""
    counts: list[int] = []
    room = 0
    for size in sizes:
        if not counts or size > room:
            counts.append(0)
            room = most
        counts[-1] += 1
        room -= size
    return counts
