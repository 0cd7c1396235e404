"""Short words for the lives that these stories tell: one customer in London, one advisor, one ladder of moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.alert import Alert
from alerts.arrival import Address, Answer
from alerts.callback import Callback, Event, Transition
from alerts.calling_hours.window import Place
from alerts.customer import Customer, NumberStatus
from alerts.policy import Policy, read_policy, shipped_policy
from alerts.resolution import Cause, CauseKind, Outcome
from alerts.result import Result
from alerts.scale import Box
from alerts.scoring import Verdict
from alerts.survey import SurveyResponse
from alerts.transitions import NewAttempt, attempt, claim, fall_due, open_callback, resolve, schedule

POLICY = shipped_policy()
LONDON = Place(("Europe/London",), "GB")
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday; London is on UTC
ANN, BEN, LEAD = "ann", "ben", "lead"


def at(hour: int, minute: int = 0, *, day: int = 2) -> datetime:
    """A moment of March 2026; day 2 is the Monday on which these stories begin."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def policy(text: str) -> Policy:
    return read_policy(text, file="policy.yaml")


class Someone(Customer, frozen=True, kw_only=True):
    """A customer whose place and number these stories state, instead of what they follow from."""

    where: Place = LONDON
    status: NumberStatus = "ok"

    @property
    def number_status(self) -> NumberStatus:
        return self.status

    def place(self, queue_zone: str) -> Place:
        return self.where


def someone(**facts: Any) -> Someone:
    return Someone(**{"id": 7, "ref": "ref-7", "key": "id:cloudevents:c-7", "language": "en", **facts})


SOMEONE = someone()


def alert(points: int = 1, **changes: Any) -> Alert:
    severity, priority = (80, 2) if points == 1 else (60, 3)
    facts: dict[str, Any] = {
        "answer": answered(points),
        "queue": "general",
        "priority": priority,
        "verdict": Verdict(Box.BOTTOM, points, severity, priority, (f"rated_{points}",)),
        "callback_id": "c-1",
        "raised_at": TEN,
    }
    return Alert(**{**facts, **changes})


def answered(points: int, given: datetime = TEN - timedelta(minutes=5)) -> Answer:
    response = SurveyResponse(
        event_source="/s",
        event_id="e-1",
        source="cloudevents",
        response_id="e-1",
        rating=points,
        answered_at=given,
        revised_at=given,
    )
    return Answer(Address("surveys", 0, 1, TEN), response, b"v", b"c")


def opened(now: datetime = TEN, rules: Policy = POLICY, points: int = 1, **facts: Any) -> Callback:
    """`facts` are those of the customer, `queue`, and when the answer was given."""
    given = facts.pop("answered_at", TEN - timedelta(minutes=5))
    about = alert(points, queue=facts.pop("queue", "general"), answer=answered(points, given))
    return open_callback(about, someone(**facts), now=now, policy=rules).callback


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


def tried(callback: Callback, result: str, now: datetime = TEN, rules: Policy = POLICY, **more: Any) -> Transition:
    new = NewAttempt(result=Result(result), **more)
    return attempt(callback, new, token=token(callback), now=now, policy=rules)


def promised(
    callback: Callback, when: datetime, now: datetime = TEN, rules: Policy = POLICY, *, keep_owner: bool = True
) -> Transition:
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


def solved(callback: Callback, now: datetime = TEN, rules: Policy = POLICY, **more: Any) -> Transition:
    facts: dict[str, Any] = {
        "cause": Cause(CauseKind.SKILL, "courtesy"),
        "outcome": Outcome.RECOVERED,
        "note": "She was glad that we called.",
        "checklist": {"apologised": True},
        "version": None,
    }
    return resolve(callback, token=token(callback), now=now, policy=rules, **{**facts, **more})


def kinds(moved: Transition) -> list[str]:
    return [event.kind for event in moved.events]


def event(moved: Transition, kind: str) -> Event:
    """The one event of this kind."""
    found = [each for each in moved.events if each.kind == kind]
    assert len(found) == 1, f"{kind}: {kinds(moved)}"
    return found[0]
