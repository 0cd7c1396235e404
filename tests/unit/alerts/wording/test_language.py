"""Languages, however a system writes them, and who serves whom."""

from __future__ import annotations

import pytest

from alerts.wording.language import is_within, primary, read_language, serves


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("en", "en"),
        (" EN ", "en"),
        ("\u200een\u200e", "en"),
        ("en_US", "en-us"),
        ("en-GB", "en-gb"),
        ("zh_Hans_CN", "zh-hans-cn"),
        ("de_DE.UTF-8", "de-de"),
        ("sr_RS@latin", "sr-rs"),
        ("en-US,en;q=0.9,de;q=0.8", "en-us"),
        ("eng", "en"),
        ("eng-US", "en-us"),
        ("ger", "de"),
        ("deu", "de"),
        ("cmn", "zh"),
        ("iw", "he"),
        ("in_ID", "id-id"),
        ("no", "no"),
        ("nb", "no"),
        ("nn_NO", "no-no"),
        ("tl", "fil"),
        ("jp", "ja"),
        ("English", "en"),
        ("English (United States)", "en"),
        ("US English", "en"),
        ("Simplified Chinese", "zh"),
        ("Chinese (Simplified)", "zh"),
        ("Deutsch", "de"),
        ("francais", "fr"),
        ("Français", "fr"),
        ("Español", "es"),
        ("日本語", "ja"),
        ("العربية", "ar"),
        ("Norwegian Bokmål", "no"),
        ("id", "id"),
        ("en US", "en-us"),
        ("uk", "uk"),  # Ukrainian; what else could it be
    ],
)
def test_a_language_is_read_however_it_is_written(text: str, tag: str) -> None:
    assert read_language(text) == tag
    assert read_language(tag) == tag
    assert primary(tag) == tag.split("-")[0]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "xx",
        "NaN",
        "nan",
        "NA",
        "n/a",
        "null",
        "No preference",
        "No Value",
        "no answer",
        "to be determined",
        "klingon",
        "C",
        "POSIX",
        "und",
        "mul",
        "x-ours",
        "i-default",
        "5",
        "e" * 999,
    ],
)
def test_a_language_that_nobody_can_name_is_none(text: str | None) -> None:
    assert read_language(text) is None


@pytest.mark.parametrize("wanted", ["en_US", "en-GB", "English", " en", "eng"])
def test_who_speaks_english_serves_every_english(wanted: str) -> None:
    assert serves(["de", "en"], wanted)
    assert serves(["en-GB"], wanted)
    assert not serves(["de", "fr"], wanted)
    assert not serves([], wanted)


@pytest.mark.parametrize("wanted", [None, "", "tlh", "xx"])
def test_a_customer_whose_language_nobody_can_name_is_served_by_everybody(wanted: str | None) -> None:
    assert serves(["de"], wanted)


def test_a_range_holds_what_is_more_particular_and_not_the_other_way_round() -> None:
    assert is_within("pt_BR", ["pt"])
    assert is_within("pt-br", ["Portuguese"])
    assert is_within("pt-br", ["pt-BR"])
    assert not is_within("pt", ["pt-BR"])
    assert not is_within("pt-pt", ["pt-BR"])
    assert not is_within("pta", ["pt"])
    assert not is_within(None, ["pt"])
