"""Answers as the consumer hands them to the ledger, for stories that begin behind Kafka."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from alerts.arrival import Address, Answer
from alerts.survey import Interaction, Respondent, SurveyResponse

SOURCE = "cloudevents"
TOPIC = "surveys"


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
