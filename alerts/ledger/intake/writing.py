"""Writes what a batch has decided: few rows all in one statement, many by COPY. What is stored is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from msgspec import Struct
from sqlalchemy import Table

from alerts.alert import Alert
from alerts.case import Effects, ScopedId, event_identity
from alerts.ledger.bulk import COPY_FROM, copy_records, document_places, encode, insert_sql
from alerts.ledger.callbacks.store import events_of
from alerts.ledger.connection.opening import Connection
from alerts.ledger.intake import accounts, raw_records, responses
from alerts.ledger.intake.accounts import PartitionAccount
from alerts.ledger.tables.callbacks import callbacks, queues
from alerts.ledger.tables.kafka import partitions
from alerts.ledger.tables.responses import alerts
from alerts.ledger.tables.responses import raw_records as raw_table
from alerts.ledger.tables.responses import responses as response_table

TableRow = tuple[Any, ...]
Encoding = Callable[[Any], Any]

_CALLBACK = tuple(str(column.name) for column in callbacks.columns)
_ALERT = ("response_id", "callback_id", "raised_at", "severity", "reasons")
_of_callback = attrgetter(*_CALLBACK)
_of_account = attrgetter(*accounts.COLUMNS)


class TableRows(Struct, frozen=True):
    """What goes into one table: tuples in the order of `columns`."""

    table: Table
    columns: tuple[str, ...]
    records: Sequence[TableRow]


async def write_effects(
    driver: Connection, effects: Effects, ids: Sequence[int], accounts_after: Sequence[PartitionAccount]
) -> None:
    """Answers, those callbacks that did not exist before, alerts, and the partitions' accounts as they stand after them.

    `ids`: one for each decision, for the answer's row.
    """
    are_few = len(effects.decisions) < COPY_FROM
    rows = [each for each in _rows(effects, ids, _as_it_is if are_few else encode) if each.records]
    to_queues = sorted({opened.callback.queue for opened in effects.opened})
    around = [
        TableRows(queues, ("name",), [(name,) for name in to_queues]),
        TableRows(partitions, accounts.COLUMNS, [_of_account(account) for account in accounts_after]),
    ]
    around = [each for each in around if each.records]
    if are_few:
        await _write_at_once(driver, [*around, *rows])
        return
    for each in around:
        await _write_at_once(driver, [each])
    for each in rows:
        await copy_records(driver, each.table, each.columns, each.records)


def _rows(effects: Effects, ids: Sequence[int], document: Encoding) -> list[TableRows]:
    """In the order in which one refers to the other. `document` makes of an object what a column of documents is given."""
    kept = [(id_, each) for id_, each in zip(ids, effects.decisions, strict=True) if each.is_kept]
    id_of = {event_identity(each.answer.response): id_ for id_, each in kept} if effects.alerts else {}
    return [
        TableRows(
            response_table, responses.COLUMNS, [responses.response_row(id_, each, document) for id_, each in kept]
        ),
        TableRows(
            raw_table,
            raw_records.COLUMNS,
            [raw_records.raw_record_row(id_, each.answer.raw) for id_, each in kept if each.answer.raw is not None],
        ),
        _written(callbacks, _CALLBACK, [_of_callback(opened.callback) for opened in effects.opened], document),
        *(
            _written(table, tuple(events[0]), [tuple(event.values()) for event in events], document)
            for table, events in events_of(effects.opened).items()
            if events
        ),
        TableRows(alerts, _ALERT, [_alert_row(alert, id_of) for alert in effects.alerts]),
    ]


def _alert_row(alert: Alert, id_of: Mapping[ScopedId, int]) -> TableRow:
    verdict = alert.verdict
    response_id = id_of[event_identity(alert.response)]
    return response_id, alert.callback_id, alert.raised_at, verdict.severity, verdict.reasons


def _as_it_is(value: Any) -> Any:
    return value


def _written(table: Table, columns: tuple[str, ...], records: Sequence[TableRow], document: Encoding) -> TableRows:
    places = document_places(table, columns)
    if document is _as_it_is or not places:
        return TableRows(table, columns, records)
    written = [list(record) for record in records]
    for record in written:
        for place in places:
            record[place] = document(record[place])
    return TableRows(table, columns, [tuple(record) for record in written])


async def _write_at_once(driver: Connection, parts: Iterable[TableRows]) -> None:
    given = [part for part in parts if part.records]
    if given:
        statement = _statement(tuple((part.table, part.columns) for part in given))
        documents = [encode([dict(zip(part.columns, each, strict=True)) for each in part.records]) for part in given]
        await driver.execute(statement, *documents)


_ON_CONFLICT = {queues: "ON CONFLICT DO NOTHING", partitions: accounts.ON_CONFLICT}


@cache
def _statement(parts: tuple[tuple[Table, tuple[str, ...]], ...]) -> str:
    """Every part is a statement of its own to the server, which checks references when all of them are done."""
    inserts = [
        f"{table.name}_written AS ({insert_sql(table, columns, parameter=f'${place}')} {_ON_CONFLICT.get(table, '')})"
        for place, (table, columns) in enumerate(parts, start=1)
    ]
    return f"WITH {', '.join(inserts)} SELECT"
