"""A country is known however it is written, and never guessed."""

from __future__ import annotations

from importlib import resources

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
        ("The Netherlands", "NL"),
        ("Korea, Republic of", "KR"),
        ("Korea (South)", "KR"),
        ("Democratic People's Republic of Korea", "KP"),
        ("Congo, Democratic Republic of the", "CD"),
        ("Russian Federation", "RU"),
        ("Iran, Islamic Republic of", "IR"),
        ("Bolivia (Plurinational State of)", "BO"),
        ("Federal Republic of Germany", "DE"),
        ("Bahamas, The", "BS"),
        ("St. Lucia", "LC"),
        ("Trinidad & Tobago", "TT"),
        ("Bosnia and Herzegovina", "BA"),
        ("Tschechien", "CZ"),
        ("P.R. China", "CN"),
        ("UAE", "AE"),
        ("826", "GB"),
        ("276", "DE"),
        ("040", "AT"),
        ("US-CA", "US"),
        ("GB_ENG", "GB"),
        ("de_AT", "AT"),
        ("zh-Hant-TW", "TW"),
        ("United States (US)", "US"),
        ("\U0001f1e9\U0001f1ea", "DE"),
        ("\u200eDE\u200e", "DE"),
        ("NA", "NA"),
    ],
)
def test_codes_of_two_and_three_letters_and_names_are_read(written: str, code: str) -> None:
    assert country_code(written) == code


@pytest.mark.parametrize(
    "written",
    [
        *("n/a", "N/A", "N.A.", "null", "undefined", "{{country}}", "not available", "test"),
        *(
            "352",
            "250",
            "44",
            "1",
            "0",
            "999",
            "the",
            "Republic",
            "Congo (DRC)",
            "Korea (China)",
            "GB UK",
            "en",
            "ar_XX",
        ),
    ],
)
def test_what_names_nothing_or_two_countries_is_none(written: str) -> None:
    """`n/a` was Namibia; 352 is Iceland's number and Luxembourg's calling code."""
    assert country_code(written) is None


def test_every_country_has_its_three_codes() -> None:
    text = resources.files("alerts.wording").joinpath("countries.txt").read_text(encoding="utf-8")
    rows = [tuple(line.split()[:2]) for line in text.splitlines() if not line.startswith("#")]
    assert len(rows) == 250
    assert len({digits for _, digits in rows}) == 250
    assert all(country_code(two) == two for two, _ in rows)
    assert all(country_code(digits) in (two, None) for two, digits in rows)


@pytest.mark.parametrize("written", ["", " ", "ZZ", "XXX", "AN", "Europe", "Atlantis", "G8", "x" * 10_000, "\0", "-"])
def test_what_names_no_country_is_none(written: str) -> None:
    assert country_code(written) is None
