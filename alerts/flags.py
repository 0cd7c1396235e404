"""What had to be mended on an answer's way in: the words that stand in its `flags` (docs/surveys.md)."""

from __future__ import annotations

FUTURE_ANSWER = "future_answer"  # `answered_at` was ahead of the record, whose time was taken
FUTURE_TIME = "future_time"  # likewise the event's `time`, which orders revisions
NUL_REMOVED = "nul_removed"  # texts held the character NUL
BAD_NUMBER = "bad_number"  # there was a phone number, and it could not be read


def dropped(path: str) -> str:
    """An optional member that could not be used. `path` is one of ours, never the sender's text."""
    return f"dropped:{path}"


def cut(path: str) -> str:
    """A text that was too long; its beginning was kept."""
    return f"cut:{path}"
