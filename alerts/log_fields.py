"""What a log line is about: ids, in a closed set of fields, given with one line or bound to all lines of a piece of work."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypedDict, Unpack


class LogFields(TypedDict, total=False):
    """In the order in which they are written; docs/operations.md says what each is. None of them is about a person."""

    request: str
    trace: str | None
    origin: str | None
    callback: str
    event: str | None
    source: str | None
    record: str
    dead_letter: int
    queue: str
    state: str
    version: int
    reason: str | None
    field: str | None
    count: int


FIELDS = tuple(LogFields.__annotations__)

_ID = re.compile(r"[A-Za-z0-9._:/=~-]{1,128}")
_BETWEEN = str.maketrans("", "", "._:/=~-")
_bound: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=MappingProxyType({}))


def about(**fields: Unpack[LogFields]) -> dict[str, Mapping[str, Any]]:
    """For the `extra` of one line; None is as if not said."""
    return {"about": {name: value for name, value in fields.items() if value is not None}}


@contextmanager
def bound(**fields: Unpack[LogFields]) -> Iterator[None]:
    """All lines that are written within are about this too."""
    before = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(before)


def bound_fields() -> Mapping[str, Any]:
    return _bound.get()


def plain_id(text: str) -> str | None:
    """A sender's own id, as a log may carry it; None for one that could be a telephone number, an address or words."""
    digits = text.translate(_BETWEEN)
    could_be_a_number = digits.isdigit() and 7 <= len(digits) <= 15
    return text if _ID.fullmatch(text) and not could_be_a_number else None
