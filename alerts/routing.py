"""Decides which queue a bad answer goes to, and whether the route has a priority of its own."""

from __future__ import annotations

from datetime import datetime

from alerts.policy import Policy
from alerts.scoring import Verdict
from alerts.survey import SurveyResponse


def route(
    response: SurveyResponse, verdict: Verdict, policy: Policy, last_bottom_box: datetime | None = None
) -> tuple[str, int]:
    """(queue, priority): of the first route that fits, else the default queue and the verdict's priority."""
    for each in policy.routing.routes:
        if each.when.holds(response, last_bottom_box):
            return each.queue, verdict.priority if each.priority is None else each.priority
    return policy.routing.default, verdict.priority
