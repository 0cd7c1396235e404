"""How likely so few, or so many, hard ones are among those that were drawn at random from a pool: exact.

One pool is the hypergeometric distribution; of several pools (queues, days) the draws are added up exactly.

To add two of them, each chance of one is multiplied with each of the other, as digits are when two numbers are multiplied.
So the chances are written as the places of whole numbers, and these are multiplied.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate

from msgspec import Struct

from alerts.insights.binomial import log_exactly
from alerts.insights.share import Count

_NEGLIGIBLE = 1e-18

_UNIT = 72
"""A chance is written in units of 2 ** -72, far below what is negligible."""

_PLACE = 19
"""Bytes of one place: room for a sum of products, in units of 2 ** -144, which is 1 at most, or hardly more."""


class Draw(Struct, frozen=True):
    """What was drawn, and the pool it was drawn from, the drawn ones included: hard ones of all."""

    own: Count
    pool: Count

    @property
    def expected(self) -> float:
        """Hard ones, if nobody had looked."""
        return self.own.of * self.pool.count / self.pool.of if self.pool.of else 0.0


class Chances(Struct, frozen=True):
    """`of_each[i]` is the chance of `lowest + i` hard ones."""

    lowest: int
    of_each: tuple[float, ...]

    def at_most(self, count: int) -> float:
        return min(1.0, math.fsum(self.of_each[: max(0, count - self.lowest + 1)]))

    def at_least(self, count: int) -> float:
        return min(1.0, math.fsum(self.of_each[max(0, count - self.lowest) :]))


CERTAIN_NONE = Chances(0, (1.0,))


def chances(draw: Draw) -> Chances:
    """Of every number of hard ones, save those that practically never happen.

    Source: the hypergeometric distribution as a quotient of binomial ones, so that large pools lose no precision
    (Loader 2000, as in `binomial`).
    """
    return _chances(draw.own.of, draw.pool)


@lru_cache(maxsize=4096)
def _chances(drawn: int, pool: Count) -> Chances:
    """Remembered, for many of a team take equally many from one pool."""
    hard, easy = pool.count, pool.of - pool.count
    least, most = max(0, drawn - easy), min(hard, drawn)
    likeliest = min(most, max(least, (drawn + 1) * (hard + 1) // (pool.of + 2)))
    up, down = [_exactly(likeliest, hard, easy, drawn)], []
    for x in range(likeliest, most):
        up.append(up[-1] * (hard - x) / (x + 1) * (drawn - x) / (easy - drawn + x + 1))
        if up[-1] < _NEGLIGIBLE:
            break
    last = up[0]
    for x in range(likeliest, least, -1):
        last *= x / (hard - x + 1) * (easy - drawn + x) / (drawn - x + 1)
        down.append(last)
        if last < _NEGLIGIBLE:
            break
    return Chances(likeliest - len(down), (*reversed(down), *up))


def chance_of_at_most(count: int, draws: Iterable[Draw]) -> float:
    """Of so many hard ones, or fewer, in all draws together."""
    sums = [_written(chances(draw)) for draw in draws]
    while len(sums) > 2:  # two and two, so that few long ones are multiplied
        odd = sums[-1:] if len(sums) % 2 else []
        sums = [_added(first, second) for first, second in zip(sums[::2], sums[1::2], strict=False)] + odd
    first, second = [*map(_read, sums), CERTAIN_NONE, CERTAIN_NONE][:2]
    below = [0.0, *accumulate(second.of_each)]
    left = count - first.lowest - second.lowest + 1  # places of the second that go with the lowest of the first
    return min(
        1.0, math.fsum(each * below[max(0, min(left - i, len(below) - 1))] for i, each in enumerate(first.of_each))
    )


def same_share(first: Count, second: Count) -> float:
    """The two-sided p-value of two shares being the same: twice the smaller tail of Fisher's exact test.

    Source: R. A. Fisher, "The logic of inductive inference", JRSS 98 (1935) 39-54; the doubling: F. Yates, "Tests of
    significance for 2 x 2 contingency tables", JRSS A 147 (1984) 426-463.
    """
    pool = Count(first.count + second.count, first.of + second.of)
    found = chances(Draw(first, pool))
    return min(1.0, 2 * min(found.at_most(first.count), found.at_least(first.count)))


def _exactly(x: int, hard: int, easy: int, drawn: int) -> float:
    if not drawn:
        return 1.0
    p = drawn / (hard + easy)
    log = log_exactly(x, hard, p) + log_exactly(drawn - x, easy, p) - log_exactly(drawn, hard + easy, p)
    return math.exp(log)


class _Written(Struct, frozen=True):
    """Chances as the places of a number, that of the lowest count in the last place."""

    lowest: int
    number: int


@lru_cache(maxsize=4096)
def _written(found: Chances) -> _Written:
    places = [int(chance * 2**_UNIT).to_bytes(_PLACE, "little") for chance in found.of_each]
    return _Written(found.lowest, int.from_bytes(b"".join(places), "little"))


def _added(first: _Written, second: _Written) -> _Written:
    product = first.number * second.number
    kept = _PLACE - _UNIT // 8
    whole = int.from_bytes((b"\xff" * kept + bytes(_PLACE - kept)) * _places(product), "little")
    number = product >> _UNIT & whole  # each place in whole units again
    impossible = ((number & -number).bit_length() - 1) // (8 * _PLACE)
    return _Written(first.lowest + second.lowest + impossible, number >> impossible * 8 * _PLACE)


def _read(written: _Written) -> Chances:
    places = written.number.to_bytes(_places(written.number) * _PLACE, "little")
    each = [places[at : at + _PLACE] for at in range(0, len(places), _PLACE)]
    return Chances(written.lowest, tuple(int.from_bytes(place, "little") / 2**_UNIT for place in each))


def _places(number: int) -> int:
    return -(-number.bit_length() // (8 * _PLACE))
