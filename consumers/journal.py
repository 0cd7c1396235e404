"""Tells the log of what was committed: a line for each thing that happened to a callback, with the ids to follow it by."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator

from alerts.callback import Callback, Event, Transition
from alerts.event import EventKind
from alerts.ledger.intake.batch import RaisedAlert, Report
from alerts.log_fields import LogFields, about, plain_id

logger = logging.getLogger(__name__)

RAISED = (EventKind.OPENED, EventKind.JOINED)
"""What an alert does to its callback, each alert one of them."""

_NO_ALERTS: Iterator[RaisedAlert] = iter(())


def tell_moved(moved: Iterable[Transition], raised: Iterable[RaisedAlert] = ()) -> None:
    """`raised`: the alerts that moved them, in the order in which they came."""
    if not logger.isEnabledFor(logging.INFO):
        return
    alerts = _by_callback(raised)
    for each in moved:
        for event in each.events:
            alert = next(alerts.get(each.callback.id, _NO_ALERTS), None) if event.kind in RAISED else None
            logger.info("callback %s", event.kind, extra=about(**_fields(each.callback, event, alert)))


def tell_report(report: Report) -> None:
    """What a batch of answers did to callbacks."""
    tell_moved(report.moved, report.raised)


def _by_callback(raised: Iterable[RaisedAlert]) -> dict[str, Iterator[RaisedAlert]]:
    found: dict[str, list[RaisedAlert]] = defaultdict(list)
    for alert in raised:
        found[alert.callback_id].append(alert)
    return {callback_id: iter(alerts) for callback_id, alerts in found.items()}


def _fields(callback: Callback, event: Event, alert: RaisedAlert | None) -> LogFields:
    """Without what people wrote, which stands in the event's `text`, and without who did it: the history has both.

    The line of an alert names its own answer; all others name the one that opened the callback, and `origin` its trace.
    """
    fields: LogFields = {
        "callback": callback.id,
        "event": plain_id(callback.event_id),
        "source": callback.source,
        "origin": callback.trace_id,
        "queue": callback.queue,
        "state": event.state,
        "version": event.version,
        "reason": event.data.get("reason"),
    }
    if alert is not None:
        fields |= {"event": plain_id(alert.event_id), "source": alert.source, "trace": alert.trace}
    return fields
