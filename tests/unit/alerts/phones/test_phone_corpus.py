"""One person has one number: every country's own examples, in every way in which people and programs write them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import phonenumbers
import pytest
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from alerts.calling_hours.window import needs_zone, place_of, shared_hours
from alerts.phones.phone import judge, normalise
from alerts.policy import shipped_policy
from alerts.survey import Respondent
from tests.parts.effort import EFFORT, FULL

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TRIED = REGIONS[:: 4 if EFFORT < FULL else 1]
EXTENSIONS = (
    " x45",
    " ext. 45",
    " extension 45",
    " #45",
    ";ext=45",
    ",45",
    ",,45#",
    " доб. 45",
    " Durchwahl 45",
    " int 45",
)
FULL_WIDTH = str.maketrans("0123456789+", "０１２３４５６７８９＋")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
INVISIBLE = [
    "\u200e",
    "\u202a",
    "\u202c",
    "\u2066",
    "\u2069",
    "\u200b",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\xad",
    "\u061c",
    "️",
]
DASHES = ["‐", "‑", "‒", "–", "—", "―", "−", "－", "﹣", "֊"]
BLANKS = ["\xa0", "\u2007", "\u2009", "\u202f", "\u3000"]
ONLY_AT_HOME = {"+13101234", "+989601"}  # company numbers without an area code: from here, nobody's


def e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def examples(region: str) -> dict[str, PhoneNumber]:
    """A region's own example of every type, by its E.164."""
    of_types = (phonenumbers.example_number_for_type(region, kind) for kind in PhoneNumberType.values())
    return {e164(number): number for number in of_types if number and e164(number) not in ONLY_AT_HOME}


def written(number: PhoneNumber, region: str) -> Iterator[tuple[str, str | None]]:
    """Ways to write one number, each with the country in which it is read; None for those that need none."""
    code, national = str(number.country_code), phonenumbers.national_significant_number(number)
    kept, shown = e164(number), phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    at_home = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    yield from ((kept, None), (shown, None), (at_home, region), (f"00{code} {national}", None))
    yield from ((phonenumbers.format_number(number, PhoneNumberFormat.RFC3966), None), (f"tel:{kept}", None))
    yield from ((shown.replace(" ", mark).replace("-", mark), None) for mark in (".", "/", "-", *DASHES, *BLANKS))
    yield from ((f"{mark}{shown.replace(' ', f' {mark}')}{mark}", None) for mark in INVISIBLE)
    yield from ((shown.translate(digits), None) for digits in (FULL_WIDTH, ARABIC, PERSIAN))
    yield from ((at_home.translate(digits), region) for digits in (FULL_WIDTH, ARABIC, PERSIAN))
    yield from ((f"(+{code}) {national}", None), (f"+{code} ({national[:2]}) {national[2:]}", None))
    trunk = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True)
    if trunk:
        yield from ((f"+{code} ({trunk}){national}", None), (f"+{code} {trunk} {national}", None))
        yield f"00{code}{trunk}{national}", None


def test_one_person_has_one_number_however_it_is_written() -> None:
    read, regions = 0, set()
    for region in TRIED:
        for kept, number in examples(region).items():
            for text, country in written(number, region):
                assert normalise(text, country) == kept, (region, text, country)
                read += 1
            regions.add(region)
    assert len(regions) >= 40
    assert read > 50 * 200


def test_an_extension_belongs_to_the_number_however_it_is_written() -> None:
    for region in TRIED:
        for kept, number in examples(region).items():
            shown = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
            for text in EXTENSIONS:
                assert normalise(shown + text, None) == f"{kept};ext=45", (region, text)


@pytest.mark.parametrize("month", [1, 3, 7, 11])
def test_whoever_may_be_dialled_may_be_dialled_on_thirty_hours_a_week_or_a_flag_says_why_not(month: int) -> None:
    policy, at = shipped_policy(), datetime(2026, month, 25, tzinfo=UTC)
    for region in REGIONS:
        for kept in examples(region):
            assert normalise(kept, None) == kept
            number = judge(kept, None)
            if number.status == "bad":
                continue
            place = place_of(Respondent(), number, "Europe/Berlin")
            assert place.zones
            few = shared_hours(place, policy, at) < 30
            assert not few or place.guessed or needs_zone(place, policy, at), (region, kept)
