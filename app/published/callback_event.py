"""The JSON Schema of what leaves the house when something happens to a callback."""

from __future__ import annotations

from typing import Any

from alerts.callback import State
from alerts.event import EventKind
from app.published.survey_event import DIALECT

PREFIX = "bottombox.callback."
TYPES = tuple(PREFIX + kind for kind in EventKind if kind.published)
"""The CloudEvents types that leave, in the order of a callback's life."""


def callback_event() -> dict[str, Any]:
    """Thin: ids, states, times, reasons; never a number, a name, an address, a comment or a note."""
    return {
        "$schema": DIALECT,
        "title": "Callback event",
        "description": "A CloudEvent 1.0. One callback's events leave in the order of their `version`; "
        "what a kind adds to `data` stands in docs/events.md.",
        "type": "object",
        "required": ["specversion", "type", "source", "id", "subject", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "type": {"enum": list(TYPES)},
            "source": {"type": "string", "minLength": 1},
            "id": {"type": "string", "format": "uuid", "description": "the same on every try"},
            "subject": {"type": "string", "description": "the callback's id"},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": {"$ref": "#/$defs/data"},
        },
        "$defs": {
            "data": {
                "type": "object",
                "required": ["callback", "state", "version", "actor"],
                "properties": {
                    "callback": {"type": "string"},
                    "state": {"enum": [str(state) for state in State]},
                    "version": {"type": "integer", "minimum": 1},
                    "actor": {"type": "string"},
                },
            }
        },
    }
