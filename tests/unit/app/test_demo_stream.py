"""The demo's answers look like real ones, can be read, and leave somebody to call at every hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count, islice, repeat

import pytest

from alerts import arrival as arrival
from alerts.arrival import Arrival, DeadLettered
from alerts.calling_hours.window import may_call, place_of
from alerts.phones.phone import judge
from alerts.policy import shipped_policy
from alerts.scale import Box, box_of
from alerts.survey import Respondent, SurveyResponse
from app.demo.people import people
from app.demo.stream import DemoAnswer, answers
from consumers.intake.record import CLOUDEVENTS, Record, read_record
from consumers.sources.catalogue import Catalogue

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
MANY = 20_000


def make(number: int, seed: int = 1, at: datetime = NOW) -> list[DemoAnswer]:
    return list(islice(answers(lambda: at, secret=b"key", seed=seed), number))


def read(answer: DemoAnswer, offset: int, at: datetime = NOW) -> Arrival:
    timestamp = int(at.timestamp() * 1000)
    record = Record("survey.responses", 0, offset, timestamp, answer.key, answer.value, answer.headers)
    return read_record(record, Catalogue([]), at)


def unhappy(readings: Iterable[Arrival]) -> list[SurveyResponse]:
    read = (each.response for each in readings if isinstance(each, arrival.Answer))
    return [each for each in read if box_of(each.scale.points(each.rating)) is Box.BOTTOM]


@pytest.fixture(scope="module")
def sent() -> list[DemoAnswer]:
    return make(MANY)


@pytest.fixture(scope="module")
def readings(sent: list[DemoAnswer]) -> list[Arrival]:
    return [read(answer, offset) for offset, answer in enumerate(sent)]


@pytest.fixture(scope="module")
def responses(readings: list[Arrival]) -> list[SurveyResponse]:
    return [reading.response for reading in readings if isinstance(reading, arrival.Answer)]


@pytest.fixture(scope="module")
def bottom(readings: list[Arrival]) -> list[SurveyResponse]:
    return unhappy(readings)


def test_every_answer_can_be_read_but_those_that_are_spoilt_on_purpose(
    sent: list[DemoAnswer], readings: list[Arrival]
) -> None:
    refused = [isinstance(reading, DeadLettered) for reading in readings]
    assert refused == [answer.broken for answer in sent]
    assert 40 < sum(refused) < 160


def test_spoilt_answers_show_several_reasons(readings: list[Arrival]) -> None:
    assert len({reading.reason for reading in readings if isinstance(reading, DeadLettered)}) >= 4


def test_nothing_had_to_be_mended_on_the_way_in(responses: list[SurveyResponse]) -> None:
    assert {flag for response in responses for flag in response.flags} == set()
    assert {response.source for response in responses} == {CLOUDEVENTS}


def test_one_answer_in_seven_is_in_the_bottom_box_and_ones_outnumber_twos(
    responses: list[SurveyResponse], bottom: list[SurveyResponse]
) -> None:
    points = Counter(each.scale.points(each.rating) for each in bottom)
    assert 0.13 < len(bottom) / len(responses) < 0.15
    assert 6 < points[1] / points[2] < 10


def test_half_of_the_unhappy_say_why_in_five_languages(bottom: list[SurveyResponse]) -> None:
    said = [each for each in bottom if each.comment]
    assert 0.45 < len(said) / len(bottom) < 0.55
    assert {each.customer.language for each in said} == {"en", "de", "es", "fr", "pt"}
    assert len({each.comment for each in said}) > 250


def test_there_are_several_of_everything(responses: list[SurveyResponse]) -> None:
    assert len({each.interaction.channel for each in responses}) >= 4
    assert len({each.interaction.agent_team for each in responses}) >= 4
    assert len({each.interaction.agent_id for each in responses}) >= 40
    assert len({each.interaction.reason for each in responses}) >= 6
    assert len({each.customer.segment for each in responses}) >= 4
    assert len({each.customer.country for each in responses}) >= 10
    assert len({each.customer.since for each in responses}) > 100
    assert {(each.scale.worst, each.scale.best) for each in responses} == {(1, 5), (0, 10), (6, 1)}


def test_some_unhappy_customers_come_back_so_that_alerts_join(bottom: list[SurveyResponse]) -> None:
    ids = [each.customer.id for each in bottom[:200] if each.customer.id]
    assert 5 < len(ids) - len(set(ids)) < 60


def test_some_leave_only_a_number_and_some_only_an_e_mail(responses: list[SurveyResponse]) -> None:
    without_id = [each.customer for each in responses if each.customer.id is None]
    assert any(each.phone and not each.email for each in without_id)
    assert any(each.email and not each.phone for each in without_id)
    assert len(without_id) < 0.1 * len(responses)


def test_no_two_customers_share_a_number_and_every_number_may_be_dialled() -> None:
    numbers = [person.facts["phone"] for person in people(1) if "phone" in person.facts]
    assert len(numbers) == len(set(numbers)) > 2000
    assert {judge(number, None).status for number in numbers} == {"ok"}


@pytest.mark.parametrize("day", [datetime(2026, 1, 14, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)])
def test_at_every_hour_somebody_may_be_called_soon_and_somebody_has_to_wait(day: datetime) -> None:
    """Soon: among the first five unhappy, whom a demo of twelve seconds has met when half of its time is over."""
    policy = shipped_policy()

    def may_be_called(customer: Respondent, at: datetime) -> bool:
        return may_call(at, place_of(customer, judge(customer.phone, customer.country), "UTC"), policy) is not None

    some = callable_at_once = 0
    for half_hour in range(48):
        at = day + timedelta(minutes=30 * half_hour)
        callable_now = [
            may_be_called(each.customer, at) for each in unhappy(map(read, make(160, at=at), count(), repeat(at)))
        ]
        assert any(callable_now[:5]), f"{at:%H:%M}"
        some, callable_at_once = some + len(callable_now), callable_at_once + sum(callable_now)
    assert some / 2 < callable_at_once < some * 0.9


def test_the_same_seed_gives_the_same_answers_and_another_gives_others() -> None:
    assert make(200) == make(200)
    assert make(200) != make(200, seed=2)


def test_no_two_answers_have_the_same_id(sent: list[DemoAnswer]) -> None:
    assert len({dict(answer.headers)["ce_id"] for answer in sent}) == MANY
