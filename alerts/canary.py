"""The canary: an answer of our own, sent now and then to see that the way from Kafka to the phone is open.

It says 5 of 5, so that one whose mark nobody knows any more opens nothing; the policy here calls that a bad answer.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from msgspec import structs

from alerts.arrival import Answer
from alerts.consistency import CANARY_QUEUE
from alerts.policy import LEGAL_FROM_MINUTE, LEGAL_UNTIL_MINUTE, BoxThresholds, Calling, Policy, Routing, Slot
from alerts.survey import Respondent

MARK_HEADER = "bottombox-canary"
SURVEY = "bottombox-canary"
POLICY = Policy(
    name="canary",
    surveys=(BoxThresholds(survey=SURVEY, bottom_at_most=5),),
    routing=Routing(default=CANARY_QUEUE),
    calling=Calling(window=Slot(start=LEGAL_FROM_MINUTE, end=LEGAL_UNTIL_MINUTE)),
)
"""What an installation has decided is not asked: a canary that its rules hold back would cry wolf."""

EAST, WEST = "Asia/Tokyo", "America/Sao_Paulo"
"""Twelve hours apart: at any time one of them may be phoned between 08:00 and 21:00, by half an hour at least."""


def sign(key: bytes, value: bytes) -> bytes:
    """The mark of a record's value: HMAC-SHA-256, in hexadecimal digits."""
    return hmac.digest(key, value, "sha256").hex().encode()


def is_genuine(key: bytes, value: bytes, mark: bytes) -> bool:
    return hmac.compare_digest(sign(key, value), mark)


def awake(answer: Answer, now: datetime) -> Answer:
    """The canary's answer as of somebody who may be phoned now."""
    is_day_in_the_west = 11 <= (now - timedelta(minutes=30)).hour < 23
    who = Respondent(id=answer.response.customer.id, time_zone=WEST if is_day_in_the_west else EAST)
    return structs.replace(answer, response=structs.replace(answer.response, customer=who))
