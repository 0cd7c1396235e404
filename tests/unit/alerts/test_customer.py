"""What is known of a customer: by answers, by people, and by trying the number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.customer import Customer, correct, learn, with_number
from alerts.errors import Invalid
from alerts.survey import Respondent, SurveyResponse

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
NUMBER, ANOTHER = "+442079460067", "+442079460099"


def customer(**facts: Any) -> Customer:
    return Customer(**{"id": 7, "ref": "ref-7", "key": "id:cloudevents:c-7", **facts})


def said(at: datetime = NOW, *, flags: tuple[str, ...] = (), **facts: Any) -> SurveyResponse:
    return SurveyResponse(
        event_source="/s",
        event_id="e",
        source="cloudevents",
        response_id="r",
        rating=1,
        answered_at=at,
        revised_at=at,
        customer=Respondent(**facts),
        flags=flags,
    )


def test_an_answer_teaches_what_it_says_and_leaves_what_it_does_not() -> None:
    known = learn(customer(name="Ann", phone=NUMBER), said(phone=ANOTHER, language="fr"))
    assert (known.name, known.phone, known.language, known.facts_as_of) == ("Ann", ANOTHER, "fr", NOW)


def test_older_news_fills_gaps_and_overwrites_nothing() -> None:
    known = learn(customer(), said(phone=NUMBER))
    older = learn(known, said(NOW - timedelta(days=1), phone=ANOTHER, language="fr"))
    assert (older.phone, older.language, older.facts_as_of) == (NUMBER, "fr", NOW)


def test_a_persons_word_stands_also_when_it_is_that_there_is_none() -> None:
    known = correct(customer(phone=NUMBER, time_zone="Europe/London"), {"phone": None, "time_zone": "Asia/Tokyo"})
    later = learn(known, said(NOW + timedelta(days=1), phone=ANOTHER, time_zone="Europe/Berlin"))
    assert (later.phone, later.time_zone) == (None, "Asia/Tokyo")


def test_nothing_is_learned_of_somebody_who_was_erased() -> None:
    erased = customer(erased_at=NOW)
    assert learn(erased, said(phone=NUMBER)) is erased


def test_an_answer_that_says_nothing_new_leaves_the_record_as_it_is() -> None:
    known = learn(customer(), said(phone=NUMBER))
    assert learn(known, said(phone=NUMBER)) is known


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"phone": NUMBER}, "ok"),
        ({}, "none"),
        ({"phone": "+4490912345678"}, "bad"),  # premium rate
        ({"phone": NUMBER, "number_failed": True}, "bad"),
        ({"number_failed": True}, "bad"),
    ],
)
def test_the_state_of_a_number_is_worked_out_in_one_place(facts: dict[str, Any], status: str) -> None:
    assert customer(**facts).number_status == status


def test_a_number_that_nobody_could_read_is_bad_until_another_one_comes() -> None:
    unread = learn(customer(), said(flags=("bad_number",)))
    assert unread.number_status == "bad"
    assert correct(unread, {"language": "fr"}).number_status == "bad"
    assert learn(unread, said(phone=NUMBER)).number_status == "ok"


def test_a_number_that_failed_is_worth_a_try_again_only_when_it_is_another() -> None:
    failed = customer(phone=NUMBER, number_failed=True)
    assert learn(failed, said(phone=NUMBER)).number_status == "bad"
    assert learn(failed, said(phone=ANOTHER)).number_status == "ok"
    assert learn(failed, said(flags=("bad_number",))).number_status == "bad"


def test_the_number_an_advisor_found_is_kept_as_a_persons_word() -> None:
    found = with_number(customer(phone=NUMBER, number_failed=True, country="GB"), "020 7946 0099", "/number")
    assert (found.phone, found.number_status, found.corrected) == (ANOTHER, "ok", ("phone",))


@pytest.mark.parametrize("number", ["911", "+4490912345678", "no number"])
def test_what_cannot_be_dialled_is_refused_and_not_repeated(number: str) -> None:
    with pytest.raises(Invalid) as refused:
        correct(customer(), {"phone": number})
    assert refused.value.pointer == "/phone"
    assert number not in str(refused.value)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "localtime", "Factory"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(Invalid) as refused:
        correct(customer(), {"time_zone": zone})
    assert refused.value.pointer == "/time_zone"


def test_the_customers_own_zone_goes_before_the_numbers_and_that_before_the_queues() -> None:
    assert customer(time_zone="Asia/Tokyo", phone=NUMBER).place("UTC").zones == ("Asia/Tokyo",)
    assert customer(phone=NUMBER).place("UTC").zones == ("Europe/London",)
    nowhere = customer().place("Europe/Berlin")
    assert (nowhere.zones, nowhere.guessed) == (("Europe/Berlin",), True)


def test_the_version_changes_with_whatever_a_person_may_change() -> None:
    facts = ({"phone": NUMBER}, {"time_zone": "Asia/Tokyo"}, {"language": "fr"}, {"opted_out_at": NOW})
    assert len({customer().version, *(customer(**each).version for each in facts)}) == 5
