"""The metrics page: complete and at zero from the start, and true to what was recorded."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from alerts.arrival import RecordOutcome
from alerts.callback import Event, State, Transition
from alerts.event import EventKind
from alerts.ledger.intake.batch import RaisedAlert, Report
from alerts.ledger.reading.objectives import Kept, Objective
from alerts.log_fields import bound
from alerts.policy import shipped_policy
from alerts.scale import Box
from app.metrics import Metrics
from tests.unit.alerts.transitions.builders import opened

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
OF_A_REQUEST = ("http_request", "time_to_claim")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def prepared() -> Metrics:
    metrics = Metrics()
    metrics.prepare(shipped_policy(), ["survey.responses"], ["cloudevents", "typeform"])
    return metrics


def page(metrics: Metrics) -> str:
    return metrics.registry.page(None)[0].decode()


def test_every_closed_label_set_is_there_at_zero_before_anything_happened() -> None:
    text = page(prepared())
    for line in (
        'bottombox_records_total{outcome="bottom_box",topic="survey.responses"} 0.0',
        'bottombox_responses_total{box="top",source="typeform"} 0.0',
        'bottombox_callbacks_closed_total{queue="general",reason="resolved"} 0.0',
        'bottombox_callbacks_closed_total{queue="general",reason="unreachable"} 0.0',
        'bottombox_targets_total{priority="1",queue="general",result="missed",target="first_attempt"} 0.0',
        'bottombox_promises_total{queue="general",result="broken"} 0.0',
        'bottombox_escalations_total{queue="general",step="manager"} 0.0',
        'bottombox_attempts_total{queue="general",result="wrong_person"} 0.0',
        'bottombox_dead_letters_total{reason="invalid_rating"} 0.0',
        'bottombox_fields_dropped_total{field="customer.phone",source="typeform"} 0.0',
        'bottombox_fields_dropped_total{field="time",source="cloudevents"} 0.0',
        'bottombox_time_to_contact_seconds_count{clock="callable",queue="general"} 0.0',
    ):
        assert line in text


def test_a_batch_is_counted_once_with_its_latencies() -> None:
    metrics = prepared()
    report = Report(
        outcomes=Counter({("survey.responses", RecordOutcome.BOTTOM_BOX): 2}),
        responses=Counter({("cloudevents", Box.BOTTOM): 2}),
        raised=[RaisedAlert("cloudevents", NOW - timedelta(milliseconds=40), NOW - timedelta(seconds=9))] * 2,
        dead_letters=Counter({"malformed": 3}),
        dropped=Counter({("typeform", "customer.country"): 2}),
    )
    metrics.intake.batch(report, NOW)
    text = page(metrics)
    assert 'bottombox_alert_latency_seconds_bucket{le="0.05",source="cloudevents"} 2.0' in text
    assert 'bottombox_alert_latency_seconds_bucket{le="0.025",source="cloudevents"} 0.0' in text
    assert 'bottombox_answer_to_alert_seconds_bucket{le="10.0",source="cloudevents"} 2.0' in text
    assert 'bottombox_dead_letters_total{reason="malformed"} 3.0' in text
    assert 'bottombox_fields_dropped_total{field="customer.country",source="typeform"} 2.0' in text


def test_a_clock_that_is_ahead_makes_no_negative_latency() -> None:
    metrics = prepared()
    metrics.intake.batch(Report(raised=[RaisedAlert("cloudevents", NOW + timedelta(hours=1), NOW)]), NOW)
    assert 'bottombox_alert_latency_seconds_sum{source="cloudevents"} 0.0' in page(metrics)


def test_open_metrics_are_given_to_who_asks_for_them() -> None:
    body, content_type = prepared().registry.page(OPEN_METRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_a_latency_is_marked_with_the_trace_of_its_answer_for_who_asks_for_open_metrics() -> None:
    metrics = prepared()
    of_a_trace = RaisedAlert("cloudevents", NOW - timedelta(milliseconds=40), NOW - timedelta(seconds=9), trace=TRACE)
    metrics.intake.batch(Report(raised=[of_a_trace, RaisedAlert("typeform", NOW, NOW)]), NOW)
    with bound(trace="0af7651916cd43dd8448eb211c80319c"):
        metrics.http.observe("/v1/callbacks/claim", 200, 0.02)
        metrics.callbacks.announce([_moved(_claimed())])
    lines = metrics.registry.page(OPEN_METRICS)[0].decode().splitlines()
    marked = {line.split("{")[0].split("bottombox_")[1]: line for line in lines if "trace_id" in line}
    assert marked.keys() == {f"{name}_seconds_bucket" for name in ("alert_latency", "answer_to_alert", *OF_A_REQUEST)}
    assert (
        f'le="0.05",source="cloudevents"}} 1.0 # {{trace_id="{TRACE}"}} 0.04' in marked["alert_latency_seconds_bucket"]
    )
    assert 'trace_id="0af7651916cd43dd8448eb211c80319c"' in marked["http_request_seconds_bucket"]
    assert "trace_id" not in page(metrics)


def _claimed() -> Event:
    measured = {"time_to_claim": {"wall": 90.0}}
    return Event(kind=EventKind.CLAIMED, at=NOW, version=2, state=State.LEASED, measured=measured)


def test_lag_of_a_partition_that_moved_on_is_no_longer_told() -> None:
    metrics = prepared()
    metrics.intake.lag("survey.responses", 3, 7, 1.5)
    assert 'bottombox_consumer_lag_records{partition="3",topic="survey.responses"} 7.0' in page(metrics)
    metrics.intake.forget([("survey.responses", 3), ("survey.responses", 4)])
    assert 'partition="3"' not in page(metrics)


def _moved(*events: Event) -> Transition:
    return Transition(callback=opened(), events=events)


def test_an_event_that_cannot_be_counted_takes_nothing_else_down(caplog: pytest.LogCaptureFixture) -> None:
    metrics = prepared()
    broken, sound = (
        Event(kind=kind, at=NOW, version=1, state=State.WAITING, data={"queue": "general"})
        for kind in (EventKind.CLOSED, EventKind.OPENED)
    )
    metrics.callbacks.announce([_moved(broken, sound), _moved(sound)])
    text = page(metrics)
    assert "bottombox_uncounted_total 1.0" in text
    assert 'bottombox_callbacks_opened_total{queue="general"} 2.0' in text
    assert "_count" in caplog.text, "the log says where"


def test_a_batch_that_cannot_be_counted_does_not_stop_the_consumer() -> None:
    metrics = prepared()
    report = Report(raised=[RaisedAlert("cloudevents", NOW, NOW.replace(tzinfo=None))])
    metrics.intake.batch(report, NOW)
    assert "bottombox_uncounted_total 1.0" in page(metrics)


def test_what_objectives_are_judged_by_is_whole_or_not_there() -> None:
    metrics = prepared()
    assert "bottombox_objectives_total{" not in page(metrics)
    metrics.objectives.show(Counter({(Objective.CONTACT, Kept.MET): 7}))
    metrics.objectives.show(Counter({(Objective.CONTACT, Kept.MET): 9}))
    text = page(metrics)
    assert 'bottombox_objectives_total{result="met",slo="contact"} 9.0' in text
    assert text.count("bottombox_objectives_total{") == len(Objective) * len(Kept)


@pytest.mark.parametrize("accept", [None, "application/openmetrics-text; version=1.0.0"])
def test_no_series_says_when_another_was_made(accept: str | None) -> None:
    assert b"_created" not in prepared().registry.page(accept)[0]


def test_every_metric_has_a_help_sentence() -> None:
    for line in page(prepared()).splitlines():
        if line.startswith("# HELP bottombox_"):
            assert line.split(" ", 3)[3].endswith(".")
