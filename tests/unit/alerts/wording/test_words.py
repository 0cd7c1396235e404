"""Words in comments: whole ones, however they are spaced, capitalised or composed."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.wording import words
from alerts.wording.words import mentions


@pytest.mark.parametrize(
    "said",
    [
        "call me",
        "Please CALL ME!",
        "call  me",
        "call\u00a0me",
        "call\r\nme",
        "call\u200b me",
        "ca\u00adll me",
        "(call me)",
        "\u202bcall me\u202c",
        "ｃａｌｌ　ｍｅ",
        "😡 call me 😡",
        "do not call me, or rather do: call me",
    ],
)
def test_a_phrase_is_found_whatever_lies_between_and_about_its_words(said: str) -> None:
    assert mentions(said, ["call me"], unless=["do not call me"])


@pytest.mark.parametrize(
    "said",
    [None, "", "I recall meeting the technician", "call mean", "call_me", "call, me", "Do not call me again", "callme"],
)
def test_a_part_of_other_words_is_no_mention(said: str | None) -> None:
    assert not mentions(said, ["call me"], unless=["do not call me"])


def test_every_way_to_write_a_letter_or_an_apostrophe_is_one() -> None:
    assert mentions("Ne m\u2019appelez pas", ["ne m'appelez pas"])
    assert mentions("RU\u0308CKRUF", ["rückruf"])
    assert mentions("STRASSE", ["straße"])


def test_a_star_ends_a_word_or_stands_for_some() -> None:
    assert mentions("Ich habe gekündigt, die Kündigung liegt bei", ["kündig*"])
    assert not mentions("Ich habe gekündigt", ["kündig*"])
    assert mentions("do not you dare call me", ["do not * call me"])
    assert mentions("do not call me", ["do not * call me"])
    assert not mentions("I do not care. Call me", ["do not * call me"])
    assert not mentions("do not one two three four call me", ["do not * call me"])


def test_where_words_are_not_parted_by_blanks_a_phrase_is_found_among_them() -> None:
    assert mentions("请给我打电话谢谢", ["打电话"])
    assert mentions("電話してください", ["電話して"])
    assert mentions("กรุณาโทรกลับด้วย", ["โทรกลับ"])
    assert mentions("전화해주세요", ["전화해"])
    assert mentions("اتصل بي من فضلك", ["اتصل بي"])
    assert not mentions("कॉलेज", ["कॉल"])  # the vowel sign goes on with the word


@pytest.mark.parametrize("phrase", ["*", "**", "\u200b", "* " * 30, "** " * 30])
def test_a_phrase_without_a_word_is_found_nowhere_and_at_once(phrase: str) -> None:
    assert not mentions("please do call me, " * 50 + " " * 500, [phrase])


def test_stars_in_a_row_are_one() -> None:
    assert mentions("do not you dare call me", ["do not * ** * call me"])


@given(st.text(max_size=60), st.text(min_size=1, max_size=20).filter(str.strip))
def test_no_text_whatever_raises(said: str, phrase: str) -> None:
    mentions(said, [phrase], unless=[phrase])
    assert not mentions(said, [phrase], unless=[phrase])


ENGLISH = st.text(alphabet="abca bcab_-'$9. \t\x1f\x00", max_size=40)


@given(ENGLISH, ENGLISH, st.integers(0, 40), st.integers(1, 12))
def test_a_word_is_looked_for_where_words_begin_and_none_is_missed(
    said: str, phrase: str, start: int, length: int
) -> None:
    """Of a text in ASCII fewer pieces are kept; they find what all of them would."""
    for each in (phrase, said[start : start + length], f"*{said[start : start + length]}*"):
        words._read.cache_clear()
        found = mentions(said, [each])
        words._read.cache_clear()
        with mock.patch.object(words, "_ascii_begins", words._pieces):
            assert mentions(said, [each]) == found
