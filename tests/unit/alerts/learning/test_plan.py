"""An action plan keeps its word: it ends in time or late, and nobody moves the day afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from alerts.errors import Invalid
from alerts.learning.plan import MOVES, OPEN_PLANS, ActionPlan, PlanState, begin_plan, changed_members, revise_plan

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


def plan(**members: Any) -> ActionPlan:
    said = {"title": "Say what changed", "owner": "lea", "due_on": date(2026, 12, 1), **members}
    return begin_plan(said, id="p", by="lea", now=NOW)


@pytest.mark.parametrize("state", PlanState)
@pytest.mark.parametrize("then", PlanState)
def test_a_plan_goes_where_the_table_says_and_nowhere_else(state: PlanState, then: PlanState) -> None:
    before = plan(state=state)
    if then == state or then in MOVES[state]:
        after = revise_plan(before, {"state": then}, now=LATER)
        assert after.state is then
        assert (after.ended_at is None) == (then in OPEN_PLANS)
    else:
        with pytest.raises(Invalid) as refused:
            revise_plan(before, {"state": then}, now=LATER)
        assert refused.value.pointer == "/state"


def test_what_is_complete_is_so_wholly_and_knows_since_when() -> None:
    done = revise_plan(plan(percent=40), {"state": PlanState.COMPLETE}, now=LATER)
    assert (done.percent, done.ended_at, done.version) == (100, LATER, 2)
    with pytest.raises(Invalid):
        revise_plan(plan(), {"state": PlanState.COMPLETE, "percent": 90}, now=LATER)


@pytest.mark.parametrize(
    "change", [{"due_on": date(2027, 1, 1)}, {"owner": "ann"}, {"percent": 10}, {"cause_kind": "skill"}]
)
def test_what_has_ended_keeps_what_it_promised(change: dict[str, Any]) -> None:
    cancelled = plan(state=PlanState.CANCELLED)
    with pytest.raises(Invalid):
        revise_plan(cancelled, change, now=LATER)
    assert revise_plan(cancelled, {"note": "no money"}, now=LATER).note == "no money"
    again = revise_plan(cancelled, {"state": PlanState.PLANNED, **change}, now=LATER)
    assert again.ended_at is None


def test_saying_the_same_again_changes_nothing() -> None:
    before = plan()
    assert revise_plan(before, {"owner": "lea", "percent": 0}, now=LATER) is before


def test_it_is_overdue_from_the_day_after_and_only_while_it_is_open() -> None:
    assert not plan().is_overdue(date(2026, 12, 1))
    assert plan().is_overdue(date(2026, 12, 2))
    assert not plan(state=PlanState.COMPLETE).is_overdue(date(2026, 12, 2))


def test_the_audit_hears_which_members_changed() -> None:
    before = plan()
    after = revise_plan(before, {"state": PlanState.COMPLETE, "note": "done"}, now=LATER)
    assert changed_members(before, after) == ["state", "percent", "note"]
