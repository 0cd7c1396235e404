"""The JSON Schema of a survey event. What it calls valid is taken in whole; what is set aside, it calls invalid.

The reader takes more than that: an optional member that cannot be used costs the member, not the answer
(docs/surveys.md). A sender should not count on it.
"""

from __future__ import annotations

from typing import Any

from alerts.scale import FIVE_POINTS
from alerts.survey import EVENT_TYPE
from consumers.intake.lengths import MAX_COMMENT, MAX_ID, MAX_TEXT

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_BOUND = 2**31 - 1
Schema = dict[str, Any]

MOMENT: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
    "description": "RFC 3339 with a zone, from the year 2000 on",
}
IDENTIFIER: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_ID,
    "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
}
BOUND: Schema = {"type": "integer", "minimum": -MAX_BOUND, "maximum": MAX_BOUND}


def survey_event() -> Schema:
    """A CloudEvent in structured mode; `$defs.data` is the record's value in binary mode."""
    return {
        "$schema": DIALECT,
        "title": "Survey event",
        "description": "One customer's answer to one rating question, as a CloudEvent 1.0 in structured mode. "
        "What no schema can say: the rating lies within the scale, whose two ends differ; a number has neither "
        "fraction nor exponent (2.0 is refused); identifiers are counted in bytes; a handle is no word for nobody "
        "(`unknown`, `0`), nor the event's `id` or `response_id` one for nothing (`undefined`), and a phone number exists.",
        "type": "object",
        "required": ["specversion", "type", "source", "id", "data"],
        "anyOf": [
            {"required": ["time"], "properties": {"time": MOMENT}},
            {"properties": {"data": {"required": ["answered_at"], "properties": {"answered_at": MOMENT}}}},
        ],
        "not": {"required": ["data_base64"]},
        "properties": {
            "specversion": {"const": "1.0"},
            "type": {"const": EVENT_TYPE},
            "source": {**IDENTIFIER, "description": "whose event it is; with `id` it identifies the event"},
            "id": {**IDENTIFIER, "description": "the same each time the event is sent"},
            "time": {**MOMENT, "description": "when this revision of the answer was made"},
            "datacontenttype": {"type": "string", "pattern": r"^(application|text)/([A-Za-z0-9.-]+\+)?json\s*(;.*)?$"},
            "data": {"$ref": "#/$defs/data"},
        },
        "$defs": {"data": _data()},
    }


def _data() -> Schema:
    return {
        "title": "Answer",
        "type": "object",
        "required": ["rating"],
        "anyOf": [
            _has("customer", "id", IDENTIFIER),
            _has("customer", "phone", {"type": "string", "minLength": 1}),
            _has("customer", "email", IDENTIFIER),
            _has("interaction", "id", IDENTIFIER),
        ],
        "if": {"not": {"required": ["scale"], "properties": {"scale": {"type": "object"}}}},
        "then": {"properties": {"rating": {"minimum": FIVE_POINTS.worst, "maximum": FIVE_POINTS.best}}},
        "properties": {
            "response_id": _optional({**IDENTIFIER, "description": "the answer, stable over its revisions"}),
            "survey": _optional(_object(id=_text(), question=_text())),
            "rating": {**BOUND, "description": "a whole number on the scale"},
            "scale": _optional(
                {
                    "type": "object",
                    "properties": {"worst": BOUND, "best": BOUND},
                    "required": ["worst", "best"],
                    "description": "worst above best is an inverted scale",
                    "default": {"worst": FIVE_POINTS.worst, "best": FIVE_POINTS.best},
                }
            ),
            "comment": _optional({"type": "string", "maxLength": MAX_COMMENT}),
            "answered_at": _optional(MOMENT),
            "customer": _optional(_customer()),
            "interaction": _optional(_interaction()),
            "attributes": _optional({"type": "object", "description": "anything else"}),
        },
    }


def _customer() -> Schema:
    return _object(
        id={**IDENTIFIER, "description": "yours; a number counts as its text"},
        name=_text(),
        phone={
            "type": "string",
            "maxLength": MAX_TEXT,
            "description": "with `+` and the country, or as dialled in `country`",
        },
        email=IDENTIFIER,
        time_zone={"type": "string", "description": "IANA"},
        country={"type": "string", "description": "ISO 3166, two letters"},
        language={**_text(), "description": "BCP 47"},
        segment=_text(),
        since={
            "type": "string",
            "format": "date",
            "pattern": "^(19|20)[0-9]{2}(-[0-9]{2}(-[0-9]{2})?)?$",
            "not": {"pattern": "^19[07]0(-01(-01)?)?$"},
            "description": "no beginning of a calendar, as it stands where nobody has set a date",
        },
        value={"type": "number"},
    )


def _interaction() -> Schema:
    return _object(
        id=IDENTIFIER,
        channel=_text(),
        queue=_text(),
        reason=_text(),
        agent=_object(id=_text(), team=_text()),
        started_at=MOMENT,
        ended_at=MOMENT,
    )


def _text() -> Schema:
    return {"type": "string", "maxLength": MAX_TEXT}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": {name: _optional(each) for name, each in properties.items()}}


def _optional(schema: Schema) -> Schema:
    """Null is as if it were not there."""
    return {"anyOf": [schema, {"type": "null"}]}


def _has(parent: str, name: str, schema: Schema) -> Schema:
    """A handle by which the customer, or the contact, can be found again."""
    inner = {"type": "object", "required": [name], "properties": {name: schema}}
    return {"required": [parent], "properties": {parent: inner}}
