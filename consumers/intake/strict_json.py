"""Reads JSON as its text says, or refuses: nothing repeated or endless, nothing a database cannot keep."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from consumers.intake.reason import DeadLetterReason, InvalidRecord

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32

_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def read_object(value: bytes) -> tuple[dict[str, Any], bool]:
    """The object that `value` holds, and whether NUL characters were taken out of its texts.

    Raises InvalidRecord: `too_large` above 1 MiB, `too_deep` beyond 32 levels, else `malformed`; among that a
    member repeated at any depth, NaN, numbers beyond floats or of 5,000 digits, and a lone surrogate.
    """
    if len(value) > MAX_BYTES:
        raise InvalidRecord(DeadLetterReason.TOO_LARGE, None, "the value has more than 1 MiB; send less")
    decoded = _decode(value)
    if not isinstance(decoded, dict):
        raise _malformed("the value is not a JSON object")
    if value.count(b"{") + value.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _too_deep()
    if _may_repeat(value, decoded) and _outside_strings(value).count(b":") != _members(decoded):
        raise _malformed("a member is written twice; send each once")
    return _without_nul(decoded) if b"\\u0000" in value else (decoded, False)


def _decode(value: bytes) -> Any:
    """msgspec refuses what RFC 8259 refuses, and overflow to infinity, in everything that it reads."""
    try:
        return _DECODER.decode(value)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _malformed("the value is not strict JSON in UTF-8") from None


def _may_repeat(value: bytes, decoded: dict[str, Any]) -> bool:
    """Whether a member may have been lost on the way: written anew, the object has fewer quotation marks.

    An escaped mark may be written in two ways; such a text is counted exactly. Takes a tenth of that.
    """
    anew = _ENCODER.encode(decoded)
    if anew == value:
        return False
    return b"\\u0022" in value or anew.count(b'"') != value.count(b'"')


def _outside_strings(value: bytes) -> bytes:
    """What stands outside the strings. Each colon there is one member."""
    return _STRING.sub(b"", value)


def _members(value: Any) -> int:
    """How many members the objects hold that were made of the text; a repeated one is there only once."""
    if isinstance(value, dict):
        return len(value) + sum(_members(each) for each in value.values())
    return sum(_members(each) for each in value) if isinstance(value, list) else 0


def _depth(value: bytes) -> int:
    deepest = depth = 0
    for byte in _outside_strings(value):
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def _without_nul(decoded: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """PostgreSQL keeps no NUL in text or jsonb, so it goes, in names of members too."""
    clean = _strip(decoded)
    return clean, clean != decoded


def _strip(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_strip(each) for each in value]
    if isinstance(value, dict):
        clean = {key.replace("\0", ""): _strip(each) for key, each in value.items()}
        if len(clean) != len(value):
            raise _malformed("a member is written twice; send each once")
        return clean
    return value


def _malformed(detail: str) -> InvalidRecord:
    return InvalidRecord(DeadLetterReason.MALFORMED, None, detail)


def _too_deep() -> InvalidRecord:
    return InvalidRecord(DeadLetterReason.TOO_DEEP, None, "the value has more than 32 levels; send fewer")
