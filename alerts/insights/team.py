"""What each advisor did, for a lead who wants to help: it watches employees, and is off unless a policy turns it on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from alerts.insights.fair import FairShare, fair_shares
from alerts.insights.share import Count

HARD_SEVERITY = 80
"""So pressing, or more: known when the callback is offered. The shipped policy gives it to the worst rating."""


class Deeds(Struct, frozen=True, kw_only=True):
    """Of one advisor. `first_attempt_p50_seconds`: half of the customers that they were the first to try had waited less."""

    claimed: int = 0
    skipped: int = 0
    attempts: int = 0
    contacted: int = 0
    resolved: int = 0
    recovered: int = 0
    first_attempt_p50_seconds: float | None = None


class Member(Struct, frozen=True, kw_only=True):
    """`promises`: how those were decided that this advisor made. `fair`: None for whom took nothing."""

    advisor: str
    deeds: Deeds
    promises: Mapping[str, int]
    fair: FairShare | None


def team(
    deeds: Mapping[str, Deeds],
    promises: Mapping[str, Mapping[str, int]],
    taken: Mapping[str, Mapping[str, Count]],
) -> list[Member]:
    """Those whose share is the least likely first, then the others by name."""
    shares = {each.advisor: each for each in fair_shares(taken)}
    others = sorted({*deeds, *promises} - set(shares))
    nothing: dict[str, Any] = {}
    return [
        Member(
            advisor=advisor,
            deeds=deeds.get(advisor, Deeds()),
            promises=promises.get(advisor, nothing),
            fair=shares.get(advisor),
        )
        for advisor in (*shares, *others)
    ]
