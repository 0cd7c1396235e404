"""Which members an answer lacked, and which could not be used: counted by paths of ours, never by what they said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.members import DROPPABLE, GROUPS, MEMBERS, Lack, absent_members, count_members, dropped_members
from alerts.survey import SurveyResponse
from consumers.intake.answer import read_response
from consumers.intake.cloudevents import CloudEvent
from tests.parts.answers import EVERY_MEMBER


def read(data: dict[str, Any]) -> SurveyResponse:
    return read_response(CloudEvent("/crm", "e-1", datetime(2026, 11, 22, 9, tzinfo=UTC), data), source="cloudevents")


def changed(path: str, value: Any) -> dict[str, Any]:
    """The whole answer with another value at a path; None leaves it out."""
    copy = {name: dict(part) if isinstance(part, dict) else part for name, part in EVERY_MEMBER.items()}
    copy["interaction"]["agent"] = dict(EVERY_MEMBER["interaction"]["agent"])
    *parents, last = path.split(".")
    place = copy
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copy


def absent(response: SurveyResponse) -> set[str]:
    bits = absent_members(response)
    return {path for bit, path in enumerate(MEMBERS) if bits >> bit & 1}


def test_a_whole_answer_lacks_nothing() -> None:
    assert absent(read(EVERY_MEMBER)) == set()
    assert dropped_members(read(EVERY_MEMBER).flags) == set()


@pytest.mark.parametrize("path", MEMBERS)
def test_a_member_that_is_not_there_is_missing_and_nothing_else_is(path: str) -> None:
    response = read(changed(path, None))
    assert absent(response) == {path}
    assert dropped_members(response.flags) == set()


@pytest.mark.parametrize("path", MEMBERS)
def test_a_member_that_cannot_be_used_is_dropped_and_not_missing(path: str) -> None:
    response = read(changed(path, [["what is this"]]))
    assert dropped_members(response.flags) == {path}
    assert absent(response) == set()


@pytest.mark.parametrize("path", [path for path in GROUPS if path not in ("time", "response_id")])
def test_a_group_that_is_none_is_dropped_and_what_lies_in_it_missing(path: str) -> None:
    response = read(changed(path, "what is this"))
    assert dropped_members(response.flags) == {path}
    assert absent(response) == {each for each in MEMBERS if each.startswith(f"{path}.")}


def test_an_empty_text_is_missing() -> None:
    assert absent(read(changed("customer.segment", ""))) == {"customer.segment"}


def test_every_member_fits_into_the_stored_bits() -> None:
    assert len(MEMBERS) < 32
    assert len(set(DROPPABLE)) == len(DROPPABLE)


def test_answers_of_one_source_are_counted_together_whatever_shape_they_have() -> None:
    phone = 1 << list(MEMBERS).index("customer.phone")
    counts = count_members(
        [
            Lack("typeform", phone, [], 3),
            Lack("typeform", 0, ["bad_number", "dropped:customer"], 2),
            Lack("typeform", 0, ["future_answer", "cut:comment"], 5),
            Lack("cloudevents", 0, [], 1),
        ]
    )
    found = {(each.source, each.field): (each.answers, each.missing, each.dropped) for each in counts}
    assert found["typeform", "customer.phone"] == (10, 3, 2)
    assert found["typeform", "customer"] == (10, 0, 2)
    assert found["typeform", "comment"] == (10, 0, 0)
    assert found["cloudevents", "customer.phone"] == (1, 0, 0)
    assert ("cloudevents", "customer") not in found
