"""A known problem explains a callback that was there before somebody named it."""

from __future__ import annotations

from datetime import datetime

from alerts.callback import Callback, Transition, check_transition, happened
from alerts.event import EventKind
from alerts.learning.problem import lowered
from alerts.policy import Policy
from alerts.transitions.next_wake import with_next_wake
from alerts.transitions.opening import rank_at


def explain(callback: Callback, *, problem_id: str, now: datetime, policy: Policy) -> Transition:
    """Shown with the problem from now on, and called later where the policy says so. The first problem stays the one."""
    check_transition(callback, "explain")
    if callback.problem_id is not None:
        return Transition(callback=callback)
    priority = lowered(callback.priority, policy)
    before, after = (rank_at(now, each, callback.reasons, policy) for each in (callback.priority, priority))
    explained = callback.evolve(problem_id=problem_id, priority=priority, rank_at=callback.rank_at + (after - before))
    data = {"problem": problem_id, "priority": priority}
    return with_next_wake(happened(explained, EventKind.EXPLAINED, now, data=data), now, policy)
