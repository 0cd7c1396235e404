"""Turns a file of answers into survey events, one per row, whose ids are the same each time."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, TypeAlias

import msgspec
from msgspec import Struct

from alerts.errors import Misconfigured
from alerts.identity import handle_of, record_key
from alerts.survey import EVENT_TYPE, SurveyResponse
from consumers import strict_json
from consumers.answer import read_answer
from consumers.cloudevents import CONTENT_TYPE, SOURCE_HEADER, Event, Moment
from consumers.reason import CannotRead, Reason
from consumers.sources.source import Join, Source

LINES = frozenset({".jsonl", ".ndjson"})
_TIMES = (("answered_at",), ("interaction", "started_at"), ("interaction", "ended_at"))


class Sendable(Struct, frozen=True):
    """A row as a CloudEvent in binary mode, ready for Kafka. `line` is where the row begins; 1-based."""

    line: int
    response: SurveyResponse
    value: bytes
    key: bytes
    headers: tuple[tuple[str, bytes], ...]


class BadRow(Struct, frozen=True):
    """A row that would be a dead letter, and why. No value of the row is in it."""

    line: int
    reason: Reason
    field: str | None
    detail: str


Row: TypeAlias = Sendable | BadRow


def read_rows(
    source: Source,
    path: Path,
    *,
    secret: bytes,
    shared_sources: frozenset[str] = frozenset(),
    limit: int | None = None,
    shift: timedelta = timedelta(),
) -> Iterator[Row]:
    """The rows of a CSV file, or of a JSON-lines file (`.jsonl`, `.ndjson`), in their order; at most `limit`.

    `shift` is added to every time of an answer, never to its ids. `secret` keys the record keys. Memory: one
    row, the joined file, and a hash per row where rows are known by it. Raises Misconfigured when a file
    cannot be read or lacks the column to join on.
    """
    events = _lines(path) if path.suffix.lower() in LINES else _csv_events(source, path)
    for line, event in islice(events, limit):
        try:
            if isinstance(event, CannotRead):
                raise event
            yield _sendable(source, line, event, secret, shared_sources, shift)
        except CannotRead as why:
            yield BadRow(line, why.reason, why.field, why.detail)


def last_answer(source: Source, path: Path, *, limit: int | None = None) -> datetime | None:
    """When the latest answer of the file was given, to know how far a file must be shifted to end now."""
    rows = read_rows(source, path, secret=b"", limit=limit)
    return max((row.response.answered_at for row in rows if isinstance(row, Sendable)), default=None)


def _sendable(
    source: Source, line: int, row: dict[str, Any], secret: bytes, shared: frozenset[str], shift: timedelta
) -> Sendable:
    mapped = source.read(row)
    if shift:
        mapped = _shifted(mapped, shift)
    value = msgspec.json.encode(mapped.data)
    data, nul_removed = strict_json.read_object(value)
    event = Event(mapped.source, mapped.id, mapped.time, data)
    response = read_answer(event, source=source.name, flags=("nul_removed",) if nul_removed else ())
    handle = handle_of(response, shared_sources=shared)
    if handle is None:
        raise CannotRead(Reason.NO_HANDLE, "customer", "nobody could find this customer again")
    return Sendable(line, response, value, record_key(handle, secret), _headers(response))


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


def _shifted(event: Event, shift: timedelta) -> Event:
    try:
        for *parents, name in _TIMES:
            part: Any = event.data
            for parent in parents:
                part = part.get(parent, {})
            if part.get(name) is not None:
                part[name] = msgspec.convert(part[name], Moment) + shift
        return msgspec.structs.replace(event, time=event.time + shift if event.time else None)
    except (msgspec.ValidationError, OverflowError):
        raise CannotRead(Reason.INVALID_TIME, "answered_at", "a time cannot be read or moved") from None


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | CannotRead]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _object(line)
    except OSError:
        raise _unreadable(path) from None


def _object(line: bytes) -> dict[str, Any] | CannotRead:
    try:
        return strict_json.read_object(line)[0]
    except CannotRead as why:
        return why


def _csv_events(source: Source, path: Path) -> Iterator[tuple[int, dict[str, Any] | CannotRead]]:
    rules = source.rows
    joined = _joined(rules.join, path.parent, rules.delimiter) if rules.join else {}
    seen: Counter[bytes] = Counter()
    for line, row in _csv_rows(path, rules.delimiter):
        if isinstance(row, CannotRead):
            yield line, row
            continue
        event: dict[str, Any] = {name: cell or None for name, cell in row.items()}
        if rules.identity == "row_hash":
            event["row_hash"] = _row_hash(row, seen)
        if rules.join:
            event[rules.join.as_] = joined.get(row.get(rules.join.on, ""))
        yield line, event


def _row_hash(row: dict[str, str], seen: Counter[bytes]) -> str:
    """Rows that are alike to the last letter are told apart by counting them."""
    digest = sha256(msgspec.json.encode(list(row.values()))).digest()
    seen[digest] += 1
    return sha256(digest + seen[digest].to_bytes(8, "big")).hexdigest()[:32]


def _joined(join: Join, folder: Path, delimiter: str) -> dict[str, dict[str, str | None]]:
    table: dict[str, dict[str, str | None]] = {}
    for _, row in _csv_rows(folder / join.file, delimiter):
        if isinstance(row, CannotRead):
            raise Misconfigured(f"{join.file} has a row that cannot be read; mend it")
        if join.on not in row:
            raise Misconfigured(f"{join.file} has no column {join.on}; correct `join` in the source file")
        table.setdefault(row[join.on], {name: cell or None for name, cell in row.items()})
    return table


def _csv_rows(path: Path, delimiter: str) -> Iterator[tuple[int, dict[str, str] | CannotRead]]:
    """Each row with the line on which it begins. Bytes that are not UTF-8 spoil their own row only."""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from _table(file, delimiter)
    except OSError:
        raise _unreadable(path) from None


def _table(file: TextIO, delimiter: str) -> Iterator[tuple[int, dict[str, str] | CannotRead]]:
    reader = csv.reader(file, delimiter=delimiter)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, CannotRead(Reason.MALFORMED, None, "this row is not CSV; mend its quotes")
            continue
        if header is None:
            header = cells
        elif cells:
            yield line, _row(header, cells)


def _row(header: list[str], cells: list[str]) -> dict[str, str] | CannotRead:
    if len(cells) != len(header):
        return CannotRead(Reason.MALFORMED, None, "this row has more or fewer cells than the header")
    if any("\ud800" <= letter <= "\udfff" for cell in cells if not cell.isascii() for letter in cell):
        return CannotRead(Reason.MALFORMED, None, "this row is not UTF-8; encode it so")
    return dict(zip(header, cells, strict=True))


def _unreadable(path: Path) -> Misconfigured:
    return Misconfigured(f"{path.name} cannot be read; check that it is there")
