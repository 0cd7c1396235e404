"""A condition in a request is the policy's condition, and what is wrong with one is said without a word of it."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.learning.match import read_match, stored_match, written_match


def test_a_condition_comes_back_as_it_was_written() -> None:
    written = {"segments": ["gold"], "attribute": {"product": "fibre"}, "value_at_least": 2.5}
    when = read_match(written)
    assert written_match(when) == written
    assert stored_match(written) == when


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "fits every answer"),
        ({"segment": ["secret"]}, "no such part"),
        ({"segments": "secret"}, "segments: should be a valid"),
        ({"comment_mentions": ["  "]}, "a phrase needs a word"),
        ({"bottom_box_within_days": 3}, "leave it out"),
        ("secret", "should be an object"),
        ([], "should be an object"),
        (None, "should be an object"),
    ],
)
def test_what_cannot_be_a_condition_is_refused_without_an_echo(value: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        read_match(value)
    assert "secret" not in str(refused.value)
