"""Every change of a callback, as a pure function: `(callback, command, now, policy) -> Moved`. Nothing here does I/O."""

from alerts.moves.calling import NewAttempt, attempt, fall_due, schedule
from alerts.moves.ending import expire, reopen, resolve, supersede
from alerts.moves.following import follow
from alerts.moves.leading import assign, escalate, move
from alerts.moves.leasing import check_lease, claim, expire_lease, extend, release, skip, withdraw
from alerts.moves.noting import note
from alerts.moves.opening import join, open_callback
from alerts.moves.waking import wake

__all__ = [
    "NewAttempt",
    "assign",
    "attempt",
    "check_lease",
    "claim",
    "escalate",
    "expire",
    "expire_lease",
    "extend",
    "fall_due",
    "follow",
    "join",
    "move",
    "note",
    "open_callback",
    "release",
    "reopen",
    "resolve",
    "schedule",
    "skip",
    "supersede",
    "wake",
    "withdraw",
]
