"""Shows callbacks, customers and answers as docs/rest.md has them: masked (`app.api.masking`), unless the caller may see all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import Callback, State, Target, Transition
from alerts.calling_hours.window import next_window
from alerts.customer import Customer
from alerts.learning.problem import KnownProblem
from alerts.ledger.database import ledger_now
from alerts.ledger.reading.callbacks import Detail, Page, load_views
from alerts.ledger.reading.responses import AlertView, ListedResponse, ResponseView
from alerts.ledger.reading.views import CallbackView
from alerts.phones.phone import extension_of
from alerts.policy import Policy
from alerts.transitions.opening import rank_terms
from app.api.http.answering import Document
from app.api.http.security import Principal
from app.api.masking import HIDDEN_OF_ANSWER, HIDDEN_OF_ATTEMPT, HIDDEN_OF_ENTRY, hidden_of_customer, may_dial
from app.api.schemas.customer import CustomerResource
from app.api.schemas.response import SurveyResponseResource


async def present_transition(
    connection: AsyncConnection,
    moved: Transition,
    principal: Principal,
    policy: Policy,
    base: str,
    *,
    token: str | None,
) -> Document:
    """A callback just after a transition, masked."""
    (seen,) = await load_views(connection, [moved.callback])
    now = await ledger_now(connection)
    return present_changed(seen, now, principal, policy, base, token=token)


def present_changed(
    seen: CallbackView, now: datetime, principal: Principal, policy: Policy, base: str, *, token: str | None
) -> Document:
    """Masked; with its lease for whoever has shown its `token`, or holds it."""
    shown = token is not None and seen.callback.lease_token == token
    return present_callback(seen, now, policy, base, lease=shown or is_held(seen.callback, principal, now))


def is_held(callback: Callback, principal: Principal, now: datetime) -> bool:
    """Whether the caller has a living lease on it."""
    return (
        callback.state is State.LEASED
        and principal.advisor is not None
        and callback.lease_holder == principal.advisor
        and callback.lease_expires_at is not None
        and callback.lease_expires_at > now
    )


def present_callback(
    seen: CallbackView, now: datetime, policy: Policy, base: str, *, full: bool = False, lease: bool = False
) -> Document:
    """A `CallbackResource`."""
    callback = seen.callback
    number = full and may_dial(callback, seen.customer, now, policy)
    return {
        "id": callback.id,
        "state": callback.state,
        "closed_reason": callback.closed_reason,
        "queue": callback.queue,
        "source": callback.source,
        "priority": callback.priority,
        "severity": callback.severity,
        "points": callback.points,
        "reasons": callback.reasons,
        "flags": callback.flags,
        "customer": _customer(seen.customer, full=full, number=number),
        "language": callback.language,
        "opened_at": callback.opened_at,
        "callable_from": callback.callable_from,
        "callable_until": callback.callable_until,
        "callable_reason": callback.callable_reason,
        "due": {
            "first_attempt": callback.due_first_attempt,
            "contact": callback.due_contact,
            "resolution": callback.due_resolution,
        },
        "overdue": callback.overdue(now) if callback.is_open else (),
        "attempts_count": callback.attempts_count,
        "lease": _lease(callback) if lease else None,
        "advisor": callback.lease_holder,
        "owner": callback.owner,
        "promise": _promise(callback),
        "alerts": [_alert(each, full=full) for each in seen.alerts],
        "cause": _cause(callback),
        "outcome": callback.outcome,
        "checklist": callback.checklist,
        "problem": _problem(seen.problem),
        "told_at": callback.told_at,
        "claimed_at": callback.claimed_at,
        "first_attempt_at": callback.first_attempt_at,
        "contacted_at": callback.contacted_at,
        "ended_at": callback.ended_at,
        "version": callback.version,
        "links": _links(seen, base),
    }


def present_page(page: Page, principal: Principal, policy: Policy, base: str) -> list[Document]:
    """Masked; what the caller holds has its lease."""
    return [
        present_callback(seen, page.now, policy, base, lease=is_held(seen.callback, principal, page.now))
        for seen in page.views
    ]


def present_detail(found: Detail, policy: Policy, base: str, *, full: bool, lease: bool) -> Document:
    """A `CallbackDetail`."""
    around, now, callback = found.context, found.now, found.view.callback
    attempts = [structs.asdict(each) for each in around.attempts]
    history = [structs.asdict(each) for each in around.history]
    return {
        **present_callback(found.view, now, policy, base, full=full, lease=lease),
        "attempts": attempts if full else [each | HIDDEN_OF_ATTEMPT for each in attempts],
        "history": history if full else [each | HIDDEN_OF_ENTRY for each in history],
        "earlier_answers": [_answer(each, full=full) for each in around.earlier_answers],
        "earlier_callbacks": [_earlier(each) for each in around.earlier_callbacks],
        "local_time": [{"time_zone": zone, "time": _local(now, zone)} for zone in callback.place(policy).zones],
        "window": _window(callback, now, policy),
        "targets": _targets(callback),
    }


def _problem(problem: KnownProblem | None) -> Document | None:
    if problem is None:
        return None
    return {
        "id": problem.id,
        "title": problem.title,
        "note": problem.note,
        "state": problem.state,
        "message": problem.message,
    }


def present_customer(person: Customer) -> CustomerResource:
    """Masked."""
    return CustomerResource(**_customer(person, full=False, number=False))


def _customer(person: Customer, *, full: bool, number: bool) -> Document:
    return {
        "ref": person.ref,
        "masked": False,
        "name": person.name,
        "phone": person.phone,
        "extension": person.phone and extension_of(person.phone),
        "email": person.email,
        "number_status": person.number_status,
        "time_zone": person.time_zone,
        "country": person.country,
        "language": person.language,
        "segment": person.segment,
        "since": person.since,
        "value": person.value,
        "opted_out_at": person.opted_out_at,
        "version": person.version,
    } | hidden_of_customer(person, full=full, number=number)


def _alert(seen: AlertView, *, full: bool) -> Document:
    return {
        **_answer(seen.answer, full=full),
        "raised_at": seen.raised_at,
        "severity": seen.severity,
        "reasons": seen.reasons,
    }


def present_response(seen: ListedResponse) -> SurveyResponseResource:
    """Masked."""
    members = _answer(seen.answer, full=False)
    members |= {"customer": seen.customer, "callback": seen.callback}
    members |= {"outcome": seen.answer.outcome, "suppressed": seen.answer.suppressed}
    return SurveyResponseResource(**members)


def _answer(answer: ResponseView, *, full: bool) -> Document:
    shown = {
        "id": str(answer.id),
        "event_source": answer.event_source,
        "event_id": answer.event_id,
        "response_id": answer.response_id,
        "source": answer.source,
        "survey": {"id": answer.survey_id, "question": answer.question},
        "rating": answer.rating,
        "scale": {"worst": answer.worst, "best": answer.best},
        "points": answer.points,
        "box": answer.box,
        "comment": answer.comment,
        "attributes": answer.attributes,
        "interaction": {
            "id": answer.interaction_id,
            "channel": answer.channel,
            "queue": answer.contact_queue,
            "reason": answer.contact_reason,
            "agent": {"id": answer.agent_id, "team": answer.agent_team},
            "started_at": answer.started_at,
            "ended_at": answer.ended_at,
        },
        "answered_at": answer.answered_at,
        "received_at": answer.received_at,
        "flags": answer.flags,
    }
    return shown if full else shown | HIDDEN_OF_ANSWER


def explain(callback: Callback, policy: Policy) -> Document:
    """A `RankExplanation`. What the policy's terms do not account for came with a join or a reopening."""
    terms = rank_terms(callback.priority, callback.reasons, policy)
    total = (callback.rank_at - callback.opened_at).total_seconds()
    rest = total - sum(seconds for _, seconds in terms)
    shown: Sequence[tuple[str, float]] = [*terms, ("joined_or_reopened", rest)] if rest else terms
    return {
        "rank_at": callback.rank_at,
        "terms": [{"name": name, "seconds": float(seconds)} for name, seconds in shown],
    }


def _lease(callback: Callback) -> Document | None:
    if callback.lease_token is None:
        return None
    return {
        "token": callback.lease_token,
        "holder": callback.lease_holder,
        "expires_at": callback.lease_expires_at,
    }


def _promise(callback: Callback) -> Document | None:
    if callback.promise_at is None or callback.promise_state is None:
        return None
    return {"at": callback.promise_at, "state": callback.promise_state}


def _cause(callback: Callback) -> Document | None:
    if callback.cause_kind is None or callback.cause_driver is None:
        return None
    return {"kind": callback.cause_kind, "driver": callback.cause_driver}


def _links(seen: CallbackView, base: str) -> Document:
    previous = seen.callback.previous_id
    return {
        "self": f"{base}/v1/callbacks/{seen.callback.id}",
        "customer": f"{base}/v1/customers/{seen.customer.ref}",
        "previous": previous and f"{base}/v1/callbacks/{previous}",
    }


def _earlier(callback: Callback) -> Document:
    return {
        "id": callback.id,
        "state": callback.state,
        "closed_reason": callback.closed_reason,
        "queue": callback.queue,
        "opened_at": callback.opened_at,
        "ended_at": callback.ended_at,
        "cause": _cause(callback),
        "outcome": callback.outcome,
    }


def _local(now: datetime, zone: str) -> str:
    """The minute there: with the second in it, no two answers would ever be the same."""
    return now.astimezone(ZoneInfo(zone)).replace(second=0, microsecond=0).isoformat()


def _window(callback: Callback, now: datetime, policy: Policy) -> Document:
    window = next_window(now, callback.place(policy), policy, callback.not_before, callback.avoid)
    if window is None:
        return {"open_now": False, "opens_at": None, "closes_at": None, "reason": callback.callable_reason}
    return {
        "open_now": window.opens <= now < window.closes,
        "opens_at": window.opens,
        "closes_at": window.closes,
        "reason": window.reason,
    }


def _targets(callback: Callback) -> list[Document]:
    due = {
        Target.FIRST_ATTEMPT: callback.due_first_attempt,
        Target.CONTACT: callback.due_contact,
        Target.RESOLUTION: callback.due_resolution,
    }
    return [
        {"target": target, "due_at": at, "result": callback.targets.get(target)}
        for target, at in due.items()
        if at is not None
    ]
