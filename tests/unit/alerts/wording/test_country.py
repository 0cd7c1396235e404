"""A country is known however it is written, and never guessed."""

from __future__ import annotations

import pytest

from alerts.wording.country import country_code


@pytest.mark.parametrize("written", ["GB", "gb", " GBR ", "UK", "U.K.", "United Kingdom", "Scotland", "Reino Unido"])
def test_the_united_kingdom_has_many_spellings(written: str) -> None:
    assert country_code(written) == "GB"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("EL", "GR"),
        ("GRC", "GR"),
        ("DEU", "DE"),
        ("Deutschland", "DE"),
        ("ドイツ", "DE"),
        ("España", "ES"),
        ("espana", "ES"),
        ("USA", "US"),
        ("United States of America", "US"),
        ("AND", "AD"),
        ("ROU", "RO"),
        ("Côte d'Ivoire", "CI"),
        ("Puerto Rico", "PR"),
    ],
)
def test_codes_of_two_and_three_letters_and_names_are_read(written: str, code: str) -> None:
    assert country_code(written) == code


@pytest.mark.parametrize("written", ["", " ", "ZZ", "XXX", "AN", "Europe", "Atlantis", "G8", "x" * 10_000, "\0", "-"])
def test_what_names_no_country_is_none(written: str) -> None:
    assert country_code(written) is None
