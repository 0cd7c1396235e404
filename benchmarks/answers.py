"""Survey answers to measure with: CloudEvents of about 600 bytes, the same ones in every run."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

SEED = 20_261_123
BOTTOM_SHARE = 0.13
REPEAT_SHARE = 0.1
"""The share of answers that come from a customer who has answered before."""

ZONES = ("America/Los_Angeles", "America/New_York", "Europe/London", "Africa/Nairobi", "Asia/Kolkata", "Asia/Tokyo")
CHANNELS = ("voice", "chat", "email")
WORDS = ("the bill was", "wrong again", "nobody called", "me back", "about my line", "so I waited", "for weeks")


class Sent(Struct, frozen=True):
    key: bytes
    value: bytes
    is_bottom: bool


def survey_answers(count: int) -> list[Sent]:
    """`count` structured CloudEvents, keyed by customer; 13 % of them are bottom box."""
    dice = random.Random(SEED)
    end = datetime.now(UTC)
    customers: list[int] = []
    answers = []
    for number in range(count):
        is_repeat = bool(customers) and dice.random() < REPEAT_SHARE
        customers.append(dice.choice(customers) if is_repeat else number)
        rating = dice.choice((1, 2)) if dice.random() < BOTTOM_SHARE else dice.choice((3, 4, 5, 5))
        event = answer(f"e-{number}", rating, customers[-1], end - timedelta(seconds=count - number), dice)
        answers.append(Sent(f"c-{customers[-1]}".encode(), json.dumps(event).encode(), rating <= 2))
    return answers


def answer(event_id: str, rating: int, customer: int, at: datetime, dice: random.Random) -> dict[str, Any]:
    zone = ZONES[customer % len(ZONES)]
    return {
        "specversion": "1.0",
        "type": "survey.response.submitted.v1",
        "source": "/benchmarks",
        "id": event_id,
        "time": at.isoformat(),
        "data": {
            "survey": {"id": "post-contact", "question": "overall"},
            "rating": rating,
            "comment": " ".join(dice.choices(WORDS, k=dice.randint(4, 8))),
            "answered_at": at.isoformat(),
            "customer": {"id": f"c-{customer}", "name": "Vera Example", "time_zone": zone, "language": "en"},
            "interaction": {
                "id": f"i-{event_id}",
                "channel": dice.choice(CHANNELS),
                "queue": "billing",
                "agent": {"id": f"a-{dice.randrange(200)}", "team": "north"},
            },
        },
    }
