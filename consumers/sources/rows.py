"""Turns a file of answers into survey events, one per row, whose ids are the same each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from alerts.identity import handle_of, record_key
from alerts.survey import EVENT_TYPE, SurveyResponse
from consumers.intake import strict_json
from consumers.intake.answer import read_response
from consumers.intake.cloudevents import CONTENT_TYPE, SOURCE_HEADER, CloudEvent
from consumers.intake.moments import Moment
from consumers.intake.reason import DeadLetterReason, InvalidRecord, Unrated
from consumers.sources.header import column_name
from consumers.sources.kinds import ValueKind, kind_of
from consumers.sources.mapping import UNUSABLE
from consumers.sources.objects import json_objects
from consumers.sources.source import Source
from consumers.sources.table import Answers, NamedRow, csv_rows, joined

_TIMES = (("answered_at",), ("interaction", "started_at"), ("interaction", "ended_at"))


class Sendable(Struct, frozen=True):
    """A row as a CloudEvent in binary mode, ready for Kafka. `line` is where the row begins; 1-based."""

    line: int
    response: SurveyResponse
    value: bytes
    key: bytes
    headers: tuple[tuple[str, bytes], ...]


class InvalidRow(Struct, frozen=True):
    """A row that would be a dead letter, and why. No value of the row is in it."""

    line: int
    reason: DeadLetterReason
    field: str | None
    detail: str


class UnratedRow(Struct, frozen=True):
    """A row in which the customer gave no rating, and which the source file passes over."""

    line: int


FileRow: TypeAlias = Sendable | InvalidRow | UnratedRow


def read_rows(
    source: Source,
    path: Path,
    *,
    secret: bytes,
    shared_sources: frozenset[str] = frozenset(),
    limit: int | None = None,
    shift: timedelta = timedelta(),
) -> Iterator[FileRow]:
    """The rows of a file of cells or of JSON objects, in their order; at most `limit`.

    `shift` is added to every time of an answer, never to its ids. `secret` keys the record keys. Memory: one
    row, the joined file, a workbook's sheet, and a hash per row where rows are known by it. Raises Misconfigured
    when a file cannot be read, or has no header that the source file's rules can read.
    """
    for line, event in islice(_events(source, path), limit):
        try:
            if isinstance(event, InvalidRecord):
                raise event
            yield _sendable(source, line, event, secret, shared_sources, shift)
        except Unrated:
            yield UnratedRow(line)
        except InvalidRecord as why:
            yield InvalidRow(line, why.reason, why.field, why.detail)


def last_answer(source: Source, path: Path, *, limit: int | None = None) -> datetime | None:
    """When the latest answer of the file was given, to know how far a file must be shifted to end now."""
    rows = read_rows(source, path, secret=b"", limit=limit)
    return max((row.response.answered_at for row in rows if isinstance(row, Sendable)), default=None)


def _sendable(
    source: Source, line: int, row: dict[str, Any], secret: bytes, shared: frozenset[str], shift: timedelta
) -> Sendable:
    response, value = _read(source, row, shift)
    handle = handle_of(response, shared_sources=shared)
    if handle is None:
        raise InvalidRecord(DeadLetterReason.NO_HANDLE, "customer", "nobody could find this customer again")
    return Sendable(line, response, value, record_key(handle, secret), _headers(response))


def _read(source: Source, row: dict[str, Any], shift: timedelta) -> tuple[SurveyResponse, bytes]:
    """The answer, and the data that is sent; read back from it as the consumer will."""
    mapped = source.read(row)
    if shift:
        mapped = _shifted(mapped, shift)
    value = msgspec.json.encode(mapped.data)
    data, nul_removed = strict_json.read_object(value)
    event = CloudEvent(mapped.source, mapped.id, mapped.time, data)
    return read_response(event, source=source.name, flags=("nul_removed",) if nul_removed else ()), value


def _headers(response: SurveyResponse) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", EVENT_TYPE.encode()),
        ("ce_source", response.event_source.encode()),
        ("ce_id", response.event_id.encode()),
        ("ce_time", response.revised_at.isoformat().encode()),
        (CONTENT_TYPE, b"application/json"),
        (SOURCE_HEADER, response.source.encode()),
    )


def _shifted(event: CloudEvent, shift: timedelta) -> CloudEvent:
    try:
        for *parents, name in _TIMES:
            part: Any = event.data
            for parent in parents:
                part = part.get(parent, {})
            if part.get(name) not in (None, UNUSABLE):
                part[name] = msgspec.convert(part[name], Moment) + shift
        return msgspec.structs.replace(event, time=event.time + shift if event.time else None)
    except (msgspec.ValidationError, OverflowError):
        raise InvalidRecord(DeadLetterReason.INVALID_TIME, "answered_at", "a time cannot be read or moved") from None


def _events(source: Source, path: Path) -> Iterator[tuple[int, dict[str, Any] | InvalidRecord]]:
    kind = source.rows.format or kind_of(path)
    return json_objects(path, source.rows.encoding) if kind == "json" else _row_events(source, path, kind)


def _row_events(source: Source, path: Path, kind: ValueKind) -> Iterator[tuple[int, dict[str, Any] | InvalidRecord]]:
    """Empty cells are null; the member `row_hash` and the joined row stand beside the columns."""
    rules = source.rows
    partners = joined(rules.join, path.parent, rules) if rules.join else {}
    seen: Counter[bytes] = Counter()

    def event_of(row: dict[str, str], row_hash: str) -> dict[str, Any]:
        event: dict[str, Any] = {name: cell or None for name, cell in row.items()}
        if rules.identity == "row_hash":
            event["row_hash"] = row_hash
        if rules.join:
            event[rules.join.as_] = partners.get(row.get(column_name(rules.join.on), ""))
        return event

    def is_answer(row: dict[str, str]) -> bool:
        try:
            _read(source, event_of(row, "row"), timedelta())
        except InvalidRecord:
            return False
        return True

    def may_be_answer(row: dict[str, str]) -> bool:
        return source.map.seems_an_answer(event_of(row, "row"))

    for line, row in _named_rows(source, path, kind, Answers(is_answer, may_be_answer)):
        yield line, row if isinstance(row, InvalidRecord) else event_of(row, _row_hash(row, seen, rules.identity))


def _named_rows(source: Source, path: Path, kind: ValueKind, answers: Answers) -> Iterator[NamedRow]:
    if kind == "csv":
        return csv_rows(path, source.rows, source.wanted, answers)
    from consumers.sources.workbook import sheet_rows  # its library is loaded for a workbook only

    return sheet_rows(path, source.rows, source.wanted)


def _row_hash(row: dict[str, str], seen: Counter[bytes], identity: str | None) -> str:
    """Rows that are alike to the last letter are told apart by counting them."""
    if identity is None:
        return ""
    digest = sha256(msgspec.json.encode(list(row.values()))).digest()
    seen[digest] += 1
    return sha256(digest + seen[digest].to_bytes(8, "big")).hexdigest()[:32]
