"""What is shown of a callback is made without the models that describe it: it must be what they say, byte for byte."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from alerts.callback import Callback, ClosedReason, Flag, State, Target
from alerts.customer import Customer
from alerts.learning.problem import KnownProblem
from alerts.ledger.reading.callbacks import AttemptView, CallbackContext, Detail, HistoryEntry
from alerts.ledger.reading.responses import AlertView, ResponseView
from alerts.ledger.reading.views import CallbackView
from alerts.policy import shipped_policy
from app.api.masking import cover
from app.api.presenting import explain, present_callback, present_detail
from app.api.schemas.callback import CallbackDetail, CallbackResource

NOON = datetime(2026, 11, 24, 12, 0, 0, 120_000, tzinfo=UTC)
NIGHT = NOON.replace(hour=23)
POLICY = shipped_policy()
ODD = 'Zoë "Q" \\ / \x7f \u2028 \t\n \N{GRINNING FACE}'
BASE = "https://desk.example.org"
ID = "0198c0de-0000-7000-8000-00000000000"

CALLBACK = Callback(
    id=f"{ID}1",
    customer_id=7,
    queue="general",
    source="cloudevents",
    event_id="e-1",
    points=1,
    severity=90,
    priority=1,
    opened_at=NOON - timedelta(hours=1),
    waiting_since=NOON - timedelta(hours=1),
    rank_at=NOON - timedelta(hours=3),
    targets_since=NOON - timedelta(hours=1),
    expires_at=NOON + timedelta(days=9),
    zones=("Europe/London",),
)
FULL_CALLBACK = CALLBACK.evolve(
    previous_id=f"{ID}2",
    state=State.LEASED,
    closed_reason=ClosedReason.EXPIRED,
    version=12,
    language="pt-BR",
    reasons=("lowest_box", "hard"),
    flags=(Flag.NEW_ALERT, Flag.REOPENED),
    problem_id=f"{ID}3",
    told_at=NOON,
    country="GB",
    callable_from=NOON,
    callable_until=NOON + timedelta(hours=4, microseconds=1),
    callable_reason="calling hours of Europe/London",
    lease_token="3.abc",
    lease_holder="ann",
    lease_claimed_at=NOON,
    lease_expires_at=NOON + timedelta(minutes=15),
    owner="ann",
    promise_at=NOON,
    promise_state="kept",
    due_first_attempt=NOON - timedelta(minutes=1),
    due_contact=NOON,
    due_resolution=NOON + timedelta(days=1),
    targets={Target.CONTACT: "met", Target.FIRST_ATTEMPT: "missed"},
    attempts_count=2,
    claimed_at=NOON,
    first_attempt_at=NOON,
    contacted_at=NOON,
    ended_at=NOON,
    cause_kind="operations",
    cause_driver="billing",
    outcome="recovered",
    checklist={"apologised": True},
)
CUSTOMER = Customer(id=7, ref=f"{ID}4", key="k")
FULL_CUSTOMER = CUSTOMER.evolve(
    name=ODD,
    phone="+442079463367;ext=45",
    email="zoe@example.org",
    time_zone="Europe/London",
    country="GB",
    language="en",
    segment="gold",
    since=date(2019, 2, 23),
    value=1234.5,
)
PROBLEM = KnownProblem(
    id=f"{ID}3", title=ODD, match={}, note="n", message="m", created_at=NOON, created_by="lea", changed_at=NOON
)
ANSWER = ResponseView(
    id=1,
    event_source="/s",
    event_id="e",
    response_id="r",
    source="cloudevents",
    survey_id=None,
    question=None,
    rating=2,
    worst=1,
    best=5,
    points=2,
    box="bottom",
    outcome="bottom_box",
    suppressed=None,
    comment=ODD,
    attributes={"branch": "Leeds", "n": 1.5, "deep": [{"a": None}]},
    interaction_id=None,
    channel=None,
    contact_queue="billing",
    contact_reason=None,
    agent_id="a7",
    agent_team=None,
    started_at=NOON,
    ended_at=None,
    answered_at=NOON,
    received_at=NOON.replace(microsecond=0),
    flags=["number_unreadable"],
)
SHOWN = [
    CallbackView(CALLBACK, CUSTOMER, []),
    CallbackView(
        FULL_CALLBACK, FULL_CUSTOMER, [AlertView(answer=ANSWER, raised_at=NOON, severity=90, reasons=["x"])], PROBLEM
    ),
    CallbackView(FULL_CALLBACK, FULL_CUSTOMER.evolve(opted_out_at=NOON), []),
]
CONTEXT = CallbackContext(
    attempts=[
        AttemptView(
            number=1,
            result="busy",
            advisor="ann",
            started_at=NOON,
            ended_at=None,
            recorded_at=NOON,
            note=ODD,
            outside_window=True,
        )
    ],
    history=[HistoryEntry(at=NOON, kind="noted", actor="ann", data={"queue": "general", "n": [1]}, text=ODD)],
    earlier_answers=[ANSWER],
    earlier_callbacks=[CALLBACK, FULL_CALLBACK],
)


def encoded(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document)


def by_model(kind: type[CallbackResource], document: dict[str, Any]) -> bytes:
    return kind.model_validate_json(encoded(document)).model_dump_json(exclude_unset=True).encode()


@pytest.mark.parametrize("seen", SHOWN)
@pytest.mark.parametrize("now", [NOON, NIGHT])
@pytest.mark.parametrize("full", [False, True])
def test_a_callback_is_shown_as_its_model_would_write_it(seen: CallbackView, now: datetime, full: bool) -> None:
    shown = present_callback(seen, now, POLICY, BASE, full=full, lease=full)
    assert encoded(shown) == by_model(CallbackResource, shown)
    explained = shown | {"explain": explain(seen.callback, POLICY)}
    assert encoded(explained) == by_model(CallbackResource, explained)
    detail = present_detail(Detail(seen, CONTEXT, now), POLICY, BASE, full=full, lease=full)
    assert encoded(detail) == by_model(CallbackDetail, detail)


@pytest.mark.parametrize("seen", SHOWN)
def test_what_is_hidden_at_first_is_what_is_hidden_of_an_answer_that_is_given_again(seen: CallbackView) -> None:
    """One rule, in two places: members before they are JSON, and models that were read from it."""
    found = Detail(seen, CONTEXT, NOON)
    whole = CallbackDetail.model_validate_json(encoded(present_detail(found, POLICY, BASE, full=True, lease=True)))
    masked = present_detail(found, POLICY, BASE, full=False, lease=True)
    covered = cover(whole, full=False, number=False)
    assert encoded(masked) == covered.model_dump_json(exclude_unset=True).encode()
    assert ODD not in covered.model_dump_json()
