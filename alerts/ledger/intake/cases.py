"""Reads the customers of a batch as the decision needs them: their open callback, and what lies behind it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Uuid

from alerts.callback import OPEN_STATES, Callback, State
from alerts.case import Case, Revision, ScopedId
from alerts.customer import Customer
from alerts.learning.match import stored_match
from alerts.learning.problem import OpenProblem, ProblemState
from alerts.ledger.bulk import encode, recordset
from alerts.ledger.connection.opening import Connection
from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.responses import responses

T = TypeVar("T")

_CALLBACK = ", ".join(
    f"{column.name}::text AS {column.name}" if isinstance(column.type, Uuid) else str(column.name)
    for column in callbacks.columns
)
_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)

# Which callbacks of these customers are open? Nobody else works on them until the transaction ends.
LOCK_OPEN = (
    f"SELECT {_CALLBACK} FROM callbacks WHERE customer_id = ANY ($1) AND state IN ({_OPEN}) ORDER BY id FOR UPDATE"
)

# What time is it, by which ids will these answers be known, which revision of each is in force, and which known problems
# explain the bad ones among them? All in one row, for each round trip costs more than the reading. Each answer is looked up
# (LIMIT 1), as in KNOWN_EVENTS.
SNAPSHOT = f"""
SELECT ledger_now(),
    ARRAY(SELECT nextval('responses_id_seq') FROM generate_series(1, $2::int)),
    (SELECT json_agg(json_build_array(r.event_source, r.response_id, json_build_array(
            e.revised_at, e.origin_partition, e.origin_offset, e.box)))::text
        FROM {recordset(responses, ("event_source", "response_id"), parameter="$1")}
        CROSS JOIN LATERAL (SELECT * FROM responses AS e
            WHERE e.event_source = r.event_source AND e.response_id = r.response_id
            ORDER BY e.revised_at DESC, e.origin_partition DESC, e.origin_offset DESC LIMIT 1) AS e),
    (SELECT json_agg(json_build_array(id, match) ORDER BY created_at, id)::text FROM problems
        WHERE $3 AND state = '{ProblemState.OPEN}')
"""

# Has no better revision replaced the answer, of which `latest` is the last bad one? Asked once for each answer and not for
# each revision, or an answer that is revised ten thousand times costs the square of that.
_IN_FORCE = """NOT EXISTS (
    SELECT FROM responses AS better
    WHERE better.event_source = latest.event_source AND better.response_id = latest.response_id AND better.box <> 'bottom'
      AND (better.revised_at, better.origin_partition, better.origin_offset)
        > (latest.revised_at, latest.origin_partition, latest.origin_offset))"""
_LATEST_FIRST = "r.revised_at DESC, r.origin_partition DESC, r.origin_offset DESC"

# Which bad answers on the open callbacks of these customers has no better revision replaced?
BEHIND = f"""
SELECT latest.customer_id, json_build_array(latest.event_source, latest.response_id) AS answer
FROM (
    SELECT DISTINCT ON (c.customer_id, r.event_source, r.response_id)
        c.customer_id, r.event_source, r.response_id, r.revised_at, r.origin_partition, r.origin_offset
    FROM callbacks AS c JOIN alerts AS a ON a.callback_id = c.id JOIN responses AS r ON r.id = a.response_id
    WHERE c.customer_id = ANY ($1::bigint[]) AND c.state IN ({_OPEN})
    ORDER BY c.customer_id, r.event_source, r.response_id, {_LATEST_FIRST}
) AS latest
WHERE {_IN_FORCE}
"""

# When did each of these customers give their latest bad answers, as far as those are in force? The latest two: one of
# them may be an earlier revision of the answer that is judged, and an answer is no repeat of itself.
BOTTOM_BOXES = f"""
SELECT wanted.customer_id, json_build_array(json_build_array(last.event_source, last.response_id), last.answered_at) AS answer
FROM unnest($1::bigint[]) AS wanted (customer_id)
CROSS JOIN LATERAL (
    SELECT latest.event_source, latest.response_id, latest.answered_at
    FROM (
        SELECT DISTINCT ON (r.event_source, r.response_id)
            r.event_source, r.response_id, r.answered_at, r.revised_at, r.origin_partition, r.origin_offset
        FROM responses AS r
        WHERE r.customer_id = wanted.customer_id AND r.box = 'bottom' AND r.outcome <> 'stale'
        ORDER BY r.event_source, r.response_id, {_LATEST_FIRST}
    ) AS latest
    WHERE {_IN_FORCE}
    ORDER BY latest.answered_at DESC
    LIMIT 2
) AS last
"""

# Which callback of each of these customers was the last to be resolved, since then?
_RESOLVED = f"""
SELECT DISTINCT ON (customer_id) callbacks.* FROM callbacks
WHERE customer_id = ANY ($1::bigint[]) AND state = '{State.RESOLVED}' AND ended_at >= $2::timestamptz
ORDER BY customer_id, ended_at DESC
"""

LIES_BEHIND = f"""
SELECT (SELECT json_agg(json_build_array(customer_id, answer))::text FROM ({BEHIND}) AS behind),
    (SELECT json_agg(json_build_array(customer_id, answer))::text FROM ({BOTTOM_BOXES}) AS bottom_boxes),
    (SELECT json_agg(resolved)::text FROM ({_RESOLVED}) AS resolved)
"""


class Snapshot(msgspec.Struct, frozen=True):
    """`now`: the ledger's clock after the last lock. `ids`: of the rows of these answers. `newest`: the revision in force of
    those that we have one of. `problems`: the known ones, the oldest first, when they were asked for."""

    now: datetime
    ids: list[int]
    newest: dict[ScopedId, Revision]
    problems: list[OpenProblem]


async def lock_open_callbacks(driver: Connection, customer_ids: Collection[int]) -> dict[int, Callback]:
    """By customer's id, of customers whose rows are locked."""
    if not customer_ids:
        return {}
    rows = await driver.fetch(LOCK_OPEN, list(customer_ids))
    found = (msgspec.convert(dict(row), Callback) for row in rows)
    return {callback.customer_id: callback for callback in found}


async def take_snapshot(driver: Connection, answers: Collection[ScopedId], *, any_bad: bool) -> Snapshot:
    """`answers`: (event source, response id) of each; `any_bad`: whether known problems may explain one."""
    rows = [{"event_source": source, "response_id": id_} for source, id_ in dict.fromkeys(answers)]
    row = await driver.fetchrow(SNAPSHOT, encode(rows), len(answers), any_bad)
    assert row is not None
    revisions = _read(row[2], list[tuple[str, str, tuple[datetime, int, int, str]]])
    problems = _read(row[3], list[tuple[str, dict[str, Any]]])
    return Snapshot(
        now=row[0],
        ids=row[1],
        newest={(source, id_): Revision(*place) for source, id_, place in revisions},
        problems=[OpenProblem(id_, stored_match(match)) for id_, match in problems],
    )


async def read_cases(
    driver: Connection,
    customers: Iterable[Customer],
    callbacks: Mapping[int, Callback],
    touched: Collection[int],
    *,
    since: datetime | None,
) -> dict[int, Case]:
    """The case of each customer, whose rows are locked, as are their open `callbacks`.

    `touched`: the ids of those whom we know from before and whose answers may raise an alert or take one back; only they
    need what lies behind. `since`: how far back an ended callback counts as the one before; None when the policy does not ask.
    """
    known = {customer.id: customer for customer in customers}
    cases = {id_: Case(customer=customer, callback=callbacks.get(id_)) for id_, customer in known.items()}
    if not touched:
        return cases
    row = await driver.fetchrow(LIES_BEHIND, sorted(touched), since)
    assert row is not None
    behind: dict[int, set[ScopedId]] = {}
    for id_, answer in _read(row[0], list[tuple[int, ScopedId]]):
        behind.setdefault(id_, set()).add(answer)
    boxes: dict[int, dict[ScopedId, datetime]] = {}
    for id_, (answer, at) in _read(row[1], list[tuple[int, tuple[ScopedId, datetime]]]):
        boxes.setdefault(id_, {})[answer] = at
    resolved = {callback.customer_id: callback for callback in _read(row[2], list[Callback])}
    for id_ in touched:
        cases[id_] = cases[id_].evolve(
            behind=frozenset(behind.get(id_, ())), bottom_boxes=boxes.get(id_, {}), resolved=resolved.get(id_)
        )
    return cases


def _read(document: str | None, kind: type[T]) -> T:
    """What `json_agg` says, which is nothing where there is nothing."""
    return msgspec.json.decode(document or "[]", type=kind)


def days_ago(now: datetime, days: int) -> datetime | None:
    """None for no days: then nothing before counts."""
    return now - timedelta(days=days) if days else None
