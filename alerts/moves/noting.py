"""A person writes something down about a callback."""

from __future__ import annotations

from datetime import datetime

from alerts.callback import Callback, Event, Moved, check_move
from alerts.policy import Policy


def note(callback: Callback, *, text: str, actor: str, now: datetime, policy: Policy) -> Moved:
    """On any callback, held or not, open or not: it stands in the history, and nothing else changes."""
    check_move(callback, "note")
    event = Event(kind="noted", at=now, actor=actor, data={"queue": callback.queue}, text=text)
    return Moved(callback=callback, events=(event,))
