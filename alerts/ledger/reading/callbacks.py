"""Reading callbacks: the list with its filters and its order, and one callback with everything around it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.callback import OPEN_STATES, Callback, Flag, State
from alerts.errors import NotFound
from alerts.ledger.access.keys import KEY_LIVES, check_key
from alerts.ledger.callbacks.store import decode_callback
from alerts.ledger.connection.direct import AnyConnection, Statement, rows
from alerts.ledger.customers.record import customers_by_id
from alerts.ledger.learning.problems import problems_by_id
from alerts.ledger.reading.responses import ResponseView, alerts_of
from alerts.ledger.reading.views import CallbackView, around, decode_around, members

Sort = Literal["work_order", "opened_at", "due_at"]
KeyValue = int | str | datetime

EARLIER_AT_MOST = 20
HISTORY_AT_MOST = 500

_TARGETS = (
    ("due_first_attempt", "first_attempt_at"),
    ("due_contact", "contacted_at"),
    ("due_resolution", "ended_at"),
)
# What falls due next; what owes nothing any more comes last.
_NEXT_DUE = "coalesce(least({}), timestamptz '9999-12-31T00:00:00Z')".format(
    ", ".join(f"CASE WHEN c.{reached} IS NULL THEN c.{due} END" for due, reached in _TARGETS)
)
SORTS: dict[Sort, tuple[str, ...]] = {
    "work_order": ("c.priority_class", "c.rank_at", "c.id"),
    "opened_at": ("c.opened_at", "c.id"),
    "due_at": (_NEXT_DUE, "c.id"),
}
"""The smaller comes first, so the list is a queue: what is most urgent, oldest or soonest due stands on top."""

_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)
# A target of an open callback has passed without being reached, by the ledger's clock.
_OVERDUE = "(c.state IN ({}) AND ({}))".format(
    _OPEN,
    " OR ".join(f"(c.{reached} IS NULL AND coalesce(c.{due} <= ledger_now(), false))" for due, reached in _TARGETS),
)
# Nobody has told the customer yet, who may be phoned: has not opted out, and was not erased.
_TO_BE_TOLD = """(c.told_at IS NULL AND c.customer_id IN (
    SELECT id FROM customers WHERE opted_out_at IS NULL AND erased_at IS NULL))"""
_OF_CUSTOMER = "c.customer_id IN (SELECT id FROM customers WHERE ref = :{})"
_BY_ANSWER = """c.id IN (
    SELECT callback_id FROM alerts JOIN responses ON responses.id = alerts.response_id WHERE responses.response_id = :q)"""
_WHERE = {
    "states": "c.state = ANY (:states)",
    "queues": "c.queue = ANY (:queues)",
    "priorities": "c.priority = ANY (:priorities)",
    "advisor": "(c.lease_holder = :advisor OR c.owner = :advisor)",
    "customer": _OF_CUSTOMER.format("customer"),
    "cause": "(c.cause_kind = :cause OR c.cause_driver = :cause)",
    "flag": "c.flags @> ARRAY[CAST(:flag AS text)]",
    "q": _BY_ANSWER,
    "problem": "c.problem_id = :problem",
    "opened_after": "c.opened_at >= :opened_after",
    "opened_before": "c.opened_at < :opened_before",
}
"""What a filter asks, by its name in `CallbackFilter`."""


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


class Page(Struct, frozen=True):
    """`more`: the key after which the next page begins; None on the last. `now` is the ledger's clock."""

    views: list[CallbackView]
    more: Sequence[KeyValue] | None
    now: datetime


async def list_callbacks(
    connection: AnyConnection,
    wanted: CallbackFilter,
    *,
    sort: Sort,
    after: Sequence[KeyValue] | None,
    limit: int,
    key: str | None = None,
) -> Page:
    """One page, in one statement. `key`: an id, to be looked at too. Raises KeyGone."""
    order = SORTS[sort]
    values = dict(zip(_names(order), after or (), strict=False))
    where, given = _asked(wanted)
    asked = _page(order, where, limit + 1, is_next=after is not None)
    found = await rows(connection, asked, key=key, **values, **given)
    check_key(found[0])
    page = [row for row in found if row["document"] is not None]
    views = [decode_around(row["around"]).view(decode_callback(row["document"])) for row in page[:limit]]
    last = page[limit - 1] if len(page) > limit else None
    more = None if last is None else [_plain(last[name]) for name in _names(order)]
    return Page(views, more, found[0]["now"])


@lru_cache(maxsize=256)
def _page(order: tuple[str, ...], where: tuple[str, ...], limit: int, *, is_next: bool) -> Statement:
    """One row at least, which has the time. The limit is no parameter: a plan for any limit is for a tenth of all rows, so
    PostgreSQL would plan anew each time, which takes a quarter of the whole."""
    names = _names(order)
    keys = ", ".join(f"{column} AS {name}" for name, column in zip(names, order, strict=True))
    after = (f"({', '.join(order)}) > ({', '.join(f':{name}' for name in names)})",) if is_next else ()
    return Statement(f"""
WITH page AS MATERIALIZED (
    SELECT c.*, {keys} FROM callbacks AS c WHERE {" AND ".join((*where, *after)) or "true"}
    ORDER BY {", ".join(order)} LIMIT {limit}
)
SELECT {KEY_LIVES} AS key_lives,
    clock.now, CASE WHEN page.id IS NOT NULL THEN CAST(to_json(page) AS text) END AS document,
    {around("page")} AS around, {", ".join(f"page.{name}" for name in names)}
FROM (SELECT ledger_now() AS now) AS clock LEFT JOIN page ON true
ORDER BY {", ".join(f"page.{name}" for name in names)}
""")


def _names(order: tuple[str, ...]) -> list[str]:
    return [f"key_{number}" for number in range(len(order))]


def _plain(value: Any) -> KeyValue:
    return str(value) if isinstance(value, UUID) else value


def _asked(wanted: CallbackFilter) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The conditions, and what is given to them."""
    given = {name: value for name in _WHERE if (value := getattr(wanted, name)) is not None}
    where = {name: _WHERE[name] for name in given}
    if wanted.customer is not None and not is_uuid(wanted.customer):
        where["customer"] = "false"
        del given["customer"]
    if wanted.q is not None and is_uuid(wanted.q):
        where["q"] = f"({_BY_ANSWER} OR c.id = CAST(:q_id AS uuid) OR {_OF_CUSTOMER.format('q_id')})"
        given["q_id"] = wanted.q
    if wanted.overdue is not None:
        where["overdue"] = _OVERDUE if wanted.overdue else f"NOT {_OVERDUE}"
    if wanted.told is not None:
        where["told"] = "c.told_at IS NOT NULL" if wanted.told else _TO_BE_TOLD
    return tuple(where.values()), given


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID as we write it; PostgreSQL refuses a query that compares an id with anything else."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


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


# One callback, and what an advisor wants to know before dialling.
DETAIL = Statement(f"""
SELECT {KEY_LIVES} AS key_lives,
    ledger_now() AS now, CAST(to_json(c) AS text) AS document, {around("c")} AS around, CAST(json_build_object(
    'attempts', (SELECT coalesce(json_agg(to_json(tried) ORDER BY tried.number), '[]') FROM (
        SELECT {members(AttemptView, "attempts")} FROM attempts WHERE attempts.callback_id = c.id) AS tried),
    'history', (SELECT coalesce(json_agg(to_json(happened) ORDER BY happened.id), '[]') FROM (
        SELECT history.id, {members(HistoryEntry, "history")} FROM history WHERE history.callback_id = c.id
        ORDER BY history.id DESC LIMIT {HISTORY_AT_MOST}) AS happened),
    'earlier_answers', (
        SELECT coalesce(json_agg(to_json(said) ORDER BY said.answered_at DESC, said.id DESC), '[]') FROM (
            SELECT {members(ResponseView, "responses")} FROM responses WHERE responses.customer_id = c.customer_id
              AND responses.id NOT IN (SELECT response_id FROM alerts WHERE alerts.callback_id = c.id)
            ORDER BY responses.answered_at DESC, responses.id DESC LIMIT {EARLIER_AT_MOST}) AS said),
    'earlier_callbacks', (
        SELECT coalesce(json_agg(to_json(other) ORDER BY other.opened_at DESC, other.id), '[]') FROM (
            SELECT * FROM callbacks AS other WHERE other.customer_id = c.customer_id AND other.id <> c.id
            ORDER BY other.opened_at DESC, other.id LIMIT {EARLIER_AT_MOST}) AS other)
) AS text) AS context
FROM (SELECT) AS one LEFT JOIN callbacks AS c ON c.id = :id
""")

_decode_context = msgspec.json.Decoder(CallbackContext).decode


class Detail(Struct, frozen=True):
    """`now` is the ledger's clock."""

    view: CallbackView
    context: CallbackContext
    now: datetime


async def load_detail(connection: AnyConnection, callback_id: str, *, key: str | None = None) -> Detail:
    """In one statement. `key`: an id, to be looked at too. Raises NotFound, KeyGone."""
    [row] = await rows(connection, DETAIL, id=callback_id, key=key)
    check_key(row)
    if row["document"] is None:
        raise NotFound("there is no such callback")
    view = decode_around(row["around"]).view(decode_callback(row["document"]))
    return Detail(view, _decode_context(row["context"]), row["now"])
