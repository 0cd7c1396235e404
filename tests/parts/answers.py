"""Answers as the consumer hands them to the ledger, for stories that begin behind Kafka."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from alerts.arrival import Address, Answer
from alerts.survey import Interaction, Respondent, SurveyResponse

SOURCE = "cloudevents"
TOPIC = "surveys"
# The data of an event in which no optional member is absent, each written so that it can be used.
EVERY_MEMBER: dict[str, Any] = {
    "response_id": "r-81",
    "survey": {"id": "post-contact", "question": "overall"},
    "rating": 2,
    "scale": {"worst": 1, "best": 5},
    "comment": "Nobody called me back.",
    "answered_at": "2026-11-22T10:00:00+01:00",
    "customer": {
        "id": "c-17",
        "name": "Vera Example",
        "phone": "+442079460067",
        "email": "vera@example.org",
        "time_zone": "Europe/London",
        "country": "GB",
        "language": "en",
        "segment": "gold",
        "since": "2019-02-23",
        "value": 42.5,
    },
    "interaction": {
        "id": "conv-9",
        "channel": "voice",
        "queue": "billing",
        "reason": "invoice",
        "agent": {"id": "a7", "team": "north"},
        "started_at": "2026-11-22T08:40:00Z",
        "ended_at": "2026-11-22T08:55:00Z",
    },
    "attributes": {"branch": "Leeds"},
}


def answer(
    customer: str,
    rating: int,
    at: datetime,
    *,
    offset: int,
    partition: int = 0,
    event: str | None = None,
    response: str | None = None,
    revised_at: datetime | None = None,
    zone: str | None = "Europe/London",
    queue: str | None = None,
) -> Answer:
    """What `customer` (an id) said at `at`; `event` and `response` default to one of their own by address."""
    event_id = event or f"{partition}-{offset}"
    said = SurveyResponse(
        event_source="tests",
        event_id=event_id,
        source=SOURCE,
        response_id=response or event_id,
        rating=rating,
        answered_at=at,
        revised_at=revised_at or at,
        customer=Respondent(id=customer, time_zone=zone),
        interaction=Interaction(queue=queue),
    )
    digest = hashlib.sha256(repr(said).encode()).digest()
    return Answer(Address(TOPIC, partition, offset, at + timedelta(seconds=1)), said, digest, digest)
