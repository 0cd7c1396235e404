"""A person writes something down about a callback."""

from __future__ import annotations

from datetime import datetime

from alerts.callback import Callback, Transition, check_transition, happened
from alerts.event import EventKind
from alerts.policy import Policy


def note(callback: Callback, *, text: str, actor: str, now: datetime, policy: Policy) -> Transition:
    """On any callback, held or not, open or not: it stands in the history, and nothing but the version changes."""
    check_transition(callback, "note")
    return happened(callback, EventKind.NOTED, now, actor=actor, text=text)
