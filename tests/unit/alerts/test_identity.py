"""All of one customer's answers meet on one handle, and two customers never do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from alerts.identity import Handle, clean_email, clean_identity, handle_of, handles_of, record_key
from alerts.survey import Interaction, Respondent, SurveyResponse

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
RESPONSE = SurveyResponse(
    event_source="/crm",
    event_id="e-1",
    source="crm",
    response_id="r-1",
    rating=1,
    answered_at=AT,
    revised_at=AT,
    customer=Respondent(id="c-17", phone="+442071838750", email=" Ann@Example.org "),
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
    blank = replace(RESPONSE, customer=Respondent(id="  ", phone="", email=" "), interaction=Interaction(id="\t"))
    assert handle_of(blank) is None


def test_an_email_that_is_none_does_not_make_one_customer_of_many() -> None:
    for text in ("n/a", "none", "@", "@@", "ann@", "@example.org"):
        response = replace(RESPONSE, customer=Respondent(email=text))
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


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NOBODY = (
    *words(
        "undefined null none nil n/a N/A unknown anonymous test 0 - NULL NaN (null) <null> [null] {null} \"null\" 'none'"
    ),
    *words(
        "<nil> not-set not_set NOT.SET string guest deleted [REDACTED] 000 -1 0.0 -- ... ??? {} [] #N/A #REF! #NULL!"
    ),
    *words("{{customer_id}} {{contact.id}} ${id} ${e://Field/ExternalReference} %CUSTOMER_ID% %%subscriberkey%% #{id}"),
    *words("<%=recipient.id%> {%cf_1%} *|EMAIL|* [[id]] {!Contact.Id} ##ID## $customer_id $(id) __ID__ {customer_id}"),
    *words(
        "<customer_id> [contact_id] {TOKEN:ATTRIBUTE_1} c-{{id}} user_${id} ((fullname)) %{id} customer_id userId id"
    ),
    *words("00000000-0000-0000-0000-000000000000 {00000000-0000-0000-0000-000000000000} xxxx unbekannt inconnu"),
    *words("unset user customer contact asdf qwerty nieznany невідомо 不明 匿名 なし 없음 مجهول лицо-{{id}}"),
    *words("ffffffff-ffff-ffff-ffff-ffffffffffff urn:uuid:00000000-0000-0000-0000-000000000000 desconocido"),
    *(
        "[object Object]",
        "[object Undefined]",
        "not set",
        "<no value>",
        "%!s(<nil>)",
        "undefined undefined",
        "",
        "N/A N/A",
        "No data",
        "\\N",
        "$null$",
        "\ufffd\ufffd",
        "%7B%7Bcustomer.id%7D%7D",
        "00000000-0000-4000-8000-000000000000",
        "+266696687",
        "Private number",
        "Restricted",
        "No Caller ID",
        "noreply@acme.com",
        "null@null",
        "Walk-in customer",
        " \t\u200b",
    ),
)
SOMEBODY = (
    *words("c-17 17 007 A0 testa null-1 unknown42 3f2504e0-4f89-11d3-9a0c-0305e82c3301 <CAF=17@mail.example.org> 0x1f"),
    *words(
        "{3F2504E0-4F89-11D3-9A0C-0305E82C3301} $RCAnonymousID:87c6 _ann_ 100% nan-cy Zoë 客户 клиент-5 contact_17 -12"
    ),
    *words("[17] 🦊 a@b"),
)


@pytest.mark.parametrize("text", NOBODY)
def test_what_is_no_identity_is_none(text: str) -> None:
    assert clean_identity(text) is None
    assert clean_identity(f" {text.upper()}\u200b") is None
    assert handle_of(replace(RESPONSE, customer=Respondent(id=text))) == Handle("interaction", "crm", "conv-9")


@pytest.mark.parametrize("text", SOMEBODY)
def test_what_is_an_identity_stays_as_it_is(text: str) -> None:
    assert clean_identity(text) == text


@pytest.mark.parametrize(
    "text",
    ["c-17 ", " c-17", "c-17\u00a0", "c-17\u200b", "\ufeffc-17", "c\u00ad-17", "\u202ac-17\u202c", "c-17\x00\r\n"],
)
def test_blanks_around_and_marks_that_nobody_sees_make_no_other_customer(text: str) -> None:
    assert handle_of(replace(RESPONSE, customer=Respondent(id=text))) == Handle("id", "crm", "c-17")


def test_one_id_spelt_in_two_ways_of_unicode_is_one_customer() -> None:
    assert clean_identity("Zoe\u0308") == clean_identity("Zo\u00eb")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("Ann Example <ann@example.org>", "ann@example.org"),
        ("mailto:ann@example.org", "ann@example.org"),
        ("ann@example.org.", "ann@example.org"),
        ("\u200bann@example.org\u00a0", "ann@example.org"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"),
        ("o'neill+shop@example.org", "o'neill+shop@example.org"),
        ("test@acme.com", "test@acme.com"),
        ("ann@test.com", "ann@test.com"),
        ("ann@localhost", "ann@localhost"),
        ("mailto:ann@example.org?subject=Complaint", "ann@example.org"),
        ("SMTP:ann@example.org", "ann@example.org"),
        ("ann@example.org (Ann Example)", "ann@example.org"),
        ("ann@example.org;", "ann@example.org"),
        ("<ann@example.org>,", "ann@example.org"),
        ("=ann@example.org", "ann@example.org"),
        ("ann\uff20example.org", "ann@example.org"),
        ("smith@smith.com", "smith@smith.com"),
    ],
)
def test_an_email_is_read_however_it_is_written(text: str, expected: str) -> None:
    assert clean_email(text) == expected
    assert clean_email(expected) == expected


NO_MAILBOX = (
    *words(
        "n/a none@ @none null@example.org undefined@undefined unknown@acme.com n/a@n/a noreply@acme.com a@b@c {{email}}"
    ),
    *words("no-reply@acme.com Do.Not.Reply@acme.com test@test.com test@example.com email@email.com 0@0.com *|EMAIL|*"),
    *words("${email}@example.org ann@example.org,bob@example.org a@a.com abc@abc.com 123@123.com 12345@12345.com"),
    *words("guest@acme.com asdf@asdf.com user@user.com"),
    *("ann@example.org; bob@example.org", "ann example.org", "ann @example.org"),
)


@pytest.mark.parametrize("text", NO_MAILBOX)
def test_what_is_no_ones_mailbox_is_none(text: str) -> None:
    assert clean_email(text) is None


@pytest.mark.parametrize("phone", ["+266696687", "+7378742833", "+10000000000", "+33666666666", "+4420794609", "112"])
def test_withheld_callers_are_not_one_customer(phone: str) -> None:
    by_phone = replace(RESPONSE, customer=Respondent(phone=phone, country="GB"))
    assert [handle.kind for handle in handles_of(by_phone)] == ["interaction"]
    nothing_else = replace(RESPONSE, customer=Respondent(phone=phone), interaction=Interaction())
    assert handle_of(nothing_else) is None


def test_an_extension_is_part_of_who_it_is() -> None:
    one, other = (replace(RESPONSE, customer=Respondent(phone=f"+1 (212) 555-0123 x{ext}")) for ext in (45, 46))
    assert handle_of(one) == Handle("phone", "", "+12125550123;ext=45")
    assert handle_of(one) != handle_of(other)


def test_a_number_that_comes_in_as_it_was_written_is_the_same_customer() -> None:
    written = replace(RESPONSE, customer=Respondent(phone="\u202a020 7183 8750\u202c", country="GB"))
    assert handle_of(written) == Handle("phone", "", "+442071838750")
