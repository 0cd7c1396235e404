"""How likely so many, or so few, are when each of n answers is bad with the chance p: exact, also of millions.

Probabilities of single counts are those of C. Loader, "Fast and accurate computation of binomial probabilities" (2000):
no large numbers are subtracted, so nothing is lost when n is large. A tail is the sum of its terms, from the largest
outwards, until they no longer count; in logarithms, so that nothing is too small to be told.
"""

from __future__ import annotations

import math

_NEGLIGIBLE = 1e-18


def at_least(count: int, of: int, p: float) -> float:
    """P(X >= count)."""
    return math.exp(log_at_least(count, of, p))


def at_most(count: int, of: int, p: float) -> float:
    """P(X <= count)."""
    return math.exp(log_at_most(count, of, p))


def log_at_least(count: int, of: int, p: float) -> float:
    """The natural logarithm of P(X >= count); -inf for what cannot be."""
    return _log_tail(count, of, p, 1 - p)


def log_at_most(count: int, of: int, p: float) -> float:
    """The natural logarithm of P(X <= count): as many of the other kind, or more."""
    return _log_tail(of - count, of, 1 - p, p)


def log_exactly(count: int, of: int, p: float) -> float:
    """The natural logarithm of P(X = count)."""
    return _log_exactly(count, of, p, 1 - p)


def _log_tail(count: int, of: int, p: float, q: float) -> float:
    if count <= 0:
        return 0.0
    if count > of:
        return -math.inf
    if count > (of + 1) * p:
        return _sum_outwards(count, of, p, q)
    # Below the most likely count the other tail is the small one, and what is small is summed.
    return math.log1p(-math.exp(_sum_outwards(of - count + 1, of, q, p)))


def _sum_outwards(count: int, of: int, p: float, q: float) -> float:
    """The logarithm of the terms from `count` up, which must not lie below the most likely count."""
    term = sum_ = 1.0
    for at in range(count, of):
        term *= (of - at) / (at + 1) * (p / q)
        sum_ += term
        if term < _NEGLIGIBLE * sum_:
            break
    return _log_exactly(count, of, p, q) + math.log(sum_)


def _log_exactly(count: int, of: int, p: float, q: float) -> float:
    if not 0 <= count <= of:
        return -math.inf
    if count == 0:
        return of * _log(q, p) if of else 0.0
    if count == of:
        return of * _log(p, q)
    if p in (0.0, 1.0):
        return -math.inf
    lost = _deviance(count, of * p) + _deviance(of - count, of * q)
    factorials = _beyond_stirling(of) - _beyond_stirling(count) - _beyond_stirling(of - count)
    return factorials - lost + 0.5 * math.log(of / (2 * math.pi * count) / (of - count))


def _log(p: float, q: float) -> float:
    """log p where p + q = 1, from whichever of the two is known better."""
    if p == 0:
        return -math.inf
    return math.log(p) if p < 0.5 else math.log1p(-q)


def _beyond_stirling(n: int) -> float:
    """What log n! has more than Stirling's formula, for n >= 1."""
    if n < 16:
        return math.lgamma(n + 1) - 0.5 * math.log(2 * math.pi * n) - n * math.log(n) + n
    square = n * n
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n


def _deviance(count: float, expected: float) -> float:
    """count * log(count / expected) + expected - count, also where the two are nearly equal."""
    gap = count - expected
    if abs(gap) >= 0.1 * (count + expected):
        return count * math.log(count / expected) - gap
    ratio = gap / (count + expected)
    sum_, factor = gap * ratio, 2 * count * ratio
    for odd in range(3, 1000, 2):
        factor *= ratio * ratio
        before, sum_ = sum_, sum_ + factor / odd
        if sum_ == before:
            break
    return sum_
