"""A line for each thing that happened to a callback, with the ids to follow an answer by."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.callback import Event, State, Transition
from alerts.event import EventKind
from alerts.ledger.intake.batch import Raised, Report
from consumers.journal import tell_moved, tell_report
from tests.unit.alerts.transitions.builders import opened

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def event(kind: EventKind, version: int = 1, **more: Any) -> Event:
    return Event(kind=kind, at=NOW, version=version, state=State.WAITING, **more)


def alert(event_id: str, callback_id: str, trace: str | None = None) -> Raised:
    return Raised("cloudevents", NOW, NOW, callback_id, event_id, trace)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    return [(record.getMessage(), record.__dict__["about"]) for record in caplog.records]


def test_the_line_that_opens_a_callback_ties_it_to_the_event_and_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    one, other = opened().evolve(id="c-1"), opened().evolve(id="c-2")
    joined = Transition(callback=one, events=(event(EventKind.OPENED), event(EventKind.JOINED, 2)))
    again = (event(EventKind.REOPENED, 6), event(EventKind.JOINED, 7), event(EventKind.CLOSED, 8, data=CLOSED))
    alone = Transition(callback=other, events=again)
    raised = [alert("e-1", "c-1", TRACE), alert("e-2", "c-2"), alert("+442079460067", "c-1")]
    with caplog.at_level(logging.INFO):
        tell_report(Report(moved=[alone, joined], raised=raised))
    common = {"queue": "general", "state": "waiting"}
    assert told(caplog) == [
        ("callback reopened", {"callback": "c-2", **common, "version": 6}),
        ("callback joined", {"callback": "c-2", **common, "version": 7, "event": "e-2", "source": "cloudevents"}),
        ("callback closed", {"callback": "c-2", **common, "version": 8, "reason": "rerated"}),
        (
            "callback opened",
            {"callback": "c-1", **common, "version": 1, "event": "e-1", "source": "cloudevents", "trace": TRACE},
        ),
        ("callback joined", {"callback": "c-1", **common, "version": 2, "source": "cloudevents"}),
    ]


CLOSED = {"reason": "rerated"}


def test_what_people_wrote_and_who_they_are_is_in_no_line(caplog: pytest.LogCaptureFixture) -> None:
    noted = event(EventKind.NOTED, text="she was in tears", actor="ann", data={"customer": "ref"})
    with caplog.at_level(logging.INFO):
        tell_moved([Transition(callback=opened(), events=(noted,))])
    [(_, fields)] = told(caplog)
    assert fields.keys() == {"callback", "queue", "state", "version"}


def test_nothing_is_made_ready_for_a_log_that_does_not_want_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "consumers.journal"):
        tell_moved([Transition(callback=opened(), events=(event(EventKind.CLAIMED),))])
    assert caplog.records == []
