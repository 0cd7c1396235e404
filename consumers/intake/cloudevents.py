"""Takes the CloudEvents 1.0 envelope off an event: from headers (binary) or around the data (structured)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from alerts.flags import dropped
from alerts.survey import EVENT_TYPE
from consumers.intake.fitting import Data
from consumers.intake.lengths import MAX_ID as MAX_ID
from consumers.intake.moments import Moment, read_moment
from consumers.intake.reason import DeadLetterReason, InvalidRecord

SOURCE_HEADER = "bottombox-source"
CONTENT_TYPE = "content-type"
PREFIX = "ce_"  # Kafka protocol binding for CloudEvents 1.0.2, section 3.2.3.1
STRUCTURED = "application/cloudevents"  # any case; same document, section 3

_IDENTIFYING = ("specversion", "type", "source", "id")
_TIME = PREFIX + "time"
_READ = frozenset({CONTENT_TYPE, SOURCE_HEADER, _TIME, *(PREFIX + name for name in _IDENTIFYING)})
_FAMILY = EVENT_TYPE.rsplit(".", 1)[0] + "."


class CloudEvent(Struct, frozen=True):
    """What identifies an event, and what it says. `time` is the sender's, aware. `flags`: what was dropped so far.

    `data`: as it came, or in our shape already.
    """

    source: str
    id: str
    time: datetime | None
    data: dict[str, Any] | Data
    flags: tuple[str, ...] = ()


def headers_of(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The headers that mean something to us, by lower-case name. Others may hold anything; null is as if not there.

    Raises InvalidRecord (`invalid_envelope`) when one of them has two values or is not UTF-8; the time alone is
    optional, and one that cannot be read is left to be dropped.
    """
    found: dict[str, bytes] = {}
    for name, value in headers:
        name = name.lower()
        if value is None or name not in _READ:
            continue
        if found.setdefault(name, value) != value:  # a relay may repeat headers, with the same value
            if name != _TIME:
                raise _invalid(name, "this header is there with two values; send it once")
            found[name] = found[name] + b" " + value
    if not found:
        return {}
    decoded = {name: _decoded(name, value) for name, value in found.items()}
    takes_them_for_json = decoded.get(PREFIX + "specversion", "").startswith('"')
    return {
        name: _unquoted(text) if takes_them_for_json or not name.startswith(PREFIX) else text
        for name, text in decoded.items()
    }


def _decoded(name: str, value: bytes) -> str:
    try:
        return value.decode(errors="replace" if name == _TIME else "strict")
    except UnicodeDecodeError:
        raise _invalid(name, "this header is not UTF-8; encode it so") from None


def _unquoted(text: str) -> str:
    """Some clients take every header for JSON, and write quotation marks around it; of others they may be meant."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def check_format(value: bytes, headers: Mapping[str, str]) -> None:
    """Raises InvalidRecord (`unsupported_format`) when headers or first byte deny that it is one JSON event."""
    if value[:1] == b"\0":  # the magic byte of schema registries, before Avro and Protobuf
        raise _unsupported("the value begins with a schema registry's magic byte; send JSON")
    media = media_of(headers)
    if media.startswith(STRUCTURED):
        if media not in (STRUCTURED, STRUCTURED + "+json"):
            raise _unsupported("send one event per record, as application/cloudevents+json")
    elif media and PREFIX + "type" in headers:
        _check_json(media)


def media_of(headers: Mapping[str, str]) -> str:
    """The media type, without its parameters; empty where none is said."""
    return _media(headers.get(CONTENT_TYPE, ""))


def attributes_of(headers: Mapping[str, str], body: dict[str, Any]) -> tuple[Mapping[str, Any], bool] | None:
    """The CloudEvents attributes, and whether they lay in headers (binary mode); None: no CloudEvent."""
    attributes = in_headers(headers)
    if is_structured(headers):
        for name in _IDENTIFYING:  # what else a relay puts into headers decides nothing; the body counts
            if name in attributes and attributes[name] != str(body.get(name)):
                raise _invalid(name, "header and body differ; send the attribute in one place")
        return body, False
    if attributes:
        return attributes, True
    return (body, False) if CONTENT_TYPE not in headers and "specversion" in body else None


def in_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The CloudEvents attributes that lie there."""
    return {name[len(PREFIX) :]: value for name, value in headers.items() if name.startswith(PREFIX)}


def is_structured(headers: Mapping[str, str]) -> bool:
    return headers.get(CONTENT_TYPE, "").lower().startswith(STRUCTURED)


def is_bare(headers: Mapping[str, str]) -> bool:
    """Whether the headers say nothing, or no more than that the whole event is in the value."""
    return not headers or (len(headers) == 1 and is_structured(headers))


def is_ours(attributes: Mapping[str, Any]) -> bool:
    """Whether this is a survey event in the canonical form, of whatever version, and no platform's own."""
    kind = attributes.get("type")
    return isinstance(kind, str) and kind.startswith(_FAMILY)


def read_event(attributes: Mapping[str, Any], body: dict[str, Any] | Data, *, binary: bool) -> CloudEvent:
    """Raises InvalidRecord: `invalid_envelope`, `unsupported_version`, `unsupported_format`."""
    if _text(attributes, "specversion") != "1.0":
        raise InvalidRecord(DeadLetterReason.UNSUPPORTED_VERSION, "specversion", "send CloudEvents 1.0")
    kind = _text(attributes, "type")
    if kind != EVENT_TYPE:
        if is_ours(attributes):
            raise InvalidRecord(DeadLetterReason.UNSUPPORTED_VERSION, "type", f"send type {EVENT_TYPE}")
        raise _invalid("type", f"send type {EVENT_TYPE}")
    time, flags = _time(attributes.get("time"))
    return CloudEvent(
        source=_text(attributes, "source"),
        id=_text(attributes, "id"),
        time=time,
        data=_data(body) if isinstance(body, dict) and not binary else body,
        flags=flags,
    )


def _text(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_ID or "\0" in value:
        raise _invalid(name, f"this attribute is missing, blank or over {MAX_ID} bytes")
    return value


def _time(value: Any) -> tuple[datetime | None, tuple[str, ...]]:
    if value is None or value == "":
        return None, ()
    try:
        return msgspec.convert(value, Moment), ()
    except msgspec.ValidationError:
        moment = read_moment(value) if isinstance(value, str) else None
        return moment, () if moment else (dropped("time"),)


def _data(body: dict[str, Any]) -> dict[str, Any]:
    if "data_base64" in body:
        raise _unsupported("send `data` as a JSON object, not as base64")
    if isinstance(body.get("datacontenttype"), str) and body["datacontenttype"].strip():
        _check_json(_media(body["datacontenttype"]))
    data = body.get("data")
    if not isinstance(data, dict):
        raise _invalid("data", "send the answer as a JSON object in `data`")
    return data


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _check_json(media: str) -> None:
    if media not in ("application/json", "text/json") and not media.endswith("+json"):
        raise _unsupported("the content type is not JSON; send application/json")


def _invalid(field: str, detail: str) -> InvalidRecord:
    return InvalidRecord(DeadLetterReason.INVALID_ENVELOPE, field, detail)


def _unsupported(detail: str) -> InvalidRecord:
    return InvalidRecord(DeadLetterReason.UNSUPPORTED_FORMAT, None, detail)
