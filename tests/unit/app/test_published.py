"""What is published of our events is what the reader does, and what the code sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.arrival import Answer, DeadLettered
from alerts.event import EventKind
from alerts.scale import Scale
from alerts.survey import EVENT_TYPE
from app.published import DOCUMENTS, written
from app.settings import PREFIX, Settings
from consumers.intake.dead_letters import GAINED
from consumers.intake.reason import DeadLetterReason
from consumers.intake.record import Record, read_record
from consumers.sources.catalogue import Catalogue
from tests.parts.effort import times
from tests.parts.json_schema import is_valid, resolved

DOCS = Path(__file__).parents[3] / "docs"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SURVEY, ASYNC = DOCUMENTS["survey-event.json"], DOCUMENTS["asyncapi.json"]
LEAST: dict[str, Any] = {
    "specversion": "1.0",
    "type": EVENT_TYPE,
    "source": "/crm",
    "id": "e-1",
    "data": {"rating": 2, "answered_at": "2026-03-01T10:00:00Z", "customer": {"id": "c-1"}},
}


def read(event: Any) -> Answer | DeadLettered:
    found = read_record(Record("surveys", 0, 0, -1, None, json.dumps(event).encode()), Catalogue(), NOW)
    assert isinstance(found, Answer | DeadLettered)
    return found


def changed(path: str, value: Any) -> dict[str, Any]:
    """The least event with another value there; `...` takes the member away."""
    event = json.loads(json.dumps(LEAST))
    *parents, last = path.split(".")
    inner = event
    for parent in parents:
        inner = inner.setdefault(parent, {})
    inner[last] = value
    if value is ...:
        del inner[last]
    return dict(event)


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
IDS = st.from_regex(r"[a-z]{2,8}-[0-9]{3,9}", fullmatch=True)
MOMENTS = st.integers(1_000_000_000, 1_800_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat()
)
SCALES = st.sampled_from([Scale(1, 5), Scale(0, 10), Scale(6, 1), Scale(-3, 3)])


def some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these members, each of which may be null, too."""
    return st.fixed_dictionaries({}, optional={name: st.none() | each for name, each in members.items()})


CUSTOMERS = some(
    name=TEXTS,
    phone=st.sampled_from(["+442071838750", "+49 30 901820"]),
    email=st.just("vera@example.org"),
    time_zone=st.sampled_from(["Europe/London", "America/New_York"]),
    country=st.sampled_from(["GB", "DE"]),
    language=st.sampled_from(["en", "de-DE"]),
    segment=TEXTS,
    since=st.dates(date(1901, 1, 1), date(2099, 12, 31))
    .filter(lambda day: day != date(1970, 1, 1))
    .map(lambda day: day.isoformat()),
    value=st.floats(allow_nan=False, allow_infinity=False, width=32),
)
INTERACTIONS = some(
    channel=TEXTS, queue=TEXTS, reason=TEXTS, agent=some(id=TEXTS, team=TEXTS), started_at=MOMENTS, ended_at=MOMENTS
)
DETAILS = some(
    response_id=IDS,
    survey=some(id=TEXTS, question=TEXTS),
    comment=TEXTS,
    attributes=st.dictionaries(TEXTS, st.integers(-99, 99) | TEXTS, max_size=3),
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    scale = draw(SCALES)
    rating = draw(st.integers(min(scale.worst, scale.best), max(scale.worst, scale.best)))
    data = {**draw(DETAILS), "rating": rating, "customer": draw(CUSTOMERS), "interaction": draw(INTERACTIONS)}
    data[draw(st.sampled_from(["customer", "interaction"]))]["id"] = draw(IDS)
    if scale != Scale(1, 5) or draw(st.booleans()):
        data["scale"] = {"worst": scale.worst, "best": scale.best}
    event = {**LEAST, "source": "/" + draw(IDS), "id": draw(IDS), "data": data}
    holder, name = draw(st.sampled_from([(data, "answered_at"), (event, "time")]))
    holder[name] = draw(MOMENTS)
    return event


@settings(max_examples=times(2000), deadline=None)
@given(events())
def test_what_the_schema_calls_valid_is_taken_in_whole(event: dict[str, Any]) -> None:
    assert is_valid(event, SURVEY)
    found = read(event)
    assert isinstance(found, Answer), found
    assert found.response.flags == ()


SET_ASIDE: list[tuple[str, Any, DeadLetterReason]] = [
    *(("data.rating", value, DeadLetterReason.INVALID_RATING) for value in (..., None, True, "2", 2.5, 0, 6, [2])),
    ("data.scale", 5, DeadLetterReason.UNKNOWN_SCALE),
    ("data.scale", {"worst": 1}, DeadLetterReason.UNKNOWN_SCALE),
    ("data.scale", {"worst": None, "best": 5}, DeadLetterReason.UNKNOWN_SCALE),
    ("data.scale", {"worst": 1, "best": 2**31}, DeadLetterReason.UNKNOWN_SCALE),
    *(
        ("data.answered_at", value, DeadLetterReason.INVALID_TIME)
        for value in (..., None, "yesterday", "2026-03-01", "2026-03-01T10:00:00", "1999-12-31T23:59:59Z", 1772359200)
    ),
    ("data.customer", ..., DeadLetterReason.NO_HANDLE),
    ("data.customer", {"id": " "}, DeadLetterReason.NO_HANDLE),
    ("data.customer", {"id": ""}, DeadLetterReason.NO_HANDLE),
    ("data.customer", {"name": "Vera"}, DeadLetterReason.NO_HANDLE),
    ("data.customer", "c-1", DeadLetterReason.NO_HANDLE),
    ("data.response_id", 7, DeadLetterReason.INVALID_FIELD),
    ("data.response_id", "x" * 1025, DeadLetterReason.INVALID_FIELD),
    ("specversion", "0.3", DeadLetterReason.UNSUPPORTED_VERSION),
    ("type", "survey.response.submitted.v2", DeadLetterReason.UNSUPPORTED_VERSION),
    ("type", "something.else", DeadLetterReason.INVALID_ENVELOPE),
    *(
        (name, value, DeadLetterReason.INVALID_ENVELOPE)
        for name in ("source", "id")
        for value in (..., "", 5, "x" * 1025)
    ),
    ("data", [], DeadLetterReason.INVALID_ENVELOPE),
    ("data", ..., DeadLetterReason.INVALID_ENVELOPE),
    ("data_base64", "e30=", DeadLetterReason.UNSUPPORTED_FORMAT),
    ("datacontenttype", "application/xml", DeadLetterReason.UNSUPPORTED_FORMAT),
]


@pytest.mark.parametrize(("path", "value", "reason"), SET_ASIDE)
def test_what_is_set_aside_the_schema_calls_invalid(path: str, value: Any, reason: DeadLetterReason) -> None:
    event = changed(path, value)
    found = read(event)
    assert isinstance(found, DeadLettered), found
    assert found.reason == reason
    assert not is_valid(event, SURVEY)


@pytest.mark.parametrize(
    ("path", "value"),
    [("data.customer.country", 5), ("data.interaction.started_at", "today"), ("time", "today"), ("data.survey", "x")],
)
def test_between_them_is_what_costs_a_detail_and_not_the_answer(path: str, value: Any) -> None:
    event = changed(path, value)
    found = read(event)
    assert isinstance(found, Answer)
    assert found.response.flags != ()
    assert not is_valid(event, SURVEY)


@pytest.mark.parametrize("name", ["survey-event.json", "callback-event.json", "signal-event.json"])
def test_the_schemas_in_the_documentation_are_those_that_are_served(name: str) -> None:
    assert (DOCS / "schemas" / name).read_text() == written(name), "run python -m app.published docs"


def test_the_asyncapi_document_in_the_documentation_is_the_one_that_is_served() -> None:
    assert yaml.safe_load((DOCS / "asyncapi.yaml").read_text()) == ASYNC, "run python -m app.published docs"


# -- AsyncAPI


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from references(each)


def test_every_reference_of_the_asyncapi_document_points_at_something() -> None:
    found = set(references(ASYNC))
    assert found
    for reference in found:
        resolved(reference, ASYNC)
    parts = {f"#/components/{kind}/{name}" for kind, named in ASYNC["components"].items() for name in named}
    assert parts <= found, "nothing is described that nobody uses"


def test_the_asyncapi_document_has_the_shape_of_version_3() -> None:
    assert ASYNC["asyncapi"] == "3.0.0"
    assert ASYNC["info"].keys() >= {"title", "version"}
    for operation in ASYNC["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert resolved(operation["channel"]["$ref"], ASYNC)["messages"]
    for message in ASYNC["components"]["messages"].values():
        assert message.keys() <= {"name", "title", "description", "contentType", "headers", "payload"}
        assert message.get("headers", {"type": "object"})["type"] == "object"


def test_every_topic_of_the_settings_is_a_channel_and_every_channel_is_used() -> None:
    topics = {PREFIX + name.upper(): field.default for name, field in Settings.model_fields.items() if is_topic(name)}
    assert {each["x-setting"]: each["address"] for each in ASYNC["channels"].values()} == topics
    used = {operation["channel"]["$ref"] for operation in ASYNC["operations"].values()}
    assert used == {f"#/channels/{name}" for name in ASYNC["channels"]}


def is_topic(setting: str) -> bool:
    return setting.endswith(("_topic", "_topics"))


def test_every_event_that_leaves_is_a_message_of_its_own_and_no_other() -> None:
    messages = [resolved(each["$ref"], ASYNC) for each in ASYNC["channels"]["callbacks"]["messages"].values()]
    published = {f"bottombox.callback.{kind}" for kind in EventKind if kind.published}
    assert {message["name"] for message in messages} == {*published, "bottombox.signal.raised"}
    assert set(DOCUMENTS["callback-event.json"]["properties"]["type"]["enum"]) == published


def test_a_dead_letter_is_described_with_each_header_and_each_reason() -> None:
    headers = ASYNC["components"]["messages"]["deadLetter"]["headers"]
    assert tuple(headers["properties"]) == tuple(headers["required"]) == GAINED
    assert set(headers["properties"]["bottombox-reason"]["enum"]) == {str(reason) for reason in DeadLetterReason}
