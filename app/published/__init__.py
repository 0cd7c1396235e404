"""The documents by which others' programs know what we read and what we send: JSON Schema and AsyncAPI.

They are made of what the code itself goes by, served at `/schemas/`, and kept in `docs/` (a test holds them equal).
"""

from __future__ import annotations

import json
from typing import Any

from app.published.asyncapi import asyncapi
from app.published.callback_event import callback_event
from app.published.signal_event import signal_event
from app.published.survey_event import survey_event

DOCUMENTS: dict[str, dict[str, Any]] = {
    "survey-event.json": survey_event(),
    "callback-event.json": callback_event(),
    "signal-event.json": signal_event(),
    "asyncapi.json": asyncapi(),
}
"""By the name under `/schemas/`."""

MEDIA = {"asyncapi.json": "application/vnd.aai.asyncapi+json;version=3.0.0"}
"""Media types other than `application/schema+json`."""


def written(name: str) -> str:
    """The text of a document, as it is kept in the documentation."""
    return json.dumps(DOCUMENTS[name], indent=2, ensure_ascii=False) + "\n"
