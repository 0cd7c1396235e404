"""Every change of a callback, as a pure function: `transition(callback, ..., now=, policy=) -> Transition`. No I/O here."""

from alerts.transitions.attempting import NewAttempt, attempt, fall_due, schedule
from alerts.transitions.claiming import check_lease, claim, expire_lease, extend, release, skip, withdraw
from alerts.transitions.ending import expire, reopen, resolve, supersede
from alerts.transitions.explaining import explain
from alerts.transitions.following import follow
from alerts.transitions.noting import note
from alerts.transitions.opening import join, open_callback
from alerts.transitions.supervising import assign, escalate, move, permit
from alerts.transitions.waking import wake

__all__ = [
    "NewAttempt",
    "assign",
    "attempt",
    "check_lease",
    "claim",
    "escalate",
    "expire",
    "expire_lease",
    "explain",
    "extend",
    "fall_due",
    "follow",
    "join",
    "move",
    "note",
    "open_callback",
    "permit",
    "release",
    "reopen",
    "resolve",
    "schedule",
    "skip",
    "supersede",
    "wake",
    "withdraw",
]
