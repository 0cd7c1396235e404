"""A rule that does nothing is named, with what is the matter and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from alerts.arrival import Address, Answer
from alerts.conditions import When, is_narrower
from alerts.customer import Customer
from alerts.document import written_line
from alerts.learning.lint import LEAST, Linter
from alerts.learning.simulation import StoredAnswer
from alerts.policy import read_policy
from alerts.survey import Interaction, Respondent, SurveyResponse

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULES = """
scoring:
  reasons:
    - {name: gold, when: {segments: [gold]}}
    - {name: never, when: {countries: [FR]}}
    - {name: always, when: {channels: [voice]}}
    - {name: again, when: {bottom_box_within_days: 5}}
routing:
  routes:
    - {when: {segments: [gold, silver]}, queue: precious}
    - {when: {segments: [GOLD], channels: [voice]}, queue: never-there}
    - {when: {teams: [north]}, queue: overtaken}
    - {when: {contact_reasons: [invoice]}, queue: billing}
"""


def answered(number: int, *, rating: int = 1, **facts: Any) -> StoredAnswer:
    at = NOON + timedelta(hours=number)
    segment = facts.get("segment", "basic")
    response = SurveyResponse(
        event_source="/s",
        event_id=str(number),
        source="cloudevents",
        response_id=str(number),
        rating=rating,
        answered_at=at,
        revised_at=at,
        customer=Respondent(segment=segment),
        interaction=Interaction(channel="voice", reason=facts.get("reason"), agent_team=facts.get("team")),
    )
    customer = Customer(id=number % 15, ref="r", key="k", segment=segment, time_zone="Europe/London")
    return StoredAnswer(Answer(Address("t", 0, number, at), response, b"", b""), customer, at)


def linted(answers: int) -> dict[str, str]:
    linter = Linter(read_policy(RULES, file="policy.yaml"))
    for number in range(answers):
        gold = number % 2 == 0
        linter.take(
            answered(number, segment="gold" if gold else "basic", team="north" if gold else None, reason="invoice")
        )
    linter.take(answered(answers, rating=5))
    assert linter.answers == answers
    return {each.path: each.problem for each in linter.idle()}


def test_idle_rules_are_named_and_busy_ones_are_not() -> None:
    found = linted(2 * LEAST)
    assert found == {
        "scoring.reasons.1 (never)": "matched nothing",
        "scoring.reasons.2 (always)": "matches everything, so it tells nothing apart",
        "routing.routes.1 (never-there)": "can never be reached: routing.routes.0 (precious) takes all that it fits",
        "routing.routes.2 (overtaken)": "was never reached: routes before it took all that it fits",
        "routing.routes.3 (billing)": "matches everything, so it tells nothing apart",
    }


def test_of_few_answers_only_what_is_written_is_said() -> None:
    assert list(linted(LEAST - 1)) == ["routing.routes.1 (never-there)"]


@pytest.mark.parametrize(
    ("one", "other", "is_so"),
    [
        (When(segments=("Gold",)), When(segments=("gold", "silver")), True),
        (When(segments=("gold", "basic")), When(segments=("gold",)), False),
        (When(segments=("gold",), channels=("voice",)), When(segments=("gold",)), True),
        (When(segments=("gold",)), When(segments=("gold",), channels=("voice",)), False),
        (When(value_at_least=50.0), When(value_at_least=20.0), True),
        (When(value_at_least=10.0), When(value_at_least=20.0), False),
        (When(bottom_box_within_days=3), When(bottom_box_within_days=7), True),
        (When(bottom_box_within_days=9), When(bottom_box_within_days=7), False),
        (When(attribute={"a": 1, "b": 2}), When(attribute={"a": 1}), True),
        (When(attribute={"a": 1}), When(attribute={"a": 2}), False),
        (When(comment_mentions=("call me",)), When(comment_mentions=("call me", "ring me")), True),
        (When(comment_mentions=("call me",)), When(comment_mentions=("call me",), comment_unless=("never",)), False),
    ],
)
def test_one_condition_is_narrower_than_another_or_not(one: When, other: When, is_so: bool) -> None:
    assert is_narrower(one, other) is is_so


EVERY_PART = """
oldest_answer_hours: 1
surveys:
  - {survey: nps, bottom_at_most: 6}
order:
  lift_minutes: {rated_1: 5, rated_2: 5}
calling:
  countries: {FR: {holidays: true}, DE: {holidays: true}}
routing: {routes: [{when: {segments: [gold]}, queue: gold}]}
targets:
  overrides:
    - {priority: 5, contact_hours: 9}
    - {contact_hours: 8}
    - {queue: gold, contact_hours: 4}
    - {queue: gold, contact_hours: 4, resolution_hours: 9}
"""


def test_every_part_with_a_condition_is_asked_and_its_line_is_known() -> None:
    linter = Linter(read_policy(EVERY_PART, file="policy.yaml"))
    for number in range(LEAST):
        stored = answered(number)
        customer = structs.replace(stored.customer, country="DE")
        linter.take(structs.replace(stored, customer=customer, received_at=NOON + timedelta(days=30)))
    found = {each.path: (written_line(EVERY_PART, each.place), each.problem) for each in linter.idle()}
    shipped = {path for path, (line, _) in found.items() if line is None}
    assert all(path.startswith("scoring.reasons.") for path in shipped), "they stand in the shipped policy"
    assert {path: told for path, told in found.items() if path not in shipped} == {
        "surveys.0 (nps)": (4, "matched nothing"),
        "oldest_answer_hours": (2, "keeps everybody from being called"),
        "routing.routes.0 (gold)": (9, "matched nothing"),
        "order.lift_minutes.rated_1": (6, "matches everything, so it tells nothing apart"),
        "order.lift_minutes.rated_2": (6, "matched nothing"),
        "calling.countries.FR": (8, "matched nothing"),
        "targets.overrides.0 (5)": (12, "matched nothing"),
        "targets.overrides.1 (all)": (13, "matches everything, so it tells nothing apart"),
        "targets.overrides.2 (gold)": (14, "can never be reached: targets.overrides.1 (all) decides all that it names"),
        "targets.overrides.3 (gold)": (15, "matched nothing"),
    }
