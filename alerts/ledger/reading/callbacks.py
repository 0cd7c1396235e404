"""Reading callbacks: the list with its filters and its order, and one callback with everything around it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, Select, and_, case, cast, false, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import OPEN_STATES, Callback, Flag, State
from alerts.customer import Customer
from alerts.errors import NotFound
from alerts.learning.problem import KnownProblem
from alerts.ledger.callbacks.store import read_callback
from alerts.ledger.customers.record import customers_by_id
from alerts.ledger.learning.problems import problems_by_id
from alerts.ledger.reading.responses import AlertView, ResponseView, alerts_of, other_responses
from alerts.ledger.tables.callbacks import attempts, callbacks
from alerts.ledger.tables.common import Timestamp
from alerts.ledger.tables.customers import customers
from alerts.ledger.tables.events import history
from alerts.ledger.tables.responses import alerts, responses

Sort = Literal["work_order", "opened_at", "due_at"]
KeyValue = int | str | datetime
View = TypeVar("View", bound=Struct)

EARLIER_AT_MOST = 20
HISTORY_AT_MOST = 500

c = callbacks.c
TARGET_COLUMNS = (
    (c.due_first_attempt, c.first_attempt_at),
    (c.due_contact, c.contacted_at),
    (c.due_resolution, c.ended_at),
)
# What falls due next; what owes nothing any more comes last.
NEXT_DUE = func.coalesce(
    func.least(*(case((reached.is_(None), due)) for due, reached in TARGET_COLUMNS)),
    cast(literal("9999-12-31T00:00:00Z"), Timestamp),
)
SORTS: dict[Sort, tuple[ColumnElement[Any], ...]] = {
    "work_order": (c.priority_class, c.rank_at, c.id),
    "opened_at": (c.opened_at, c.id),
    "due_at": (NEXT_DUE, c.id),
}
"""The smaller comes first, so the list is a queue: what is most urgent, oldest or soonest due stands on top."""


class CallbackFilter(Struct, frozen=True, kw_only=True):
    """Filters; None lets everything pass, several values match any of them."""

    states: Sequence[State] | None = None
    queues: Sequence[str] | None = None
    priorities: Sequence[int] | None = None
    advisor: str | None = None  # holds or owns it
    customer: str | None = None  # ref
    cause: str | None = None  # kind or driver
    flag: Flag | None = None
    overdue: bool | None = None
    q: str | None = None  # an id of a callback, a customer or an answer
    opened_after: datetime | None = None
    opened_before: datetime | None = None
    problem: str | None = None  # an id
    told: bool | None = None  # of those behind which there is a problem: whether the customer was told


class CallbackView(Struct, frozen=True):
    """A callback, whom it is about, the answers it is about, and the known problem behind it."""

    callback: Callback
    customer: Customer
    alerts: list[AlertView]
    problem: KnownProblem | None = None


class AttemptView(Struct, frozen=True, kw_only=True):
    number: int
    result: str
    advisor: str
    started_at: datetime
    ended_at: datetime | None
    recorded_at: datetime
    note: str | None
    outside_window: bool


class HistoryEntry(Struct, frozen=True, kw_only=True):
    at: datetime
    kind: str
    actor: str
    data: dict[str, Any]
    text: str | None


class CallbackContext(Struct, frozen=True):
    """What an advisor wants to know before dialling."""

    attempts: list[AttemptView]
    history: list[HistoryEntry]
    earlier_answers: list[ResponseView]
    earlier_callbacks: list[Callback]


async def list_callbacks(
    connection: AsyncConnection, wanted: CallbackFilter, *, sort: Sort, after: Sequence[KeyValue] | None, limit: int
) -> tuple[list[CallbackView], Sequence[KeyValue] | None]:
    """One page, and the key after which the next one begins; None on the last page."""
    order = SORTS[sort]
    keys = [column.label(f"key_{number}") for number, column in enumerate(order)]
    query = _filtered(select(callbacks, *keys), wanted).order_by(*order).limit(limit + 1)
    if after is not None:
        values = [literal(value, column.type) for value, column in zip(after, order, strict=True)]
        query = query.where(tuple_(*order) > tuple_(*values))
    rows = (await connection.execute(query)).all()
    page = rows[:limit]
    more = [page[-1]._mapping[key.name] for key in keys] if len(rows) > limit else None
    return await load_views(connection, [read_callback(row) for row in page]), more


async def load_view(connection: AsyncConnection, callback_id: str) -> CallbackView:
    """Raises NotFound."""
    row: Row[Any] | None = (await connection.execute(select(callbacks).where(c.id == callback_id))).one_or_none()
    if row is None:
        raise NotFound("there is no such callback")
    return (await load_views(connection, [read_callback(row)]))[0]


async def load_views(connection: AsyncConnection, found: Sequence[Callback]) -> list[CallbackView]:
    """Callbacks with their customers and alerts, in the order given."""
    people = await customers_by_id(connection, [callback.customer_id for callback in found])
    raised = await alerts_of(connection, [callback.id for callback in found])
    known = await problems_by_id(connection, [callback.problem_id for callback in found])
    return [
        CallbackView(
            callback, people[callback.customer_id], raised.get(callback.id, []), known.get(callback.problem_id or "")
        )
        for callback in found
    ]


async def load_context(connection: AsyncConnection, callback: Callback) -> CallbackContext:
    tried = select(attempts).where(attempts.c.callback_id == callback.id).order_by(attempts.c.number)
    happened = (
        select(history).where(history.c.callback_id == callback.id).order_by(history.c.id.desc()).limit(HISTORY_AT_MOST)
    )
    others = (
        select(callbacks)
        .where(c.customer_id == callback.customer_id, c.id != callback.id)
        .order_by(c.opened_at.desc(), c.id)
        .limit(EARLIER_AT_MOST)
    )
    return CallbackContext(
        attempts=[_only(AttemptView, row) for row in await connection.execute(tried)],
        history=[_only(HistoryEntry, row) for row in reversed((await connection.execute(happened)).all())],
        earlier_answers=await other_responses(connection, callback.customer_id, callback.id, limit=EARLIER_AT_MOST),
        earlier_callbacks=[read_callback(row) for row in await connection.execute(others)],
    )


def _only(kind: type[View], row: Row[Any]) -> View:
    return kind(**{name: row._mapping[name] for name in kind.__struct_fields__})


def _filtered(query: Select[Any], wanted: CallbackFilter) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = []
    for column, values in ((c.state, wanted.states), (c.queue, wanted.queues), (c.priority, wanted.priorities)):
        if values is not None:
            conditions.append(column.in_(values))
    if wanted.advisor is not None:
        conditions.append(or_(c.lease_holder == wanted.advisor, c.owner == wanted.advisor))
    if wanted.customer is not None:
        conditions.append(_of_customer(wanted.customer))
    if wanted.cause is not None:
        conditions.append(or_(c.cause_kind == wanted.cause, c.cause_driver == wanted.cause))
    if wanted.flag is not None:
        conditions.append(c.flags.contains([wanted.flag]))
    if wanted.overdue is not None:
        conditions.append(_is_overdue() if wanted.overdue else ~_is_overdue())
    if wanted.q is not None:
        conditions.append(_has_id(wanted.q))
    if wanted.problem is not None:
        conditions.append(c.problem_id == wanted.problem)
    if wanted.told is not None:
        conditions.append(c.told_at.is_not(None) if wanted.told else _to_be_told())
    if wanted.opened_after is not None:
        conditions.append(c.opened_at >= wanted.opened_after)
    if wanted.opened_before is not None:
        conditions.append(c.opened_at < wanted.opened_before)
    return query.where(*conditions)


def _is_overdue() -> ColumnElement[bool]:
    """A target of an open callback has passed without being reached, by the ledger's clock."""
    late = [and_(reached.is_(None), func.coalesce(due <= func.ledger_now(), False)) for due, reached in TARGET_COLUMNS]
    return and_(c.state.in_(OPEN_STATES), or_(*late))


def _to_be_told() -> ColumnElement[bool]:
    """Nobody has told the customer yet, who may be phoned: has not opted out, and was not erased."""
    may_hear = select(customers.c.id).where(customers.c.opted_out_at.is_(None), customers.c.erased_at.is_(None))
    return and_(c.told_at.is_(None), c.customer_id.in_(may_hear))


def _of_customer(ref: str) -> ColumnElement[bool]:
    if not is_uuid(ref):
        return false()
    return c.customer_id.in_(select(customers.c.id).where(customers.c.ref == ref))


def _has_id(text: str) -> ColumnElement[bool]:
    raised = (
        select(alerts.c.callback_id)
        .join(responses, responses.c.id == alerts.c.response_id)
        .where(responses.c.response_id == text)
    )
    by_answer = c.id.in_(raised)
    return or_(by_answer, c.id == text, _of_customer(text)) if is_uuid(text) else by_answer


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID as we write it; PostgreSQL refuses a query that compares an id with anything else."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
