"""The JSON Schema of what leaves the house when a signal is raised."""

from __future__ import annotations

from typing import Any

from alerts.learning.watching import SignalKind
from alerts.ledger.learning.signals import EVENT
from app.published.survey_event import DIALECT

_NUMBER: dict[str, Any] = {"type": "number", "minimum": 0}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}


def signal_event() -> dict[str, Any]:
    """Counts and ids; nothing that a customer said or is."""
    data = {
        "signal": {"type": "string", "format": "uuid"},
        "kind": {"enum": [str(kind) for kind in SignalKind]},
        "scope": _object({"by": {"type": "string"}, "value": {"type": "string"}}),
        "since": {"type": "string", "format": "date-time"},
        "observed": _object({"bottom": _COUNT, "of": _COUNT}),
        "expected": _NUMBER,
        "p_value": {**_NUMBER, "maximum": 1},
        "false_alarms_a_month": _NUMBER,
    }
    members = {
        "specversion": {"const": "1.0"},
        "type": {"const": EVENT},
        "source": {"type": "string", "minLength": 1},
        "id": {"type": "string", "format": "uuid", "description": "the same on every try"},
        "subject": {"type": "string", "description": "the signal's id"},
        "time": {"type": "string", "format": "date-time"},
        "data": _object(data),
    }
    return {"$schema": DIALECT, "title": "Signal event", "description": "A CloudEvent 1.0.", **_object(members)}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
