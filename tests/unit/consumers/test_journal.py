"""A line for each thing that happened to a callback, with the ids to follow an answer by."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.callback import Event, State, Transition
from alerts.event import EventKind
from alerts.ledger.intake.batch import RaisedAlert, Report
from consumers.journal import tell_moved, tell_report
from tests.unit.alerts.transitions.builders import opened

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TRACE, OLDER = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"


def event(kind: EventKind, version: int = 1, **more: Any) -> Event:
    return Event(kind=kind, at=NOW, version=version, state=State.WAITING, **more)


def alert(event_id: str, callback_id: str, trace: str | None = None) -> RaisedAlert:
    return RaisedAlert("cloudevents", NOW, NOW, callback_id, event_id, trace)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    return [(record.getMessage(), record.__dict__["about"]) for record in caplog.records]


def test_every_line_ties_its_callback_to_the_event_that_opened_it_and_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = opened().evolve(id="c-1", event_id="e-1", trace_id=TRACE)
    other = opened().evolve(id="c-2", event_id="e-0", trace_id=OLDER)
    joined = Transition(callback=one, events=(event(EventKind.OPENED), event(EventKind.JOINED, 2)))
    again = (event(EventKind.REOPENED, 6), event(EventKind.JOINED, 7), event(EventKind.CLOSED, 8, data=CLOSED))
    alone = Transition(callback=other, events=again)
    raised = [alert("e-1", "c-1", TRACE), alert("e-2", "c-2"), alert("+442079460067", "c-1")]
    with caplog.at_level(logging.INFO):
        tell_report(Report(moved=[alone, joined], raised=raised))
    about_one = {"callback": "c-1", "source": "cloudevents", "origin": TRACE, "queue": "general", "state": "waiting"}
    about_other = {**about_one, "callback": "c-2", "origin": OLDER}
    assert told(caplog) == [
        ("callback reopened", {**about_other, "version": 6, "event": "e-0"}),
        ("callback joined", {**about_other, "version": 7, "event": "e-2"}),
        ("callback closed", {**about_other, "version": 8, "event": "e-0", "reason": "rerated"}),
        ("callback opened", {**about_one, "version": 1, "event": "e-1", "trace": TRACE}),
        ("callback joined", {**about_one, "version": 2}),
    ]


CLOSED = {"reason": "rerated"}


def test_what_people_wrote_and_who_they_are_is_in_no_line(caplog: pytest.LogCaptureFixture) -> None:
    noted = event(EventKind.NOTED, text="she was in tears", actor="ann", data={"customer": "ref"})
    with caplog.at_level(logging.INFO):
        tell_moved([Transition(callback=opened(), events=(noted,))])
    [(_, fields)] = told(caplog)
    assert fields.keys() == {"callback", "event", "source", "queue", "state", "version"}


def test_nothing_is_made_ready_for_a_log_that_does_not_want_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "consumers.journal"):
        tell_moved([Transition(callback=opened(), events=(event(EventKind.CLAIMED),))])
    assert caplog.records == []
