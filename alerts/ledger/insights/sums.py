"""Sums of answers, kept in the background, and what has come since: together they are always all that counts.

A sum is never out of date. The row in `answer_sums_progress` says through which response the sums go; in the statement that
reads them, and so at the same moment, what came after is added, and what that has replaced is taken off again. So a
late answer or revision counts at once, however long ago its hour was, and the write path knows nothing of sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.insights.pieces import Span, pieces
from alerts.insights.question import Question
from alerts.ledger.database import transaction
from alerts.ledger.insights.contact_sums import ADD_CONTACTS
from alerts.ledger.insights.counted import COUNTED_ANSWERS, OF_ANSWER, is_replaced, not_a_canary_nor_late
from alerts.ledger.insights.edge import EDGE, bound

ALL = "all"
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
UNITS = {ALL: QUARTER} | {name: HOUR for name, column in OF_ANSWER.items() if column.startswith("r.")}
"""What sums are told apart by. Zones begin their hours at a quarter; by one member an hour must do, to keep them few.

What is known of customers changes, so of it there are none.
"""

AT_ONCE = 20_000
"""So many responses are added in one transaction."""

FAR_BEHIND = 10 * AT_ONCE
"""So many that are not in the sums yet cost about as much as reading the answers themselves."""

_MEMBERS = ", ".join(f"{{0}}.{OF_ANSWER[name].removeprefix('r.')}" for name in UNITS if name != ALL)

# Which answers count now that did not, and which do no longer, since the responses above `low` came, up to `top`? The upper
# bound also tells the planner that they are few.
NEWS = f"""
    SELECT r.answered_at, r.box, {_MEMBERS.format("r")}, 1 AS sign FROM responses AS r
    WHERE r.id > (SELECT low FROM edge) AND r.id <= (SELECT top FROM edge)
        AND {not_a_canary_nor_late("r")} AND NOT {is_replaced("r", "n.id <= (SELECT top FROM edge)")}
    UNION ALL
    SELECT o.answered_at, o.box, {_MEMBERS.format("o")}, -1 AS sign
    FROM (SELECT DISTINCT again.event_source, again.response_id FROM responses AS again
          WHERE again.id > (SELECT low FROM edge) AND again.id <= (SELECT top FROM edge) AND again.revises) AS again
    JOIN responses AS o ON o.event_source = again.event_source AND o.response_id = again.response_id
    WHERE o.id <= (SELECT low FROM edge) AND {not_a_canary_nor_late("o")}
        AND NOT {is_replaced("o", "n.id <= (SELECT low FROM edge)")}
        AND {is_replaced("o", "n.id > (SELECT low FROM edge) AND n.id <= (SELECT top FROM edge)")}
"""

_KINDS = ", ".join(
    f"('{name}', {'NULL' if name == ALL else OF_ANSWER[name].replace('r.', 'd.')},"
    f" date_bin('{int(unit.total_seconds())} s', d.answered_at, TIMESTAMPTZ 'epoch'))"
    for name, unit in UNITS.items()
)
ADD = text(f"""
WITH edge(low, top) AS MATERIALIZED (VALUES (CAST(:low AS bigint), CAST(:top AS bigint))), news AS ({NEWS})
INSERT INTO answer_sums AS s (by, value, since, answers, bottom, middle, top)
SELECT kind.by, kind.value, kind.since, sum(sign), coalesce(sum(sign) FILTER (WHERE box = 'bottom'), 0),
    coalesce(sum(sign) FILTER (WHERE box = 'middle'), 0), coalesce(sum(sign) FILTER (WHERE box = 'top'), 0)
FROM news AS d CROSS JOIN LATERAL (VALUES {_KINDS}) AS kind(by, value, since)
GROUP BY 1, 2, 3
ON CONFLICT (by, since, value) DO UPDATE SET answers = s.answers + excluded.answers,
    bottom = s.bottom + excluded.bottom, middle = s.middle + excluded.middle, top = s.top + excluded.top
""")

START = text("INSERT INTO answer_sums_progress (only_one, through) VALUES (true, 0) ON CONFLICT DO NOTHING")
LOCK = text("SELECT through FROM answer_sums_progress FOR UPDATE")
MOVE = text("UPDATE answer_sums_progress SET through = :top")
NEWEST = text("SELECT coalesce(max(id), 0) FROM responses")
FENCE = text("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)")

# Are all transactions over that had begun to write when the fence was put up?
PASSED = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) > :fence")


class _Seen(Struct, frozen=True):
    """The newest response, and a transaction that began after it was seen."""

    newest: int
    fence: int


class AnswerSums:
    """Adds what has come to the sums, a little at a time. Any number of them may, in any number of processes.

    A response can become visible later than one with a larger id. So what was seen is added only when every transaction
    is over that could still bring a smaller one: it has locked its partition's account before it drew an id.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._seen: _Seen | None = None

    async def add(self) -> bool:
        """Whether there may be more to add at once. Raises Unavailable."""
        if self._seen is not None:
            async with transaction(self._engine) as connection:
                if not (await connection.execute(PASSED, {"fence": self._seen.fence})).scalar_one():
                    return False
                if await _add_up_to(connection, self._seen.newest):
                    return True
        async with transaction(self._engine) as connection:
            self._seen = await _look(connection)
        return False


async def _look(connection: AsyncConnection) -> _Seen | None:
    newest = (await connection.execute(NEWEST)).scalar_one()
    through = (await connection.execute(text("SELECT max(through) FROM answer_sums_progress"))).scalar_one()
    if newest == (through or 0):
        return None
    return _Seen(newest, (await connection.execute(FENCE)).scalar_one())


async def _add_up_to(connection: AsyncConnection, newest: int) -> bool:
    """Whether something is left below."""
    await connection.execute(START)
    low = (await connection.execute(LOCK)).scalar_one()
    top = min(newest, low + AT_ONCE)
    if top > low:
        await connection.execute(ADD, {"low": low, "top": top})
        await connection.execute(ADD_CONTACTS, {"low": low, "top": top})
        await connection.execute(MOVE, {"top": top})
    return bool(top < newest)


BEHIND = text("""
SELECT coalesce((SELECT max(id) FROM responses), 0) - coalesce((SELECT through FROM answer_sums_progress), 0)
""")


async def behind(connection: AsyncConnection) -> int:
    """How many responses, or a little less, are not in the sums yet."""
    found: int = (await connection.execute(BEHIND)).scalar_one()
    return found


_BOXES = ("bottom", "middle", "top")
_SIGNS = ", ".join(f"CASE WHEN d.box = '{box}' THEN d.sign ELSE 0 END" for box in _BOXES)
_ONES = ", ".join(f"CAST(r.box = '{box}' AS int)" for box in _BOXES)

# What was answered: by the start of the quarter or hour from the sums, else by the moment; `value` of the member, if any.
COUNTED = f"""
    SELECT s.since AS at, s.value, s.answers, s.bottom, s.middle, s.top
    FROM unnest(CAST(:whole_starts AS timestamptz[]), CAST(:whole_ends AS timestamptz[])) AS span(starts, ends)
    CROSS JOIN LATERAL (SELECT * FROM answer_sums AS s
        WHERE s.by = '{{by}}' AND s.since >= span.starts AND s.since < span.ends OFFSET 0) AS s  -- a look-up for each span
    UNION ALL
    SELECT d.answered_at, {{news}}, d.sign, {_SIGNS}
    FROM unnest(CAST(:whole_starts AS timestamptz[]), CAST(:whole_ends AS timestamptz[])) AS span(starts, ends)
    JOIN ({NEWS}) AS d ON d.answered_at >= span.starts AND d.answered_at < span.ends
    UNION ALL
    SELECT r.answered_at, {{parts}}, 1, {_ONES}
    FROM unnest(CAST(:part_starts AS timestamptz[]), CAST(:part_ends AS timestamptz[])) AS span(starts, ends)
    JOIN responses AS r ON r.answered_at >= span.starts AND r.answered_at < span.ends AND {COUNTED_ANSWERS}
"""


class Summed(Struct, frozen=True):
    """A statement's beginning (`WITH ...`) and its table of counted pieces, and the values bound in them."""

    edge: str
    counted: str
    values: dict[str, Any]


async def summed(
    connection: AsyncConnection, question: Question, spans: Sequence[Span], cuts: Sequence[datetime], by: str | None
) -> Summed | None:
    """What answers a question from the sums, told apart `by`; None where the answers themselves must be read."""
    kind = _kind(question, by)
    if kind is None or await behind(connection) > FAR_BEHIND:
        return None
    column = "CAST(NULL AS text)" if kind == ALL else OF_ANSWER[kind]
    counted = COUNTED.format(by=kind, news=column.replace("r.", "d."), parts=column)
    values = bound(pieces(spans, cuts, UNITS[kind]))
    if question.filters:
        counted = f"SELECT * FROM ({counted}) AS every WHERE value = ANY(:{kind})"
        values[kind] = list(question.filters[kind])
    return Summed(EDGE, counted, values)


def _kind(question: Question, by: str | None) -> str | None:
    names = {*question.filters, *([] if by is None else [by])}
    if len(names) > 1:
        return None
    kind = names.pop() if names else ALL
    return kind if kind in UNITS else None
