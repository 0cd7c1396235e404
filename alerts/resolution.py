"""Why it happened and how it ended: two separate fields, so that recovery can be counted by cause."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from alerts.errors import Invalid
from alerts.policy import Policy


class CauseKind(StrEnum):
    SKILL = "skill"  # somebody could have handled the contact better
    OPERATIONS = "operations"  # the business let the customer down before anybody picked up


class Outcome(StrEnum):
    RECOVERED = "recovered"
    PARTLY_RECOVERED = "partly_recovered"
    NOT_RECOVERED = "not_recovered"
    INFORMATION_ONLY = "information_only"


class Cause(Struct, frozen=True):
    kind: CauseKind
    driver: str


def check_cause(cause: Cause, policy: Policy) -> None:
    """Raises Invalid when the driver is not on the policy's list for its kind."""
    drivers = policy.causes.skill if cause.kind is CauseKind.SKILL else policy.causes.operations
    if cause.driver not in drivers:
        raise Invalid(f"this is not a {cause.kind} driver; choose one of: {', '.join(drivers)}", "/cause/driver")


def check_checklist(done: dict[str, bool], policy: Policy) -> None:
    """Raises Invalid when an item is not on the policy's checklist."""
    if any(item not in policy.checklist for item in done):
        raise Invalid(f"an item is not on the checklist; it has: {', '.join(policy.checklist)}", "/checklist")
