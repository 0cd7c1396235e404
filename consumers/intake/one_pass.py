"""Reads the usual event in one pass over its bytes: ours, each member one that we know, and each of them fits.

Most are so. Whatever is odd about an event, be it only a member that we do not know, is left to the exact way
(`consumers.intake.record`), which alone mends and says what is wrong. Of an event that both can read both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from consumers.intake import cloudevents
from consumers.intake.cloudevents import CloudEvent
from consumers.intake.fitting import ABSENT, Data
from consumers.intake.lengths import MAX_ID
from consumers.intake.moments import Moment
from consumers.intake.strict_json import MAX_BYTES, MAX_DEPTH

Decoded = TypeVar("Decoded")


class _Event(Struct, gc=False):
    """A structured CloudEvent. What others put beside the answer is known here so that it makes no event an odd one."""

    specversion: Literal["1.0"]
    type: Literal["survey.response.submitted.v1"]
    source: str
    id: str
    data: Data
    time: Moment | None = ABSENT
    datacontenttype: Literal["application/json"] = ABSENT
    dataschema: Any = ABSENT
    subject: Any = ABSENT
    traceparent: Any = ABSENT
    tracestate: Any = ABSENT


_EVENT = msgspec.json.Decoder(_Event)
_DATA = msgspec.json.Decoder(Data)
_ENCODER = msgspec.json.Encoder()


def read_event(value: bytes, headers: Mapping[str, str]) -> CloudEvent | None:
    """The event with its data in our shape, or None for one that the exact way must read. `headers`: see `headers_of`.

    Raises InvalidRecord as the exact way does.
    """
    if cloudevents.is_bare(headers):
        event = _decoded(value, _EVENT)
        if event is None or not (_is_usual(event.source) and _is_usual(event.id)):
            return None
        return CloudEvent(event.source, event.id, event.time or None, event.data)
    attributes = cloudevents.in_headers(headers)
    if cloudevents.is_ours(attributes) and not cloudevents.is_structured(headers):
        data = _decoded(value, _DATA)
        return None if data is None else cloudevents.read_event(attributes, data, binary=True)
    return None


def _is_usual(identifier: str) -> bool:
    return len(identifier) <= MAX_ID and not identifier.isspace() and identifier != ""


def _decoded(value: bytes, decoder: msgspec.json.Decoder[Decoded]) -> Decoded | None:
    """None for what does not fit, may be too large or too deep, or lost a member on the way: one that is there twice, or
    that we do not know. Without it, written anew, there are fewer quotation marks; an escaped one may be written in two
    ways, and such a text is left to the exact way."""
    if len(value) > MAX_BYTES or value.count(b"{") + value.count(b"[") > MAX_DEPTH:
        return None
    if b"\\" in value and (b"\\u0000" in value or b"\\u0022" in value):
        return None
    try:
        decoded = decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return decoded if _ENCODER.encode(decoded).count(b'"') == value.count(b'"') else None
