"""Makes up survey answers that look like those of a real contact centre, for as long as somebody listens.

The shares follow a real set of 17,182 answers of one shop's contact centre: 14 % bottom box, 1s far more often
than 2s, most customers content, a comment with half of the bad answers and a quarter of the others. Most come from
where it is day, so that at any hour some of these customers may be called and some have to wait for their morning.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from alerts.identity import record_key
from alerts.scale import FIVE_POINTS, Scale
from alerts.survey import EVENT_TYPE
from app.demo import voices
from app.demo.people import Person, people
from consumers.intake.cloudevents import CONTENT_TYPE

SOURCE = "/demo/surveys"

POINTS = {1: 1240, 2: 160, 3: 300, 4: 1300, 5: 7000}  # of 10,000 answers
SAY_SOMETHING = {"bottom": 0.5, "other": 0.25}
AGAIN = 0.12  # of bad answers come from somebody who was unhappy a moment ago
BY_DAY = 0.8  # of answers come from where it is day
DAY = range(9, 19)  # hours of the clock on the wall
BROKEN = 1 / 250

CHANNELS = {"voice": 62, "chat": 18, "email": 12, "app": 8}
TEAMS = {"north": 30, "south": 25, "evening": 20, "partner": 25}
AGENTS = 12  # a team
QUEUES = {
    "invoice": "billing",
    "refund": "billing",
    "delivery": "orders",
    "product": "orders",
    "outage": "technical",
    "contract": "sales",
}
REASONS = {
    "bottom": {"delivery": 30, "refund": 22, "outage": 16, "invoice": 14, "product": 10, "contract": 8},
    "other": {"delivery": 28, "invoice": 24, "contract": 16, "product": 14, "refund": 10, "outage": 8},
}
RECOMMEND = Scale(0, 10)
SCHOOL_MARKS = Scale(6, 1)  # the German way: 1 is best


class DemoAnswer(Struct, frozen=True, kw_only=True):
    """One CloudEvent in binary mode. `broken`: it cannot be read, on purpose; it ends among the dead letters."""

    value: bytes
    key: bytes
    headers: tuple[tuple[str, bytes], ...]
    broken: bool


def answers(clock: Callable[[], datetime], *, secret: bytes, seed: int = 1) -> Iterator[DemoAnswer]:
    """Without end. The same seed and clock give the same answers. `secret` keys the record keys."""
    dice = random.Random(seed)  # noqa: S311 - a story, no secret
    everybody = people(seed)
    unhappy: deque[Person] = deque(maxlen=40)
    number = 0
    while True:
        number += 1
        points = _pick(dice, POINTS)
        again = points <= 2 and unhappy and dice.random() < AGAIN
        now = clock()
        person = dice.choice(unhappy) if again else _somebody(dice, everybody, now)
        if points <= 2:
            unhappy.append(person)
        data = _data(dice, person, points, number, now)
        broken = dice.random() < BROKEN
        yield DemoAnswer(
            value=_spoilt(dice, data) if broken else msgspec.json.encode(data),
            key=record_key(person.handle, secret),
            headers=_headers(f"a-{seed}-{number:07}", now),
            broken=broken,
        )


def _somebody(dice: random.Random, everybody: Sequence[Person], now: datetime) -> Person:
    """Anybody, or in BY_DAY of the cases somebody where it is day; their towns are round the globe, so that is soon found."""
    person = dice.choice(everybody)
    if dice.random() < BY_DAY:
        while now.astimezone(ZoneInfo(person.zone)).hour not in DAY:
            person = dice.choice(everybody)
    return person


def _headers(event_id: str, now: datetime) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", EVENT_TYPE.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_id", event_id.encode()),
        ("ce_time", now.isoformat().encode()),
        (CONTENT_TYPE, b"application/json"),
    )


def _data(dice: random.Random, person: Person, points: int, number: int, now: datetime) -> dict[str, Any]:
    mood = "bottom" if points <= 2 else "other"
    reason = _pick(dice, REASONS[mood])
    survey, scale = _survey(dice, person)
    answered_at = now - timedelta(seconds=dice.uniform(2, 90))
    data: dict[str, Any] = {
        "survey": {"id": survey, "question": "overall"},
        "rating": _rating(dice, scale, points),
        "answered_at": answered_at.isoformat(timespec="milliseconds"),
        "customer": person.facts,
        "interaction": _interaction(dice, reason, number, answered_at),
        "attributes": {"city": person.city},
    }
    if scale != FIVE_POINTS:
        data["scale"] = {"worst": scale.worst, "best": scale.best}
    if dice.random() < SAY_SOMETHING[mood]:
        data["comment"] = _comment(dice, person.language, reason, points)
    return data


def _survey(dice: random.Random, person: Person) -> tuple[str, Scale]:
    luck = dice.random()
    if luck < 0.05:
        return "would-you-recommend", RECOMMEND
    if luck < 0.15 and person.country == "DE":
        return "schulnote", SCHOOL_MARKS
    return "post-contact", FIVE_POINTS


def _rating(dice: random.Random, scale: Scale, points: int) -> int:
    """A rating that comes to these points on this scale; the scales above reach all five."""
    lowest, highest = sorted((scale.worst, scale.best))
    return dice.choice([rating for rating in range(lowest, highest + 1) if scale.points(rating) == points])


def _interaction(dice: random.Random, reason: str, number: int, answered_at: datetime) -> dict[str, Any]:
    ended_at = answered_at - timedelta(minutes=dice.uniform(1, 20))
    started_at = ended_at - timedelta(minutes=dice.lognormvariate(1.8, 0.6))
    team = _pick(dice, TEAMS)
    return {
        "id": f"conv-{number:07}",
        "channel": _pick(dice, CHANNELS),
        "queue": QUEUES[reason],
        "reason": reason,
        "agent": {"id": f"{team}-{dice.randint(1, AGENTS):02}", "team": team},
        "started_at": started_at.isoformat(timespec="seconds"),
        "ended_at": ended_at.isoformat(timespec="seconds"),
    }


def _comment(dice: random.Random, language: str, reason: str, points: int) -> str:
    if points <= 3:
        return voices.complaint(dice, language, reason)
    return voices.praise(dice, language)


def _spoilt(dice: random.Random, data: dict[str, Any]) -> bytes:
    """The ways in which senders get it wrong."""
    whole = msgspec.json.encode(data)
    return dice.choice(
        (
            whole[: len(whole) // 2],
            msgspec.json.encode({**data, "rating": "three"}),
            msgspec.json.encode({**data, "rating": 99}),
            msgspec.json.encode({**data, "answered_at": data["answered_at"].split("+")[0]}),
            msgspec.json.encode({**data, "customer": {}, "interaction": {}}),
        )
    )


def _pick(dice: random.Random, weights: dict[Any, int]) -> Any:
    return dice.choices(list(weights), list(weights.values()))[0]
