"""All of one customer's answers meet on one handle, and two customers never do."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from alerts.identity import Handle, handle_of, handles_of, record_key
from alerts.survey import Customer, Interaction, SurveyResponse

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
RESPONSE = SurveyResponse(
    event_source="/crm",
    event_id="e-1",
    source="crm",
    response_id="r-1",
    rating=1,
    answered_at=AT,
    revised_at=AT,
    customer=Customer(id="c-17", phone="+442071838750", email=" Ann@Example.org "),
    interaction=Interaction(id="conv-9"),
)


def without(*names: str) -> SurveyResponse:
    return replace(RESPONSE, customer=replace(RESPONSE.customer, **dict.fromkeys(names)))


def test_the_first_present_handle_decides() -> None:
    assert handle_of(RESPONSE) == Handle("id", "crm", "c-17")
    assert handle_of(without("id")) == Handle("phone", "", "+442071838750")
    assert handle_of(without("id", "phone")) == Handle("email", "", "ann@example.org")
    assert handle_of(without("id", "phone", "email")) == Handle("interaction", "crm", "conv-9")
    assert handle_of(replace(without("id", "phone", "email"), interaction=Interaction())) is None


def test_all_handles_come_in_the_order_in_which_they_decide() -> None:
    assert [handle.kind for handle in handles_of(RESPONSE)] == ["id", "phone", "email", "interaction"]


def test_an_id_means_another_customer_in_another_source_unless_ids_are_shared() -> None:
    other = replace(RESPONSE, source="shop")
    assert handle_of(other) != handle_of(RESPONSE)
    shared = frozenset({"crm", "shop"})
    assert handle_of(other, shared_sources=shared) == handle_of(RESPONSE, shared_sources=shared)
    assert handle_of(other, shared_sources=frozenset({"crm"})) == Handle("id", "shop", "c-17")


def test_a_phone_number_and_an_email_mean_the_same_customer_everywhere() -> None:
    for given in (without("id"), without("id", "phone")):
        assert handle_of(replace(given, source="shop")) == handle_of(given)


def test_an_interaction_is_known_within_its_source_only_even_when_ids_are_shared() -> None:
    bare = without("id", "phone", "email")
    assert handle_of(bare, shared_sources=frozenset({"crm"})) == Handle("interaction", "crm", "conv-9")


def test_a_blank_handle_counts_as_absent() -> None:
    blank = replace(RESPONSE, customer=Customer(id="  ", phone="", email=" "), interaction=Interaction(id="\t"))
    assert handle_of(blank) is None


def test_an_email_that_is_none_does_not_make_one_customer_of_many() -> None:
    for text in ("n/a", "none", "@", "@@", "ann@", "@example.org"):
        response = replace(RESPONSE, customer=Customer(email=text))
        assert handle_of(response) == Handle("interaction", "crm", "conv-9")


def test_no_two_handles_have_the_same_key() -> None:
    handles = [
        Handle("id", "crm", "7"),
        Handle("id", "", "crm:7"),
        Handle("interaction", "crm", "7"),
        Handle("phone", "", "7"),
        Handle("email", "", "7"),
    ]
    assert len({handle.key for handle in handles}) == len(handles)


def test_a_record_key_gives_no_one_away_and_depends_on_the_secret() -> None:
    handle = Handle("phone", "", "+442071838750")
    key = record_key(handle, b"one secret")
    assert len(key) == 64
    assert b"207" not in key or b"442071838750" not in key
    assert key == record_key(handle, b"one secret")
    assert key != record_key(handle, b"another secret")
    assert key != record_key(Handle("email", "", "+442071838750"), b"one secret")
