"""To which trace a piece of work belongs, as whoever asked for it says (W3C Trace Context, level 1).

We record no spans: what came is handed on as it is, so that the next one's spans hang on the last one's.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

TRACEPARENT = "traceparent"

_FORM = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})(?P<parent>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?",
    re.DOTALL,
)
_SAMPLED = 1  # the only flag of version 00; the others are zero in what we send


class TraceContext(Struct, frozen=True):
    """`trace_id` is 32 hexadecimal digits, `parent_id` 16: the span that asked. `is_sampled`: somebody records it."""

    trace_id: str
    parent_id: str
    is_sampled: bool

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """For a record on Kafka."""
        return ((TRACEPARENT, f"00-{self.trace_id}-{self.parent_id}-{self.is_sampled:02x}".encode()),)


def read_traceparent(values: Sequence[str]) -> TraceContext | None:
    """From all headers of that name; None when there is not exactly one, or it cannot be right.

    A later version may have more behind what we know, and is read as far as we know it.
    """
    match = _FORM.fullmatch(values[0]) if len(values) == 1 else None
    if match is None or (match["version"] == "00" and match["more"] is not None):
        return None
    return TraceContext(match["trace"], match["parent"], bool(int(match["flags"], 16) & _SAMPLED))


def trace_of(headers: Sequence[tuple[str, bytes | None]]) -> TraceContext | None:
    """That of a record on Kafka."""
    if not headers:
        return None
    values = [value or b"" for name, value in headers if name.lower() == TRACEPARENT]
    return read_traceparent([value.decode("latin-1") for value in values]) if values else None


def trace_id_of(headers: Sequence[tuple[str, bytes | None]]) -> str | None:
    trace = trace_of(headers)
    return None if trace is None else trace.trace_id


def begin_trace(request: UUID) -> TraceContext:
    """For a request that brings none: its own id is the trace's. Nobody records it."""
    return TraceContext(request.hex, secrets.token_hex(8), is_sampled=False)
