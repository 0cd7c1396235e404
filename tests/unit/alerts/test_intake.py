"""From a 2 of 5 to an alert: what an answer comes to, and what it does to its customer's callback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from alerts.arrival import Address, Answer, RecordOutcome
from alerts.callback import Callback, ClosedReason, Flag, State
from alerts.case import Case, Effects, Fingerprint, Fresh, Revision, ScopedId, event_identity
from alerts.conditions import When
from alerts.customer import Customer
from alerts.errors import NotClaimable
from alerts.intake import decide, decide_all, recognise
from alerts.learning.problem import OpenProblem
from alerts.policy import Policy, read_policy, shipped_policy
from alerts.resolution import Cause, CauseKind, Outcome
from alerts.scale import Box
from alerts.scoring import rate
from alerts.survey import Interaction, SurveyResponse
from alerts.transitions import claim, permit, resolve

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday; London is on UTC
POLICY = shipped_policy()
ANN = Customer(id=1, ref="ref-1", key="id:cloudevents:ann", time_zone="Europe/London")
BOTTOM, NOT_BOTTOM = RecordOutcome.BOTTOM_BOX, RecordOutcome.NOT_BOTTOM_BOX
OFFSETS, IDS = count(1), count(1)


def said(rating: int, *, response: str | None = None, event: str | None = None, **facts: Any) -> Answer:
    """One answer of Ann's at the next offset; `response` makes it a revision of an earlier one."""
    offset = next(OFFSETS)
    given = facts.pop("answered_at", NOW - timedelta(minutes=5))
    content = facts.pop("content", f"content {offset}")
    answered: dict[str, Any] = {
        "event_source": "/s",
        "event_id": event or f"event-{offset}",
        "source": "cloudevents",
        "response_id": response or f"response-{offset}",
        "rating": rating,
        "answered_at": given,
        "revised_at": given,
    }
    response_ = SurveyResponse(**{**answered, **facts})
    return Answer(Address("surveys", 0, offset, NOW), response_, f"value {offset}".encode(), content.encode())


def come_to(
    *answers: Answer,
    case: Case | None = None,
    newest: Mapping[ScopedId, Revision] | None = None,
    policy: Policy = POLICY,
    now: datetime = NOW,
    problems: Sequence[OpenProblem] = (),
) -> Effects:
    case = case or Case(customer=ANN)
    return decide_all(
        [(Fresh(each, rate(each.response, policy)), case.customer.id) for each in answers],
        {case.customer.id: case},
        newest or {},
        now=now,
        policy=policy,
        new_id=lambda moment: f"c-{next(IDS)}",
        problems=problems,
    )


def outcomes(effects: Effects) -> list[RecordOutcome]:
    return [decision.outcome for decision in effects.decisions]


def after(effects: Effects) -> Case:
    return effects.decisions[-1].case


def kinds(effects: Effects) -> list[str]:
    return [event.kind for moved in (*effects.opened, *effects.changed) for event in moved.events]


def newest_of(*answers: Answer) -> dict[ScopedId, Revision]:
    """The revisions in force once these were stored, in their order."""
    found = {}
    for each in answers:
        box = rate(each.response, POLICY).box
        identity = (each.response.event_source, each.response.response_id)
        found[identity] = Revision(each.response.revised_at, each.address.partition, each.address.offset, box)
    return found


def resolved(callback: Callback) -> Callback:
    held = claim(callback, advisor="ben", token="t", seconds=900, now=NOW, policy=POLICY).callback
    facts: dict[str, Any] = {"note": None, "checklist": {}, "version": None, "outcome": Outcome.RECOVERED}
    cause = Cause(CauseKind.SKILL, "courtesy")
    token = held.lease_token or ""
    return resolve(held, token=token, cause=cause, now=NOW, policy=POLICY, **facts).callback


# -- do we have it already?


def test_an_event_that_says_the_same_again_is_a_duplicate_and_one_that_does_not_a_conflict() -> None:
    first = said(2, event="e", content="a")
    again, rewritten, other = said(2, event="e", content="b"), said(2, event="e", content="a"), said(5, event="e")
    known = {event_identity(first.response): Fingerprint(first.value_hash, first.content_hash)}
    same = Answer(again.address, again.response, first.value_hash, b"anything")
    assert recognise([same, rewritten, other, said(2)], known) == [
        RecordOutcome.DUPLICATE,
        RecordOutcome.DUPLICATE,
        RecordOutcome.CONFLICT,
        None,
    ]


def test_an_event_that_comes_twice_in_one_batch_is_new_once() -> None:
    assert recognise([said(2, event="e", content="a"), said(2, event="e", content="a")], {}) == [
        None,
        RecordOutcome.DUPLICATE,
    ]


# -- does somebody have to phone?


def test_a_2_of_5_becomes_an_alert_on_a_new_callback() -> None:
    effects = come_to(said(2))
    [alert] = effects.alerts
    [opened] = effects.opened
    assert outcomes(effects) == [BOTTOM]
    assert (alert.callback_id, opened.callback.state) == (opened.callback.id, State.WAITING)
    assert (alert.verdict.severity, alert.priority, alert.queue) == (60, 3, "general")


@pytest.mark.parametrize("rating", [3, 4, 5])
def test_a_3_to_5_is_kept_and_nobody_phones(rating: int) -> None:
    effects = come_to(said(rating))
    assert (outcomes(effects), effects.alerts, effects.opened) == ([NOT_BOTTOM], [], [])


def test_two_bad_answers_of_one_batch_lie_on_one_callback() -> None:
    effects = come_to(said(2), said(1), said(5))
    assert outcomes(effects) == [BOTTOM, BOTTOM, NOT_BOTTOM]
    assert len({alert.callback_id for alert in effects.alerts}) == 1
    assert kinds(effects) == ["opened", "joined"]
    assert effects.opened[0].callback.points == 1


def test_a_bad_answer_joins_the_callback_that_is_open() -> None:
    [opened] = come_to(said(2)).opened
    effects = come_to(said(1), case=Case(customer=ANN, callback=opened.callback))
    assert (effects.opened, kinds(effects)) == ([], ["joined"])
    assert effects.alerts[0].callback_id == opened.callback.id


@pytest.mark.parametrize(
    ("customer", "policy", "why"),
    [
        ({"opted_out_at": NOW}, POLICY, "opted_out"),
        ({"erased_at": NOW}, POLICY, "erased"),
        ({}, read_policy("oldest_answer_hours: 1", file="p"), "too_old"),
    ],
)
def test_a_written_rule_suppresses_the_call(customer: dict[str, Any], policy: Policy, why: str) -> None:
    case = Case(customer=ANN.evolve(**customer))
    effects = come_to(said(1, answered_at=NOW - timedelta(hours=2)), case=case, policy=policy)
    [decision] = effects.decisions
    assert (decision.outcome, decision.suppressed) == (RecordOutcome.SUPPRESSED, why)
    assert decision.is_kept is (why != "erased")
    assert effects.alerts == []


def test_of_somebody_who_was_erased_even_a_good_answer_is_not_kept() -> None:
    [decision] = come_to(said(5), case=Case(customer=ANN.evolve(erased_at=NOW))).decisions
    assert (decision.outcome, decision.is_kept) == (RecordOutcome.SUPPRESSED, False)


# -- an answer over its revisions


def test_an_older_revision_is_stale_and_does_nothing() -> None:
    new = said(5, response="r")
    effects = come_to(said(1, response="r", answered_at=NOW - timedelta(hours=1)), newest=newest_of(new))
    assert (outcomes(effects), effects.alerts) == ([RecordOutcome.STALE], [])


def test_of_two_revisions_of_one_time_the_later_in_kafka_wins() -> None:
    first, second = said(5, response="r"), said(1, response="r")
    assert outcomes(come_to(first, second)) == [NOT_BOTTOM, BOTTOM]
    assert outcomes(come_to(first, newest=newest_of(second))) == [RecordOutcome.STALE]


def test_a_better_revision_makes_the_call_needless() -> None:
    bad, better = said(2, response="r"), said(5, response="r")
    case = after(come_to(bad))
    effects = come_to(better, case=case, newest=newest_of(bad))
    assert outcomes(effects) == [NOT_BOTTOM]
    assert effects.changed[0].callback.closed_reason is ClosedReason.RERATED
    assert after(effects).callback is None


def test_a_better_revision_leaves_the_call_while_another_bad_answer_stands_behind_it() -> None:
    bad, other, better = said(2, response="r"), said(1), said(5, response="r")
    case = after(come_to(bad, other))
    effects = come_to(better, case=case, newest=newest_of(bad))
    assert effects.changed == []
    assert after(effects).callback is not None


def test_a_better_answer_about_something_else_closes_nothing() -> None:
    case = after(come_to(said(2)))
    effects = come_to(said(5), case=case)
    assert effects.changed == []


def test_a_better_revision_flags_the_callback_that_somebody_holds() -> None:
    bad = said(2, response="r")
    case = after(come_to(bad))
    assert case.callback is not None
    held = claim(case.callback, advisor="ben", token="t", seconds=900, now=NOW, policy=POLICY).callback
    effects = come_to(said(5, response="r"), case=case.evolve(callback=held), newest=newest_of(bad))
    assert Flag.RERATED in effects.changed[0].callback.flags


def test_a_revision_that_is_bad_again_opens_a_call_again() -> None:
    bad, better, worse = said(2, response="r"), said(5, response="r"), said(1, response="r")
    effects = come_to(bad, better, worse)
    assert outcomes(effects) == [BOTTOM, NOT_BOTTOM, BOTTOM]
    assert [moved.callback.state for moved in effects.opened] == [State.CLOSED, State.WAITING]


# -- is it a repeat?


def repeats(effects: Effects) -> list[bool]:
    return ["repeat_within_30_days" in alert.verdict.reasons for alert in effects.alerts]


def test_another_bad_answer_within_30_days_is_a_repeat() -> None:
    earlier = {("/s", "other"): NOW - timedelta(days=3)}
    assert repeats(come_to(said(1), case=Case(customer=ANN, bottom_boxes=earlier))) == [True]
    assert repeats(come_to(said(1), said(1))) == [False, True]


def test_a_revision_of_an_answer_is_no_repeat_of_itself() -> None:
    first, second = said(1, response="r"), said(1, response="r")
    assert repeats(come_to(first, second)) == [False, False]
    case = Case(customer=ANN, bottom_boxes={("/s", "r"): first.response.answered_at})
    effects = come_to(second, case=case, newest=newest_of(first))
    assert repeats(effects) == [False]
    assert effects.alerts[0].priority == 2


def test_an_answer_that_was_taken_back_makes_no_repeat_of_the_next() -> None:
    effects = come_to(said(1, response="r"), said(5, response="r"), said(1))
    assert repeats(effects) == [False, False]


# -- after a callback has ended


def test_a_bad_answer_after_a_resolved_callback_begins_a_new_one_that_names_it() -> None:
    ended = resolved(come_to(said(2)).opened[0].callback)
    effects = come_to(said(1), case=Case(customer=ANN, resolved=ended))
    [opened] = effects.opened
    assert opened.callback.previous_id == ended.id


def test_a_policy_may_begin_the_resolved_callback_again() -> None:
    rules = read_policy("again: {then: reopen}", file="p")
    ended = resolved(come_to(said(2)).opened[0].callback)
    effects = come_to(said(1), said(2), case=Case(customer=ANN, resolved=ended), policy=rules)
    assert effects.opened == []
    assert kinds(effects) == ["reopened", "joined", "joined"]
    assert effects.changed[0].callback.id == ended.id


# -- news of the customer


def test_a_good_answer_that_says_where_the_customer_is_moves_the_calling_window() -> None:
    [opened] = come_to(said(2)).opened
    in_tokyo = ANN.evolve(time_zone="Asia/Tokyo")
    effects = come_to(said(5), case=Case(customer=in_tokyo, callback=opened.callback), now=NOW + timedelta(hours=2))
    [changed] = effects.changed
    assert kinds(effects) == ["customer_changed"]
    assert changed.callback.zones == ("Asia/Tokyo",)
    assert not changed.callback.ready


def test_an_answer_that_says_nothing_new_leaves_the_callback_alone() -> None:
    [opened] = come_to(said(2)).opened
    assert come_to(said(5), case=Case(customer=ANN, callback=opened.callback)).changed == []


def test_the_outcomes_stand_in_the_order_of_the_answers() -> None:
    answers: Sequence[Answer] = [said(2, event="e", content="x"), said(2, event="e", content="x"), said(5)]
    recognised = recognise(answers, {})
    fresh = [answer for answer, known in zip(answers, recognised, strict=True) if known is None]
    assert list(come_to(*fresh).outcomes(recognised)) == [
        (BOTTOM, True),
        (RecordOutcome.DUPLICATE, False),
        (NOT_BOTTOM, True),
    ]


# -- a wish not to be phoned


def test_whoever_asked_not_to_be_called_waits_for_a_lead_while_the_due_times_run() -> None:
    [opened] = come_to(said(1, comment="Do not call me again")).opened
    callback = opened.callback
    assert (callback.awaits_lead, callback.ready, callback.callable_from) == (True, False, None)
    assert Flag.ASKED_NOT_TO_BE_CALLED in callback.flags
    assert callback.priority == 2  # and so no `asked_for_a_call`
    assert callback.due_first_attempt == NOW + timedelta(hours=1)
    with pytest.raises(NotClaimable, match="a lead decides"):
        claim(callback, advisor="ben", token="t", seconds=900, now=NOW, policy=POLICY)


def test_a_lead_lets_the_call_be_made_and_the_wish_stays_in_sight() -> None:
    [opened] = come_to(said(1, comment="Do not call me again")).opened
    moved = permit(opened.callback, actor="lea", now=NOW, policy=POLICY, reason="she called us meanwhile")
    assert (moved.callback.ready, moved.callback.awaits_lead) == (True, False)
    assert Flag.ASKED_NOT_TO_BE_CALLED in moved.callback.flags
    with pytest.raises(NotClaimable):
        permit(moved.callback, actor="lea", now=NOW, policy=POLICY)


def test_an_answer_that_says_it_again_asks_the_lead_again() -> None:
    [opened] = come_to(said(1)).opened
    effects = come_to(said(2, comment="rufen Sie mich nicht an"), case=Case(customer=ANN, callback=opened.callback))
    assert effects.changed[0].callback.awaits_lead


def test_a_policy_may_offer_who_asked_not_to_be_called_with_the_flag() -> None:
    rules = read_policy("asked_not_to_be_called: offer", file="p")
    [opened] = come_to(said(1, comment="Do not call me again"), policy=rules).opened
    assert opened.callback.ready
    assert Flag.ASKED_NOT_TO_BE_CALLED in opened.callback.flags


# -- the short way of most answers


@given(
    rating=st.integers(3, 5),
    has_opted_out=st.booleans(),
    is_open=st.booleans(),
    days_ago=st.integers(0, 4000),
    others=st.dictionaries(st.sampled_from("abc"), st.integers(1, 90), max_size=3),
)
def test_a_good_answer_comes_to_the_same_on_the_short_way_as_on_the_long_one(
    rating: int, has_opted_out: bool, is_open: bool, days_ago: int, others: dict[str, int]
) -> None:
    """The long way is that of an answer which replaces a good revision of itself."""
    at = NOW - timedelta(days=days_ago)
    good, older = said(rating, response="good", answered_at=at), said(5, response="good", answered_at=at)
    newest = Revision(at - timedelta(seconds=1), 0, older.address.offset, Box.TOP)
    ann = ANN.evolve(opted_out_at=NOW - timedelta(days=1)) if has_opted_out else ANN
    boxes = {("/s", name): NOW - timedelta(days=days) for name, days in others.items()}
    [opened] = come_to(said(1, response="a")).opened
    case = Case(customer=ann, bottom_boxes=boxes, behind=frozenset(boxes))
    case = case.evolve(callback=opened.callback) if is_open else case
    fresh = Fresh(good, rate(good.response, POLICY))
    short, long = (decide(fresh, case, before, now=NOW, policy=POLICY, new_id=str) for before in (None, newest))
    assert short.outcome is NOT_BOTTOM
    assert short == structs.replace(long, revises=False)


# -- known problems

INVOICES = OpenProblem("p-invoices", When(contact_reasons=("invoice",)))
VOICE = OpenProblem("p-voice", When(channels=("voice",)))
ABOUT_INVOICES = Interaction(reason="Invoice", channel="voice")


def test_a_known_problem_explains_the_callback_that_its_answer_opens() -> None:
    (moved,) = come_to(said(1, interaction=ABOUT_INVOICES), problems=[INVOICES, VOICE]).opened
    assert (moved.callback.problem_id, moved.callback.priority) == ("p-invoices", 2)
    (other,) = come_to(said(1), problems=[INVOICES, VOICE]).opened
    assert other.callback.problem_id is None


def test_what_it_explains_has_the_priority_that_the_policy_leaves_it_and_is_opened_all_the_same() -> None:
    policy = read_policy("problems: {lower_priority_by: 1}", file="policy.yaml")
    effects = come_to(said(2, interaction=ABOUT_INVOICES), problems=[VOICE], policy=policy)
    assert outcomes(effects) == [BOTTOM]
    (moved,) = effects.opened
    assert (moved.callback.priority, moved.callback.rank_at - NOW) == (4, policy.order.allowance(4))


def test_a_joining_answer_brings_its_problem_with_it() -> None:
    effects = come_to(said(1), said(1, interaction=ABOUT_INVOICES), problems=[INVOICES])
    assert after(effects).callback is not None
    (moved,) = effects.opened
    assert moved.callback.problem_id == "p-invoices"
