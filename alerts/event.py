"""What can happen to a callback, and which of it leaves the house."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    OPENED = "opened"  # a bad answer began a callback
    JOINED = "joined"  # another bad answer of the same customer came to it
    CLAIMED = "claimed"  # an advisor took it
    ATTEMPTED = "attempted"  # somebody tried to reach the customer
    SCHEDULED = "scheduled"  # a call was promised for a stated time
    DUE = "due"  # that time has come
    RELEASED = "released"  # whoever had it has it no more, for a reason
    ASSIGNED = "assigned"  # a lead reserved it for one advisor
    MOVED = "moved"  # it went to another queue
    CUSTOMER_CHANGED = "customer_changed"  # the customer's number, place or language is another now
    PERMITTED = "permitted"  # the customer asked not to be phoned, and a lead says that the call is to be made
    EXPLAINED = "explained"  # a known problem is behind it
    FLAGGED = "flagged"  # news came while somebody was working on it
    NOTED = "noted"  # somebody wrote something down
    ESCALATED = "escalated"  # a step of the ladder was taken
    TARGET_MET = "target_met"  # what the company promises itself was reached in time
    TARGET_MISSED = "target_missed"  # its time has passed
    PROMISE_DECIDED = "promise_decided"  # a promise to the customer was kept, late, or broken
    RESOLVED = "resolved"  # there was a conversation; cause and outcome are recorded
    CLOSED = "closed"  # it ended without one, for a written reason
    REOPENED = "reopened"  # it begins again

    @property
    def published(self) -> bool:
        """Whether it leaves the house (docs/events.md); the others stay in the history."""
        return self not in STAYING


STAYING = frozenset(
    {
        EventKind.DUE,
        EventKind.ASSIGNED,
        EventKind.MOVED,
        EventKind.CUSTOMER_CHANGED,
        EventKind.EXPLAINED,
        EventKind.FLAGGED,
        EventKind.NOTED,
        EventKind.PERMITTED,
    }
    | {EventKind.TARGET_MET, EventKind.PROMISE_DECIDED}
)
