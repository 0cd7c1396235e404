"""What plainly is somebody is told without all the rules, and never otherwise than by them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.wording.nobody import names_nobody, stands_for_nobody

IDS = st.text("0123456789aAfFuUnNdDeElLiIxX._-", max_size=40) | st.from_regex(
    r"[0-9a-f-]{32,38}|urn:uuid:[0-9a-f-]{36}"
)


@given(IDS | st.text(max_size=12))
@example("0" * 32)
@example("1" * 32)
@example("a" * 32)
@example("00000000-0000-4000-a000-000000000000")
@example("ffffffff-ffff-4fff-bfff-ffffffffffff")
@example("AAAAAAAAAAAA4AAA8AAAAAAAAAAAAAAA")
@example("-1")
@example("__id__")
@example("x1\N{KELVIN SIGN}")
def test_the_short_way_says_what_the_rules_say(text: str) -> None:
    assert names_nobody(text) == stands_for_nobody(text.casefold())


@pytest.mark.parametrize("text", ["c-17", "17", "00017", "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d", "ann.2", "A1"])
def test_most_ids_need_no_rules(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.wording.nobody.stands_for_nobody", None)
    assert not names_nobody(text)
