"""Did it help? The bottom box before an action took effect beside the one after, in one of four plain words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum

from msgspec import Struct

from alerts.insights.difference import Difference, difference
from alerts.insights.dispersion import Unrest, unrest
from alerts.insights.normal import Z95
from alerts.insights.share import Count, Share, share_of, total

WEEK = 7
WEEKS = 4
LEAST_ANSWERS = 30
"""On either side; of fewer a difference is not worth a word."""


class EffectVerdict(StrEnum):
    BETTER = "better"  # the bottom box is smaller than before, and chance does not explain it
    WORSE = "worse"  # it is larger
    NO_CHANGE_SHOWN = "no_change_shown"  # there may be none, or one too small for so few answers
    TOO_EARLY = "too_early"  # not a week yet, or hardly an answer


class Spans(Struct, frozen=True):
    """The days to compare: [before, effective_on) and [effective_on, until)."""

    before: date
    effective_on: date
    until: date


class ActionEffect(Struct, frozen=True):
    """`difference` is after minus before: below zero is better.

    `sigma_z`: how much more than chance the days differ; `allowed_for` is the difference with the wider interval that
    this asks for, and decides the verdict.
    """

    before: Share
    after: Share
    days_before: int
    days_after: int
    difference: Difference
    sigma_z: float
    allowed_for: Difference
    verdict: EffectVerdict


def spans(effective_on: date, today: date) -> Spans:
    """Four whole weeks before, and up to four after; whole ones as soon as there is one, so that weekdays weigh alike."""
    days = max(0, min((today - effective_on).days, WEEKS * WEEK))
    days = days // WEEK * WEEK or days
    return Spans(effective_on - timedelta(days=WEEKS * WEEK), effective_on, effective_on + timedelta(days=days))


def effect(before: Sequence[Count], after: Sequence[Count]) -> ActionEffect:
    """From one count for each day, in their order, days without answers included.

    The verdict follows Newcombe's 95 % interval, so a change of nothing is called one in at most 5 % of the cases, better
    or worse alike. Days are compared with the same weekday of the week before or after to see how much they differ.
    """
    earlier, later = total(before), total(after)
    swing = unrest(days[weekday::WEEK] for days in (before, after) for weekday in range(WEEK))
    allowed_for = difference(later, earlier, weight=1 / _wider(swing) ** 2)
    return ActionEffect(
        before=share_of(earlier.count, earlier.of),
        after=share_of(later.count, later.of),
        days_before=len(before),
        days_after=len(after),
        difference=difference(later, earlier),
        sigma_z=swing.sigma_z,
        allowed_for=allowed_for,
        verdict=_verdict(len(after), min(earlier.of, later.of), allowed_for),
    )


def _wider(swing: Unrest) -> float:
    """How much wider than chance the interval must be: sigma_z, and more when it is itself known from few ranges.

    Student's t in place of the normal distribution, by its first term t = z + (z^3 + z) / 4f. Moving ranges give f = 0.6
    degrees of freedom each (J. D. Cryer and T. P. Ryan, "The estimation of sigma for an X chart: MR/d2 or S/c4?",
    Journal of Quality Technology 22 (1990) 187-192).
    """
    if swing.sigma_z == 1:
        return 1.0
    return swing.sigma_z * (1 + (Z95 * Z95 + 1) / (4 * 0.6 * swing.ranges))


def _verdict(days_after: int, answers: int, allowed_for: Difference) -> EffectVerdict:
    if days_after < WEEK or answers < LEAST_ANSWERS or allowed_for.low is None or allowed_for.high is None:
        return EffectVerdict.TOO_EARLY
    if allowed_for.high < 0:
        return EffectVerdict.BETTER
    return EffectVerdict.WORSE if allowed_for.low > 0 else EffectVerdict.NO_CHANGE_SHOWN
