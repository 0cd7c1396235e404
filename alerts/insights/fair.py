"""Who leaves the hard callbacks to the others? Nobody is named on thin data, and nobody for bad luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from alerts.insights.draw import Draw, chance_of_at_most
from alerts.insights.holm import adjusted
from alerts.insights.share import Count, Share, share_of, total

LEAST_CLAIMS = 30
ERROR_RATE = 0.01
"""In a team that is fair, one page in a hundred flags anybody at all."""


class FairShare(Struct, frozen=True):
    """`hard` ones among those that the advisor took, beside the `expected` number of a random draw from the same pools.

    `p_value` is the chance of so few, corrected for the number of advisors judged; None for whom is not judged.
    """

    advisor: str
    hard: Share
    expected: float
    p_value: float | None
    flagged: bool
    why: str


def fair_shares(taken: Mapping[str, Mapping[str, Count]]) -> tuple[FairShare, ...]:
    """The least likely first, then those who are not judged; of each advisor the hard ones among all taken, per pool.

    A pool is what the advisor could have been given: one queue and language on one day, say. Whoever works only where
    hardly anything is hard is so compared with those who work there too. What is hard must be known when it is offered,
    and a callback that is skipped is not taken.

    Random draws are hypergeometric within each pool and are added up exactly (the exact form of the test of N. Mantel and
    W. Haenszel, JNCI 22 (1959) 719-748); one-sided, since only too few hard ones are a reproach; Holm over the advisors.
    """
    draws = _draws(taken)
    judged = [who for who in taken if total(each.own for each in draws[who]).of >= LEAST_CLAIMS]
    p_values = dict(zip(judged, adjusted([_so_few(draws[who]) for who in judged]), strict=True))
    found = [_fair_share(who, draws[who], p_values.get(who), len(judged)) for who in taken]
    return tuple(sorted(found, key=lambda each: (each.p_value is None, each.p_value or 0.0, _ratio(each))))


def _draws(taken: Mapping[str, Mapping[str, Count]]) -> dict[str, list[Draw]]:
    pools: dict[str, list[Count]] = {}
    for own in taken.values():
        for pool, count in own.items():
            pools.setdefault(pool, []).append(count)
    sums = {pool: total(counts) for pool, counts in pools.items()}
    return {who: [Draw(count, sums[pool]) for pool, count in own.items()] for who, own in taken.items()}


def _so_few(draws: Sequence[Draw]) -> float:
    return chance_of_at_most(sum(draw.own.count for draw in draws), draws)


def _fair_share(who: str, draws: Sequence[Draw], p_value: float | None, judged: int) -> FairShare:
    own = total(draw.own for draw in draws)
    expected = sum(draw.expected for draw in draws)
    flagged = p_value is not None and p_value <= ERROR_RATE
    return FairShare(
        advisor=who,
        hard=share_of(own.count, own.of),
        expected=expected,
        p_value=p_value,
        flagged=flagged,
        why=_why(own, expected, p_value, judged),
    )


def _why(own: Count, expected: float, p_value: float | None, judged: int) -> str:
    if p_value is None:
        return f"{own.of} taken; below {LEAST_CLAIMS} nobody is judged"
    seen = f"{own.count} hard of {own.of} taken; a random draw from the same pools brings {expected:.1f}"
    if p_value > ERROR_RATE:
        return f"{seen}; within what chance explains"
    often = f"{1 / p_value:,.0f}" if p_value > 1e-9 else "a thousand million"
    return f"{seen}; with {judged} advisors judged, chance shows anybody like this at most once in {often} pages"


def _ratio(each: FairShare) -> float:
    """Breaks ties among those whom the correction makes equally unsuspicious."""
    return each.hard.count / each.expected if each.expected else 1.0
