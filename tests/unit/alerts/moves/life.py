"""Short words for the lives that these stories tell: one customer in London, one advisor, one ladder of moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.callback import Callback, Event, Moved
from alerts.causes import Cause, Kind, Outcome
from alerts.moves import NewAttempt, Subject, attempt, claim, fall_due, open_callback, resolve, schedule
from alerts.policy import Policy, read_policy, shipped_policy
from alerts.result import Result
from alerts.scale import Box
from alerts.scoring import Verdict
from alerts.window import Place

POLICY = shipped_policy()
LONDON = Place(("Europe/London",), "GB")
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday; London is on UTC
ANN, BEN, LEAD = "ann", "ben", "lead"


def at(hour: int, minute: int = 0, *, day: int = 2) -> datetime:
    """A moment of March 2026; day 2 is the Monday on which these stories begin."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def policy(text: str) -> Policy:
    return read_policy(text, file="policy.yaml")


def subject(points: int = 1, **changes: Any) -> Subject:
    severity, priority = (80, 2) if points == 1 else (60, 3)
    facts: dict[str, Any] = {
        "customer_id": 7,
        "customer_ref": "ref-7",
        "source": "cloudevents",
        "language": "en",
        "answered_at": TEN - timedelta(minutes=5),
        "queue": "general",
        "priority": priority,
        "verdict": Verdict(Box.BOTTOM, points, severity, priority, (f"rated_{points}",)),
        "place": LONDON,
        "number_status": "ok",
    }
    return Subject(**{**facts, **changes})


def opened(now: datetime = TEN, rules: Policy = POLICY, points: int = 1, **changes: Any) -> Callback:
    about = subject(points, **changes)
    return open_callback(about, id="c-1", previous_id=None, now=now, policy=rules).callback


def claimed(
    callback: Callback,
    now: datetime = TEN,
    rules: Policy = POLICY,
    *,
    advisor: str = ANN,
    seconds: int = 900,
) -> Callback:
    return claim(callback, advisor=advisor, token="t", seconds=seconds, now=now, policy=rules).callback


def token(callback: Callback) -> str:
    assert callback.lease_token is not None
    return callback.lease_token


def tried(callback: Callback, result: str, now: datetime = TEN, rules: Policy = POLICY, **more: Any) -> Moved:
    new = NewAttempt(result=Result(result), **more)
    return attempt(callback, new, token=token(callback), now=now, policy=rules)


def promised(
    callback: Callback, when: datetime, now: datetime = TEN, rules: Policy = POLICY, *, keep_owner: bool = True
) -> Moved:
    return schedule(
        callback,
        at=when,
        keep_owner=keep_owner,
        actor=ANN,
        token=token(callback),
        now=now,
        policy=rules,
    )


def due(callback: Callback, now: datetime, rules: Policy = POLICY) -> Callback:
    return fall_due(callback, now=now, policy=rules).callback


def solved(callback: Callback, now: datetime = TEN, rules: Policy = POLICY, **more: Any) -> Moved:
    facts: dict[str, Any] = {
        "cause": Cause(Kind.SKILL, "courtesy"),
        "outcome": Outcome.RECOVERED,
        "note": "She was glad that we called.",
        "checklist": {"apologised": True},
        "version": None,
    }
    return resolve(callback, token=token(callback), now=now, policy=rules, **{**facts, **more})


def kinds(moved: Moved) -> list[str]:
    return [event.kind for event in moved.events]


def event(moved: Moved, kind: str) -> Event:
    """The one event of this kind."""
    found = [each for each in moved.events if each.kind == kind]
    assert len(found) == 1, f"{kind}: {kinds(moved)}"
    return found[0]
