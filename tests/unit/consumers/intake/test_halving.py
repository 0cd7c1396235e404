"""A batch goes through in pieces when it does not go through whole; nothing is lost, doubled or put out of order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import Unavailable
from consumers.intake.halving import in_pieces, within


class Poisoned(Exception):
    pass


class Taker:
    """Takes numbers. `poison` fails wherever it is; more than `most` at once are too many."""

    def __init__(self, poison: set[int], most: int = 10_000) -> None:
        self.poison = poison
        self.most = most
        self.tries = 0
        self.waits = 0
        self.left_out: list[int] = []

    async def take(self, piece: Sequence[int]) -> int:
        self.tries += 1
        if len(piece) > self.most:
            raise Unavailable("the statement took too long")
        if self.poison & set(piece):
            raise Poisoned
        return len(piece)

    async def wait(self, error: Unavailable) -> bool:
        self.waits += 1
        return True

    async def without_first(self, left: Sequence[int], error: Exception) -> Sequence[int]:
        self.left_out.append(left[0])
        return left[1:]

    async def run(self, batch: Sequence[int]) -> list[list[int]]:
        pieces = in_pieces(batch, self.take, wait=self.wait, without_first=self.without_first)
        return [list(piece) async for piece, _ in pieces]


@given(st.integers(0, 60), st.sets(st.integers(0, 59)), st.integers(1, 60))
async def test_all_but_the_poison_goes_through_in_order(count: int, poison: set[int], most: int) -> None:
    taker = Taker(poison, most)
    pieces = await taker.run(range(count))
    assert [each for piece in pieces for each in piece] == [each for each in range(count) if each not in poison]
    assert taker.left_out == sorted(poison & set(range(count)))


async def test_a_batch_without_trouble_is_one_piece() -> None:
    assert await Taker(set()).run(range(2000)) == [list(range(2000))]


async def test_one_poison_among_two_thousand_costs_a_few_tries() -> None:
    taker = Taker({777})
    await taker.run(range(2000))
    assert taker.tries < 40


async def test_what_is_too_much_for_one_statement_is_tried_in_halves() -> None:
    taker = Taker(set(), most=600)
    pieces = await taker.run(range(2000))
    assert max(map(len, pieces)) <= 600
    assert sum(map(len, pieces)) == 2000


async def test_whoever_is_told_to_stop_while_waiting_leaves_the_rest() -> None:
    async def stop(error: Unavailable) -> bool:
        return False

    taker = Taker(set(), most=0)
    pieces = in_pieces(range(10), taker.take, wait=stop, without_first=taker.without_first)
    assert [piece async for piece, _ in pieces] == []


async def test_what_cannot_go_on_without_the_first_ends_there() -> None:
    async def cannot(left: Sequence[int], error: Exception) -> Sequence[int]:
        raise error

    taker = Taker({0})
    pieces = in_pieces(range(10), taker.take, wait=taker.wait, without_first=cannot)
    with pytest.raises(Poisoned):
        await anext(pieces)


@given(st.lists(st.integers(0, 20), max_size=30), st.integers(1, 15))
def test_groups_are_as_large_as_may_be(sizes: list[int], most: int) -> None:
    counts = within(sizes, most)
    assert sum(counts) == len(sizes)
    start = 0
    for count in counts:
        group = sizes[start : start + count]
        assert count == 1 or sum(group) <= most
        start += count
        assert start == len(sizes) or sum(group) + sizes[start] > most
