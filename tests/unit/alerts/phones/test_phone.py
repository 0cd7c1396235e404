"""Phone numbers: read, judged, masked."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.phones.phone import BAD_NUMBER, NO_NUMBER, extension_of, judge, mask, normalise, to_dial, to_show
from tests.parts.effort import EFFORT


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("+442079460967", None, "+442079460967"),
        (" +44 20-7946.0967 ", None, "+442079460967"),
        ("+44 (20) 7946 0967", None, "+442079460967"),
        ("+44 (0)20 7946 0967", None, "+442079460967"),
        ("+390612345678", None, "+390612345678"),  # an Italian zero is part of the number
        ("020 7946 0967", "GB", "+442079460967"),
        ("020 7946 0967", "gb", "+442079460967"),
        ("0044 20 7946 0967", "GB", "+442079460967"),
        ("tel:+44-20-7946-0967", None, "+442079460967"),
        ("020 7946 0967 ext 12", "GB", "+442079460967;ext=12"),
        ("＋４４２０７９４６０９６７", None, "+442079460967"),
        ("٠٢٠٧٩٤٦٠٩٦٧", "GB", "+442079460967"),
        # trunk digits that people leave behind the country code, and digits that only look like them
        ("+370 8 612 34567", None, "+37061234567"),
        ("8 612 34567", "LT", "+37061234567"),
        ("+7 8 916 123-45-67", None, "+79161234567"),
        ("+7 800 555 35 35", None, "+78005553535"),
        ("+375 80 011 11 11", None, "+375800111111"),
        ("+1 1 212 555 0123", None, "+12125550123"),
        ("+54 11 15 2345-6789", None, "+5491123456789"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("+55 0 11 98765-4321", None, "+5511987654321"),
        # prefixes for abroad, with and without a plus
        ("0044 20 7946 0967", None, "+442079460967"),
        ("0044 20 7946 0967", "US", "+442079460967"),
        ("011 44 20 7946 0967", "US", "+442079460967"),
        ("+0044 20 7946 0967", None, "+442079460967"),
        ("00+44 20 7946 0967", None, "+442079460967"),
        ("(+44) 20 7946 0967", None, "+442079460967"),
        ("447946096712", "GB", "+447946096712"),
        ("+020 7946 0967", "GB", "+442079460967"),
        # the schemes and parameters of RFC 3966, and what platforms make of them
        ("tel:+1-212-555-0123;ext=45", None, "+12125550123;ext=45"),
        ("tel:7946-0967;phone-context=+44-20", None, "+442079460967"),
        ("tel:+44%2020%207946%200967;isub=1", None, "+442079460967"),
        ("sip:+12125550123@example.com;user=phone", None, "+12125550123"),
        ("whatsapp:+14155238886", None, "+14155238886"),
        ("Tel.: +44 20 7946 0967 (home)", None, "+442079460967"),
        # what messengers, links, pages and address books make of one
        ("442079460967@s.whatsapp.net", None, "+442079460967"),
        ("447400123456:12@s.whatsapp.net", None, "+447400123456"),
        ("447400123456@c.us", None, "+447400123456"),
        ("%2B442079460967", None, "+442079460967"),
        ("+44%2020%207946%200967", None, "+442079460967"),
        ("&#43;442079460967", None, "+442079460967"),
        ("Home: +44 20 7946 0967", None, "+442079460967"),
        ("тел. +7 916 123-45-67", None, "+79161234567"),
        ("+44 20 7946 0967#", None, "+442079460967"),
        ("tel:+442079460967;ext=", None, "+442079460967"),
        # digits too few or too many before them
        ("+8 916 123-45-67", "RU", "+79161234567"),
        ("+39 2 1234 5678", None, "+390212345678"),
        # what a spreadsheet leaves behind
        ("442079460967.0", "GB", "+442079460967"),
        ("'+442079460967", None, "+442079460967"),
    ],
)
def test_a_number_is_read_however_it_is_written(raw: str, country: str | None, expected: str) -> None:
    assert normalise(raw, country) == expected


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("", None),
        ("   ", "GB"),
        ("+", None),
        ("n/a", "GB"),
        ("020 7946 0967", None),  # no country to read it in
        ("020 7946 0967", "XX"),
        ("112", "GB"),  # an emergency number must not become +44112
        ("911", "US"),
        ("253-0000", "US"),  # without its area code it would be somebody else's as well
        ("1234567890123", "GB"),
        ("+210 123 4567", None),  # a country code nobody has
        ("+8 916 123-45-67", "GB"),
        ("120363025246125486@g.us", None),  # a messenger's group
        ("442079460967@example.org", None),
        ("+0123456789", None),
        ("+1234567890123456", None),
        ("order 2079460967", "GB"),
        ("020 7946 0967 / 020 7946 0968", "GB"),  # two numbers are none
        ("+266696687", None),  # what a withheld caller is shown as: "anonymous" on a keypad
        ("+7378742833", None),  # "restricted"
        ("+44\x002079460967", None),
        ("9" * 10_000, "GB"),
        ("\ud800", "GB"),
    ],
)
def test_what_is_no_number_is_none(raw: str, country: str | None) -> None:
    assert normalise(raw, country) is None


@settings(max_examples=150 * EFFORT, deadline=None)
@given(
    st.text(max_size=80) | st.text("+0123456789 ()-.x", max_size=30),
    st.sampled_from([None, "GB", "US", "XX", "", "é"]),
)
@example("+" + "٣" * 12, None)
@example("+0000000", "GB")
@example("+7 8 8 8 8 8 8 8", None)
def test_no_text_whatever_raises_and_reading_twice_changes_nothing(raw: str, country: str | None) -> None:
    number = normalise(raw, country)
    judge(raw, country)
    mask(raw)
    if number is not None:
        assert normalise(number, None) == number


def test_a_plain_number_rings_in_its_own_zone_and_country() -> None:
    number = judge("+442079460967", None)
    assert (number.status, number.zones, number.country) == ("ok", ("Europe/London",), "GB")


@pytest.mark.parametrize("phone", [None, "", "  "])
def test_no_number_is_said_to_be_none(phone: str | None) -> None:
    assert judge(phone, "GB") == NO_NUMBER


@pytest.mark.parametrize(
    "phone",
    [
        "+449098790123",  # premium rate, United Kingdom
        "+19005551234",  # premium rate, North America
        "+979123456789",  # premium rate, world-wide
        "+80812345678",  # shared cost
        "+881612345678",  # satellite
        "+870773123456",  # satellite, ships
        "+44112",
        "+1911",
        "+61000",
        "+999123456789",
        "+4420794609",
        "+12425551234",  # possible, but no such range
        "+10000000000",  # a withheld caller
        "+33666666666",  # one key held down
        "abc",
        "9" * 10_000,
    ],
)
def test_what_must_not_be_dialled_is_bad(phone: str) -> None:
    assert judge(phone, "GB") == BAD_NUMBER


@pytest.mark.parametrize(
    ("phone", "zones"),
    [("+18005551234", 42), ("+80012345678", 0), ("+443301234567", 4), ("+79161234567", 16)],
)
def test_toll_free_company_and_many_zone_numbers_may_be_dialled(phone: str, zones: int) -> None:
    number = judge(phone, None)
    assert number.status == "ok"
    assert len(number.zones) == zones
    assert "Etc/Unknown" not in number.zones


def test_a_number_of_many_countries_has_no_country() -> None:
    assert judge("+18005551234", None).country is None


def test_a_number_is_shown_by_its_country_code_and_last_two_digits() -> None:
    assert mask("+442079460967") == "+44******67"
    assert mask("+12125550123") == "+1******23"
    assert mask("+251911234567") == "+251******67"


def test_an_extension_is_kept_shown_and_dialled_after_the_number() -> None:
    kept = "+12125550123;ext=45"
    assert normalise(kept, None) == kept
    assert judge(kept, None) == judge("+12125550123", None)
    assert (to_dial(kept), extension_of(kept), to_show(kept)) == ("+12125550123", "45", "+12125550123 ext. 45")
    assert mask(kept) == "+1******23 ext. **"
    assert (to_dial("+12125550123"), extension_of("+12125550123"), to_show("+12125550123")) == (
        "+12125550123",
        None,
        "+12125550123",
    )


def test_two_extensions_of_one_switchboard_are_two_people() -> None:
    assert normalise("+1 (212) 555-0123 x45", None) != normalise("+1 (212) 555-0123 x46", None)


def test_what_is_no_number_is_shown_by_stars_alone() -> None:
    assert mask("my number is 12345") == "******"


@pytest.mark.parametrize(
    ("raw", "country"), [("+55 11 8765-4321", None), ("(11) 8765-4321", "BR"), ("+5511987654321", None)]
)
def test_a_brazilian_mobile_from_before_its_ninth_digit_is_the_same_number(raw: str, country: str | None) -> None:
    """devlikeapro/waha #1261, fazer-ai/chatwoot #319."""
    assert normalise(raw, country) == "+5511987654321"


def test_a_brazilian_landline_gets_no_ninth_digit() -> None:
    assert normalise("+55 11 3876-5432", None) == "+551138765432"
