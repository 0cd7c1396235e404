"""Time has done its work. `:grace` is how long it may take the timers to come round; none at all right after they did."""

from __future__ import annotations

from alerts.ledger.checks.check import Check

NOW = "ledger_now() - CAST(:grace AS interval)"

# These two read an index from its beginning, and as far as something is late. The order is there for the planner, which would
# else expect to find enough of them soon in whatever order, and read the whole table when there is none.
DUE_AND_LEFT = Check(
    "due_and_left",
    "I18",
    "nothing that is due has been left",
    f"SELECT id::text FROM callbacks WHERE wake_at <= (SELECT {NOW}) ORDER BY wake_at",
)
LEASE_OUTLIVED = Check(
    "lease_outlived",
    "I12",
    "no lease that has run out is still held",
    f"SELECT id::text FROM callbacks WHERE state = 'leased' AND lease_expires_at <= (SELECT {NOW}) ORDER BY lease_holder",
)

READY_OUTSIDE_WINDOW = Check(
    "ready_outside_window",
    "I25",
    "what is ready is inside its calling window",
    "SELECT id::text FROM callbacks WHERE ready"
    f" AND NOT (callable_from <= ledger_now() AND (SELECT {NOW}) < callable_until)",
)
