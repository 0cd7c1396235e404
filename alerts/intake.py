"""What an answer comes to, and what it does to its customer's callback: the decision at the centre, without a database.

    an event that we have            duplicate or conflict; nothing changes
    an older revision of an answer   stale
    opted out, too old, erased       suppressed: a written rule says no call
    1 or 2 of 5                      bottom_box: an alert, on the customer's open callback or on a new one
    3 to 5                           not_bottom_box; where it replaces a bad revision, the call may be needless

`recognise` says which events we have; of the others `decide` judges one, `decide_all` a batch.
`alerts.ledger.intake.batch` reads what these functions ask for, with the customers locked, and writes what they say. The
records that go in and come out are in `alerts.case`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import structs

from alerts.alert import Alert
from alerts.arrival import Answer, RecordOutcome
from alerts.callback import SYSTEM, ClosedReason, Transition
from alerts.case import (
    Case,
    Decision,
    Effects,
    Fingerprint,
    Fresh,
    Revision,
    ScopedId,
    answer_identity,
    event_identity,
    revision_of,
)
from alerts.customer import Customer
from alerts.learning.problem import OpenProblem, explaining, lowered
from alerts.policy import Policy
from alerts.routing import route
from alerts.scale import Box
from alerts.scoring import asked_not_to_be_called, score
from alerts.survey import SurveyResponse
from alerts.transitions import follow, join, open_callback, reopen, supersede


def decide(
    fresh: Fresh,
    case: Case,
    newest: Revision | None,
    *,
    now: datetime,
    policy: Policy,
    new_id: Callable[[datetime], str],
    problems: Sequence[OpenProblem] = (),
) -> Decision:
    """What one answer that we did not have comes to. `newest`: the revision of it that is in force, if there is one."""
    if fresh.rating.box is not Box.BOTTOM and newest is None and case.customer.erased_at is None:
        # Six of seven answers. What follows would say the same of them, and take longer.
        verdict = score(fresh.answer.response, fresh.rating, policy)
        return Decision(answer=fresh.answer, verdict=verdict, outcome=RecordOutcome.NOT_BOTTOM_BOX, case=case)
    response = fresh.answer.response
    identity = answer_identity(response)
    verdict = score(response, fresh.rating, policy, case.last_bottom_box_but(identity))
    decision = Decision(
        answer=fresh.answer,
        verdict=verdict,
        outcome=RecordOutcome.NOT_BOTTOM_BOX,
        case=case,
        revises=newest is not None,
    )
    if case.customer.erased_at is not None:
        return structs.replace(decision, outcome=RecordOutcome.SUPPRESSED, suppressed="erased")
    if newest is not None and revision_of(fresh.answer, verdict.box) < newest:
        return structs.replace(decision, outcome=RecordOutcome.STALE)
    if verdict.box is not Box.BOTTOM:
        return _not_bottom_box(decision, identity, now, policy)
    remembered = case.evolve(bottom_boxes={**case.bottom_boxes, identity: response.answered_at})
    decision = structs.replace(decision, case=remembered)
    suppressed = _suppressed(response, case.customer, now, policy)
    if suppressed is not None:
        return structs.replace(decision, outcome=RecordOutcome.SUPPRESSED, suppressed=suppressed)
    return _raise_alert(decision, identity, now, policy, new_id, problems)


def _suppressed(response: SurveyResponse, customer: Customer, now: datetime, policy: Policy) -> str | None:
    if customer.opted_out_at is not None:
        return "opted_out"
    oldest = policy.oldest_answer_hours
    return "too_old" if oldest is not None and response.answered_at < now - timedelta(hours=oldest) else None


def _raise_alert(
    decision: Decision,
    identity: ScopedId,
    now: datetime,
    policy: Policy,
    new_id: Callable[[datetime], str],
    problems: Sequence[OpenProblem],
) -> Decision:
    """On the customer's open callback, on the last one begun again, or on a new one."""
    case, response = decision.case, decision.answer.response
    queue, priority = route(response, decision.verdict, policy, case.last_bottom_box_but(identity))
    problem_id = explaining(response, problems)
    begun = _open_or_reopened(case, now, policy)
    alert = Alert(
        answer=decision.answer,
        verdict=decision.verdict,
        queue=queue,
        priority=priority if problem_id is None else lowered(priority, policy),
        problem_id=problem_id,
        callback_id=new_id(now) if begun is None else begun.callback.id,
        raised_at=now,
        asked_not_to_be_called=asked_not_to_be_called(response, policy),
    )
    if begun is None:
        previous = None if case.resolved is None else case.resolved.id
        moved = open_callback(alert, case.customer, previous_id=previous, now=now, policy=policy)
    else:
        moved = begun.then(join(begun.callback, alert, case.customer, now=now, policy=policy))
    after = case.evolve(callback=moved.callback, behind=case.behind | {identity})
    return structs.replace(decision, outcome=RecordOutcome.BOTTOM_BOX, alert=alert, moved=moved, case=after)


def _open_or_reopened(case: Case, now: datetime, policy: Policy) -> Transition | None:
    """The callback that the alert joins: the open one, or the last one begun again where the policy wants that."""
    if case.callback is not None:
        return Transition(callback=case.callback)
    if case.resolved is None or policy.again.then != "reopen":
        return None
    return reopen(case.resolved, case.customer, actor=SYSTEM, now=now, policy=policy)


def _not_bottom_box(decision: Decision, identity: ScopedId, now: datetime, policy: Policy) -> Decision:
    """Where it replaces a bad revision: the callback is needless when no other bad answer stands behind it."""
    case = decision.case
    boxes = {key: at for key, at in case.bottom_boxes.items() if key != identity}
    left = case.evolve(behind=case.behind - {identity}, bottom_boxes=boxes)
    if case.callback is None or identity not in case.behind or left.behind:
        return structs.replace(decision, case=left)
    moved = supersede(case.callback, ClosedReason.RERATED, now=now, policy=policy)
    after = left.evolve(callback=moved.callback if moved.callback.is_open else None)
    return structs.replace(decision, moved=moved, case=after)


def recognise(answers: Sequence[Answer], known: Mapping[ScopedId, Fingerprint]) -> list[RecordOutcome | None]:
    """Of each answer whether we have its event already, from before or from earlier in the same batch.

    Duplicate when it says the same, conflict when it says something else; None for an event that is new. Other bytes
    with the same content are a sender that wrote the event anew, and no conflict.
    """
    seen = dict(known)
    outcomes: list[RecordOutcome | None] = []
    for answer in answers:
        identity = event_identity(answer.response)
        before = seen.get(identity)
        if before is None:
            seen[identity] = Fingerprint(answer.value_hash, answer.content_hash)
        outcomes.append(None if before is None else _repeats(answer, before))
    return outcomes


def _repeats(answer: Answer, before: Fingerprint) -> RecordOutcome:
    is_same = answer.value_hash == before.value_hash or answer.content_hash == before.content_hash
    return RecordOutcome.DUPLICATE if is_same else RecordOutcome.CONFLICT


def decide_all(
    fresh: Iterable[tuple[Fresh, int]],
    cases: Mapping[int, Case],
    newest: Mapping[ScopedId, Revision],
    *,
    now: datetime,
    policy: Policy,
    new_id: Callable[[datetime], str],
    problems: Sequence[OpenProblem] = (),
) -> Effects:
    """Every answer in the order in which it came, each with the id of its customer.

    `cases` by customer's id, already with the news that these answers bring of the customers; so first every open
    callback follows its customer. `newest`: the revision in force of each answer that we have one of. `problems`: the
    known ones, the oldest first.
    """
    there = {case.callback.id for case in cases.values() if case.callback is not None}
    there |= {case.resolved.id for case in cases.values() if case.resolved is not None}
    moved: dict[str, Transition] = {}
    present, in_force = dict(cases), dict(newest)
    for customer_id, case in cases.items():
        if case.callback is not None:
            followed = follow(case.callback, case.customer, now=now, policy=policy)
            present[customer_id] = case.evolve(callback=followed.callback)
            _add(moved, followed)
    decisions = []
    for each, customer_id in fresh:
        identity = answer_identity(each.answer.response)
        before = in_force.get(identity)
        decision = decide(each, present[customer_id], before, now=now, policy=policy, new_id=new_id, problems=problems)
        decisions.append(decision)
        present[customer_id] = decision.case
        if decision.is_kept and decision.outcome is not RecordOutcome.STALE:
            in_force[identity] = revision_of(each.answer, decision.verdict.box)
        if decision.moved is not None:
            _add(moved, decision.moved)
    return Effects(
        decisions=decisions,
        opened=[each for key, each in moved.items() if key not in there],
        changed=[each for key, each in moved.items() if key in there],
    )


def _add(moved: dict[str, Transition], later: Transition) -> None:
    """Puts what happened to a callback behind what this batch has already done to it."""
    if later.events:
        before = moved.get(later.callback.id)
        moved[later.callback.id] = later if before is None else before.then(later)
