"""Every move that rests on a lease says which, so that it cannot be stored once that lease is over."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

import pytest

from alerts import transitions
from alerts.callback import TRANSITIONS, Transition
from alerts.errors import LeaseLost
from alerts.resolution import Cause, CauseKind, Outcome
from alerts.result import Result
from tests.unit.alerts.transitions.builders import LEAD, POLICY, TEN, at, claimed, opened, token

GIVEN: dict[str, dict[str, Any]] = {
    "extend": {"seconds": 900},
    "release": {"reason": "lunch"},
    "skip": {"reason": "I know her"},
    "attempt": {"new": transitions.NewAttempt(result=Result.BUSY)},
    "schedule": {"at": at(15), "keep_owner": True, "actor": "ann"},
    "resolve": {
        "cause": Cause(CauseKind.SKILL, "other"),
        "outcome": Outcome.RECOVERED,
        "note": None,
        "checklist": {},
        "version": None,
    },
}
"""What each move on a lease needs beside its token."""


def test_these_are_all_the_moves_that_rest_on_a_lease() -> None:
    takes_a_token = {
        name for name in TRANSITIONS if "token" in inspect.signature(getattr(transitions, name)).parameters
    }
    assert takes_a_token - {"claim"} == set(GIVEN)  # a claim brings the token of a lease that begins


@pytest.mark.parametrize("name", GIVEN)
def test_a_move_on_a_lease_carries_the_token_that_it_checked(name: str) -> None:
    leased = claimed(opened())
    moved = getattr(transitions, name)(leased, token=token(leased), now=at(10, 5), policy=POLICY, **GIVEN[name])
    assert moved.fence == token(leased)


@pytest.mark.parametrize("name", GIVEN)
def test_a_move_on_a_lease_is_refused_with_another_token_or_too_late(name: str) -> None:
    leased = claimed(opened())
    for secret, now in (("1.stolen", at(10, 5)), (token(leased), TEN + timedelta(minutes=15))):
        with pytest.raises(LeaseLost):
            getattr(transitions, name)(leased, token=secret, now=now, policy=POLICY, **GIVEN[name])


def test_the_fence_stays_whatever_follows_in_the_same_move() -> None:
    leased = claimed(opened())
    released = transitions.release(leased, token=token(leased), reason="lunch", now=at(10, 5), policy=POLICY)
    later = transitions.assign(released.callback, advisor="ben", actor=LEAD, now=at(10, 5), policy=POLICY)
    assert released.then(later).fence == token(leased)
    assert Transition(callback=leased).then(released).fence == token(leased)


def test_what_a_lead_or_the_clock_does_needs_no_lease() -> None:
    leased = claimed(opened())
    assert transitions.withdraw(leased, actor=LEAD, reason="r", now=at(10, 5), policy=POLICY).fence is None
    assert transitions.wake(leased, now=at(10, 15), policy=POLICY).fence is None
    promised = transitions.schedule(
        opened(), at=at(15), keep_owner=False, actor=LEAD, token=None, now=at(10, 5), policy=POLICY
    )
    assert promised.fence is None
