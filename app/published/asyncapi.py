"""The AsyncAPI document: every topic that we read or write, and what stands on it."""

from __future__ import annotations

from typing import Any

from alerts.ledger.learning.signals import EVENT
from app import __version__
from app.published.callback_event import TYPES, callback_event
from app.published.signal_event import signal_event
from app.published.survey_event import survey_event
from app.settings import PREFIX, Settings
from consumers.intake import cloudevents
from consumers.intake.dead_letters import GAINED
from consumers.intake.reason import DeadLetterReason

Part = dict[str, Any]

_TEXT: Part = {"type": "string"}
_MOMENT: Part = {"type": "string", "format": "date-time"}
_NUMBER: Part = {"type": "string", "pattern": "^[0-9]+$"}
_KINDS: dict[str, Part] = {
    "bottombox-reason": {"enum": [str(reason) for reason in DeadLetterReason]},
    "bottombox-detail": {**_TEXT, "description": "which member, and what to mend; never a value"},
    "bottombox-origin-partition": _NUMBER,
    "bottombox-origin-offset": _NUMBER,
    "bottombox-origin-timestamp": _MOMENT,
    "bottombox-failed-at": _MOMENT,
}


def asyncapi() -> Part:
    """AsyncAPI 3.0, with the default names of the topics; `x-setting` says what renames each."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bottombox",
            "version": __version__,
            "description": "Survey answers in, callback events out. Kafka; header names and texts are UTF-8.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "surveys": _channel(
                "survey_topics",
                ["surveyEvent", "surveyData", "platformEvent", "tombstone"],
                "Read: these topics, and those that source files name. The first takes what comes in over HTTP "
                "and by `bottombox publish`, and dead letters of it that are sent again.",
            ),
            "deadLetters": _channel(
                "dead_letter_topic", ["deadLetter"], "Written: what cannot be read, byte for byte; read for a redrive."
            ),
            "callbacks": _channel(
                "events_topic",
                [_camel(kind) for kind in (*TYPES, EVENT)],
                "What happened to callbacks, and signals. Key: the subject's id. Nothing is sent yet: the table `outbox` "
                "holds it.",
            ),
        },
        "operations": {
            "receiveSurveys": _operation("receive", "surveys"),
            "sendSurveys": _operation("send", "surveys"),
            "sendDeadLetters": _operation("send", "deadLetters"),
            "receiveDeadLetters": _operation("receive", "deadLetters"),
            "sendCallbacks": _operation("send", "callbacks"),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _channel(setting: str, messages: list[str], description: str) -> Part:
    return {
        "address": Settings.model_fields[setting].default,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {"bindingVersion": "0.5.0"}},
        "x-setting": PREFIX + setting.upper(),
    }


def _operation(action: str, channel: str) -> Part:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _messages() -> Part:
    ours = _object({cloudevents.SOURCE_HEADER: {**_TEXT, "description": "the source file that it counts under"}})
    platform = _object({cloudevents.SOURCE_HEADER: {**_TEXT, "description": "the source file that reads it"}})
    return {
        "surveyEvent": {
            "title": "Survey event, structured mode",
            "contentType": "application/cloudevents+json",
            "headers": ours,
            "payload": {"$ref": "#/components/schemas/surveyEvent"},
        },
        "surveyData": {
            "title": "Survey event, binary mode",
            "headers": _object(
                {f"{cloudevents.PREFIX}{name}": _TEXT for name in ("specversion", "type", "source", "id", "time")},
                required=[f"{cloudevents.PREFIX}{name}" for name in ("specversion", "type", "source", "id")],
            ),
            "payload": {"$ref": "#/components/schemas/surveyData"},
        },
        "platformEvent": {
            "title": "A platform's own event",
            "description": "Read by the source file that the header names, or that names the topic.",
            "headers": platform,
            "payload": {"type": "object"},
        },
        "tombstone": {
            "title": "A record without a value",
            "description": "Counted, nothing else.",
            "payload": {"type": "null"},
        },
        "deadLetter": {
            "title": "Dead letter",
            "description": "Key, value and headers as they were; these headers stand behind them.",
            "headers": _object({name: _KINDS.get(name, _TEXT) for name in GAINED}, required=list(GAINED)),
            "payload": {"description": "the record's own bytes"},
        },
        **{_camel(kind): _callback_message(kind) for kind in TYPES},
        _camel(EVENT): {
            "name": EVENT,
            "contentType": "application/cloudevents+json",
            "payload": {"$ref": "#/components/schemas/signalEvent"},
        },
    }


def _callback_message(kind: str) -> Part:
    narrowed = {"type": "object", "properties": {"type": {"const": kind}}}
    return {
        "name": kind,
        "contentType": "application/cloudevents+json",
        "payload": {"allOf": [{"$ref": "#/components/schemas/callbackEvent"}, narrowed]},
    }


def _schemas() -> Part:
    """The same as in files of their own, with their parts where this document can name them."""
    survey, callback = survey_event(), callback_event()
    data, callback_data = survey.pop("$defs")["data"], callback.pop("$defs")["data"]
    survey["properties"]["data"] = {"$ref": "#/components/schemas/surveyData"}
    callback["properties"]["data"] = {"$ref": "#/components/schemas/callbackData"}
    surveys = {"surveyEvent": survey, "surveyData": data}
    return {**surveys, "callbackEvent": callback, "callbackData": callback_data, "signalEvent": signal_event()}


def _object(properties: Part, *, required: list[str] | None = None) -> Part:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _camel(kind: str) -> str:
    """`bottombox.callback.target_missed` is the message `callbackTargetMissed`."""
    first, *more = kind.removeprefix("bottombox.").replace("_", ".").split(".")
    return first + "".join(word.capitalize() for word in more)
