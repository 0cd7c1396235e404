"""Reads what a browser's form, and many a platform, posts: fields and their texts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from consumers.intake import strict_json
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.sources.expression import read_json

MEDIA_TYPE = "application/x-www-form-urlencoded"
_MOST = 1000  # fields


def form_fields(body: bytes) -> list[tuple[str, str]]:
    """In their order, blank ones too. Raises ValueError for what is no form in UTF-8."""
    return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST)


def read_form(body: bytes, json_fields: Iterable[str]) -> tuple[dict[str, Any], bool]:
    """The fields as members of an event, those of `json_fields` as the JSON that they hold, and whether NUL characters
    were taken out. Raises InvalidRecord (`malformed`) as `strict_json.read_object` does."""
    if len(body) > strict_json.MAX_BYTES:
        raise InvalidRecord(DeadLetterReason.TOO_LARGE, None, "the value has more than 1 MiB; send less")
    try:
        fields = form_fields(body)
        members: dict[str, Any] = dict(fields)
    except ValueError:
        raise _malformed("the value is no form in UTF-8") from None
    if len(members) != len(fields):
        raise _malformed("a field of the form is written twice; send each once")
    for name in json_fields:
        if members.get(name):
            members[name] = _json(members[name])
    return strict_json.read_object(json.dumps(members).encode())


def _json(text: str) -> Any:
    try:
        return read_json(text)
    except (InvalidRecord, ValueError):
        raise _malformed("a field that must hold JSON does not") from None


def _malformed(detail: str) -> InvalidRecord:
    return InvalidRecord(DeadLetterReason.MALFORMED, None, detail)
