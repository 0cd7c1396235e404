"""A known problem explains a callback: it may be called later, and is never dropped."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.callback import Callback
from alerts.errors import Invalid
from alerts.transitions import explain, join, reopen
from tests.unit.alerts.transitions.builders import (
    POLICY,
    SOMEONE,
    TEN,
    alert,
    at,
    claimed,
    event,
    kinds,
    opened,
    policy,
    solved,
)

LATER = policy("problems: {lower_priority_by: 2}")


def explained(callback: Callback) -> Callback:
    return explain(callback, problem_id="p", now=at(11), policy=POLICY).callback


def test_by_the_shipped_policy_only_its_reason_is_known() -> None:
    before = opened()
    moved = explain(before, problem_id="p", now=at(11), policy=POLICY)
    assert (moved.callback.problem_id, moved.callback.priority) == ("p", before.priority)
    assert moved.callback.rank_at == before.rank_at
    assert event(moved, "explained").data["problem"] == "p"


def test_where_the_policy_says_so_it_is_called_later_and_its_due_times_stay() -> None:
    before = opened()
    after = explain(before, problem_id="p", now=at(11), policy=LATER).callback
    assert (before.priority, after.priority) == (2, 4)
    assert after.rank_at - before.rank_at == LATER.order.allowance(4) - LATER.order.allowance(2)
    assert (after.due_contact, after.expires_at, after.state) == (before.due_contact, before.expires_at, before.state)


def test_no_priority_is_lower_than_the_lowest() -> None:
    assert (
        explain(
            opened(points=2), problem_id="p", now=at(11), policy=policy("problems: {lower_priority_by: 4}")
        ).callback.priority
        == 5
    )


def test_the_first_problem_stays_the_one() -> None:
    first = explained(opened())
    again = explain(first, problem_id="q", now=at(12), policy=LATER)
    assert (again.callback, again.events) == (first, ())


def test_a_worse_answer_that_joins_has_its_own_priority() -> None:
    after = explain(opened(points=2), problem_id="p", now=at(11), policy=LATER).callback
    joined = join(after, alert(1), SOMEONE, now=at(12), policy=LATER).callback
    assert (after.priority, joined.priority, joined.problem_id) == (5, 2, "p")


def test_a_resolve_tells_the_customer_and_a_reopening_does_not_forget_the_problem() -> None:
    told = solved(claimed(explained(opened()), at(11)), at(11), told=True)
    assert told.callback.told_at == at(11)
    untold = solved(claimed(explained(opened()), at(11)), at(11)).callback
    assert untold.told_at is None
    again = reopen(untold, SOMEONE, actor="lead", now=at(12), policy=POLICY).callback
    assert again.problem_id == "p"


def test_who_has_no_problem_cannot_be_told() -> None:
    with pytest.raises(Invalid) as refused:
        solved(claimed(opened()), TEN + timedelta(minutes=1), told=True)
    assert refused.value.pointer == "/told"


def test_whoever_holds_it_goes_on_holding_it() -> None:
    held = claimed(opened())
    moved = explain(held, problem_id="p", now=TEN + timedelta(minutes=1), policy=LATER)
    assert (moved.callback.lease_token, moved.callback.lease_expires_at) == (held.lease_token, held.lease_expires_at)
    assert kinds(moved) == ["explained"]
