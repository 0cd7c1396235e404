"""What counts: which answers and callbacks there are for the insights, and by which names they are told apart.

Here, and nowhere else, it is decided that an answer counts by its newest revision, and that our own canary never does:
its rows do not outlive their transaction, and should one ever stay, it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.consistency import CANARY_QUEUE
from alerts.insights.question import Question


def not_a_canary_nor_late(r: str) -> str:
    return f"{r}.outcome NOT IN ('stale', 'canary')"


def is_replaced(r: str, which: str = "true") -> str:
    """Whether a newer row `n` revises the answer `r`; of those for which `which` holds."""
    return f"""EXISTS (
        SELECT FROM responses AS n
        WHERE n.revises AND n.event_source = {r}.event_source AND n.response_id = {r}.response_id AND {which}
            AND (n.revised_at, n.origin_partition, n.origin_offset)
                > ({r}.revised_at, {r}.origin_partition, {r}.origin_offset))"""


def is_nameless(p: str) -> str:
    """Whether the customer `p` is known by one contact alone, and so cannot be seen to come back."""
    return f"{p}.key LIKE 'interaction:%'"


def counted_answers(r: str) -> str:
    return f"{not_a_canary_nor_late(r)} AND NOT {is_replaced(r)}"


COUNTED_ANSWERS = counted_answers("r")
"""Of the answers `r`. One that came late is `stale` from the start; any other is replaced by a row that `revises` it."""

COUNTED_OF_MANY = f"""{not_a_canary_nor_late("r")} AND r.id NOT IN (
    SELECT o.id FROM responses AS n JOIN responses AS o ON n.event_source = o.event_source AND n.response_id = o.response_id
    WHERE n.revises AND (n.revised_at, n.origin_partition, n.origin_offset) > (o.revised_at, o.origin_partition, o.origin_offset))
"""
"""The same for a month of answers: those replaced are looked up first, all of them, and each answer costs half as much."""

COUNTED_CALLBACKS = f"c.queue <> '{CANARY_QUEUE}'"
"""Of the callbacks `c`."""

OF_ANSWER = {
    "queue": "r.contact_queue",
    "source": "r.source",
    "channel": "r.channel",
    "team": "r.agent_team",
    "survey": "r.survey_id",
    "segment": "p.segment",
    "country": "p.country",
    "language": "p.language",
}
"""Of an answer `r` and its customer `p`. The queue is the one in which the customer had been served."""

OF_CALLBACK = {
    "queue": "c.queue",
    "source": "c.source",
    "channel": "r.channel",
    "team": "r.agent_team",
    "survey": "r.survey_id",
    "segment": "p.segment",
    "country": "c.country",
    "language": "c.language",
    "driver": "c.cause_driver",
    "reason": "r.contact_reason",
}
"""Of a callback `c`, its customer `p`, and `r`, the first answer behind it."""

CUSTOMER_OF_ANSWER = "JOIN customers AS p ON p.id = r.customer_id"
CUSTOMER_OF_CALLBACK = "JOIN customers AS p ON p.id = c.customer_id"
FIRST_ANSWER = """
    LEFT JOIN LATERAL (
        SELECT answer.* FROM alerts AS a JOIN responses AS answer ON answer.id = a.response_id
        WHERE a.callback_id = c.id ORDER BY a.raised_at, a.response_id LIMIT 1) AS r ON true
"""


class Selection(Struct, frozen=True):
    """The parts of a statement that a question's filters ask for: joins, conditions, and the values bound in them."""

    joins: str
    where: str
    values: dict[str, Any]


def of_answers(question: Question, *shown: str, counted: str = COUNTED_ANSWERS) -> Selection:
    """Of answers `r`; `shown`: further names that the statement wants to tell apart."""
    named = {name: values for name, values in question.filters.items() if name != "driver"}
    columns = [OF_ANSWER[name] for name in (*named, *shown) if name in OF_ANSWER]
    joins = CUSTOMER_OF_ANSWER if _speaks_of("p", columns) else ""
    return Selection(joins, _where(counted, named, OF_ANSWER), _values(question))


def of_callbacks(question: Question, *shown: str, columns: Mapping[str, str] = OF_CALLBACK) -> Selection:
    """Of callbacks `c`; `shown` as above. `columns`: OF_ANSWER tells them apart by the answer that began them."""
    columns = {"driver": OF_CALLBACK["driver"], **columns}
    used = [columns[name] for name in (*question.filters, *shown) if name in columns]
    joins = CUSTOMER_OF_CALLBACK if _speaks_of("p", used) else ""
    joins += FIRST_ANSWER if _speaks_of("r", used) else ""
    return Selection(joins, _where(COUNTED_CALLBACKS, question.filters, columns), _values(question))


def bad(question: Question) -> str:
    """Whether the answer `r` is in the bottom box, and, where drivers are asked for, was found to be for one of them."""
    if "driver" not in question.filters:
        return "r.box = 'bottom'"
    return (
        "r.box = 'bottom' AND EXISTS (SELECT FROM alerts AS a JOIN callbacks AS c ON c.id = a.callback_id"
        " WHERE a.response_id = r.id AND c.cause_driver = ANY(:driver))"
    )


def _where(counted: str, filters: Mapping[str, Sequence[str]], columns: Mapping[str, str]) -> str:
    return " AND ".join([counted, *(f"{columns[name]} = ANY(:{name})" for name in filters)])


def _values(question: Question) -> dict[str, Any]:
    values = {name: list(values) for name, values in question.filters.items()}
    return {"since": question.since, "until": question.until, **values}


def _speaks_of(table: str, columns: Sequence[str]) -> bool:
    return any(column.startswith(f"{table}.") for column in columns)


# When was the first of all answers given that the ledger still has?
FIRST = text("SELECT min(answered_at) FROM responses")


async def truncated_from(connection: AsyncConnection, question: Question) -> datetime | None:
    """The moment from which on something is known, when the question reaches behind it."""
    first: datetime | None = (await connection.execute(FIRST)).scalar_one()
    return first if first is not None and question.since < first else None
