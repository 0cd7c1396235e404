"""Says how bad an answer is, how urgent a call would be, and why; whether there is one is decided in `alerts.intake`."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from alerts.policy import BoxThresholds, Policy
from alerts.scale import Box, box_of
from alerts.survey import SurveyResponse


class Rating(Struct, frozen=True, gc=False):
    """Where an answer falls: `points` 1 (worst) to 5, and their box."""

    points: int
    box: Box


class Verdict(Struct, frozen=True, gc=False):
    """What scoring says of a response. Severity 0-100; priority 1 (highest) to 5; `reasons` in a stable order.

    Outside the bottom box severity is 0, priority 5 and `reasons` empty: nobody phones.
    """

    box: Box
    points: int
    severity: int = 0
    priority: int = 5
    reasons: tuple[str, ...] = ()


def rate(response: SurveyResponse, policy: Policy) -> Rating:
    """The answer on five points, by the survey's own cut where the policy names one."""
    points = response.scale.points(response.rating)
    cut = policy.cut(response.survey_id) if policy.surveys else None
    points = points if cut is None else _points_by_cut(response, points, cut)
    return Rating(points, box_of(points))


def _points_by_cut(response: SurveyResponse, points: int, cut: BoxThresholds) -> int:
    worse = 1 if response.scale.best > response.scale.worst else -1
    if worse * response.rating <= worse * cut.bottom_at_most:
        return min(points, 2)
    if cut.top_at_least is not None and worse * response.rating >= worse * cut.top_at_least:
        return max(points, 4)
    return max(points, 3) if cut.top_at_least is None else 3


def score(response: SurveyResponse, rating: Rating, policy: Policy, last_bottom_box: datetime | None = None) -> Verdict:
    """`last_bottom_box`: when the customer's latest other bottom-box answer was given, if there is one."""
    if rating.box is not Box.BOTTOM:
        return Verdict(rating.box, rating.points)
    rules = policy.scoring
    further = [reason.name for reason in rules.reasons if reason.when.holds(response, last_bottom_box)]
    severity = rules.severity_of_1 if rating.points == 1 else rules.severity_of_2
    priority = rules.priority_of_1 if rating.points == 1 else rules.priority_of_2
    severity = min(100, severity + rules.per_reason * len(further))
    if severity >= rules.lift_from_severity:
        priority = max(1, priority - 1)
    return Verdict(rating.box, rating.points, severity, priority, (f"rated_{rating.points}", *further))


def asked_not_to_be_called(response: SurveyResponse, policy: Policy) -> bool:
    """Whether the customer wrote that they do not want to be phoned, by the policy's `scoring.no_call`.

    A written wish can bind (47 CFR 64.1200(d), GDPR Article 21); what follows is the policy's `asked_not_to_be_called`.
    """
    rule = policy.scoring.no_call
    return rule is not None and rule.holds(response)
