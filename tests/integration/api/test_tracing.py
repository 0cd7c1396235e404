"""A request belongs to the trace that it names, or begins one; what it sends to Kafka and what the log says of it go along."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from alerts.log_fields import bound_fields
from app.logs import JsonLines
from consumers.trace_context import trace_id_of
from tests.integration.api.front import Front, good, problem
from tests.integration.api.test_survey_events import BATCH, event

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
HEADERS = {"Content-Type": BATCH}


@contextmanager
def heard_fields() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The message and all else of each line, as a machine reads it."""
    heard: list[tuple[str, dict[str, Any]]] = []

    class _Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            line = json.loads(JsonLines().format(record))
            heard.append((line["message"], line))

    reader = _Reader()
    logging.getLogger("app").addHandler(reader)
    try:
        yield heard
    finally:
        logging.getLogger("app").removeHandler(reader)


async def send(front: Front, *traceparents: str) -> list[str | None]:
    """The traces of the two records that came of a batch."""
    client = await front.key("events:ingest")
    headers = [*HEADERS.items(), *(("traceparent", each) for each in traceparents)]
    good(await client.post("/v1/survey-events", content=json.dumps([event(), event("e-2")]), headers=headers), 202)
    return [trace_id_of(record.headers) for record in front.sent[-2:]]


async def test_records_go_on_in_the_trace_that_the_request_names(front: Front) -> None:
    assert await send(front, TRACEPARENT) == [TRACE, TRACE]
    assert dict(front.sent[0].headers)["traceparent"] == TRACEPARENT.encode()


@pytest.mark.parametrize("given", [(), ("00-1",), (TRACEPARENT.upper(),), (TRACEPARENT, TRACEPARENT)])
async def test_a_request_that_names_none_begins_one_with_its_id(front: Front, given: tuple[str, ...]) -> None:
    with heard_fields() as heard:
        first, second = await send(front, *given)
    assert first == second is not None
    assert first != TRACE
    [told] = [fields for message, fields in heard if message == "events are passed on"]
    assert told["trace"] == told["request"].replace("-", "") == first
    assert bound_fields() == {}


async def test_an_error_of_ours_is_in_the_log_under_the_id_that_its_answer_has(front: Front) -> None:
    front.rebuild(not_ready=None)
    with heard_fields() as heard:
        answer = await front.stranger().get("/readyz", headers={"traceparent": TRACEPARENT})
    body = problem(answer, 500, "internal-error")
    [(message, fields)] = heard
    assert message.startswith("/readyz failed: TypeError")
    assert body["instance"] == f"urn:uuid:{fields['request']}"
    assert fields["trace"] == TRACE
