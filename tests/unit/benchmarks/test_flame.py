"""Sampled stacks become boxes as wide as their share."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

import pytest

from benchmarks.flame import WIDTH, draw, own_time

SVG = "{http://www.w3.org/2000/svg}"
STACKS = Counter(
    {
        ("app.main:run", "alerts.scoring:score"): 6,
        ("app.main:run", "asyncpg.protocol:encode"): 3,
        ("app.main:run",): 1,
    }
)


def boxes(drawn: str) -> dict[str, tuple[float, float, float]]:
    """By name and share: left, top and width."""
    found = {}
    for group in ET.fromstring(drawn).iter(f"{SVG}g"):
        title, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        assert title is not None
        assert rect is not None
        found[str(title.text)] = (float(rect.get("x", "")), float(rect.get("y", "")), float(rect.get("width", "")))
    return found


def test_a_box_is_as_wide_as_its_share_and_lies_under_its_caller() -> None:
    found = boxes(draw("A <run>", STACKS))
    run, score, encode = (
        found["app.main:run 100.0%"],
        found["alerts.scoring:score 60.0%"],
        found["asyncpg.protocol:encode 30.0%"],
    )
    assert run[2] == pytest.approx(WIDTH, abs=1)
    assert score[2] == pytest.approx(0.6 * WIDTH, abs=1)
    assert encode[2] == pytest.approx(0.3 * WIDTH, abs=1)
    assert encode[0] == pytest.approx(score[0] + score[2], abs=1)
    assert score[1] == encode[1] > run[1]


def test_what_is_too_small_to_see_is_left_out() -> None:
    drawn = boxes(draw("A run", Counter({("a.b:c",): 999, ("a.b:d",): 1})))
    assert list(drawn) == ["a.b:c 99.9%"]


def test_no_samples_make_no_picture() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw("A run", Counter())


def test_own_time_goes_to_whoever_was_running_itself() -> None:
    assert own_time(STACKS) == {"alerts": 6, "asyncpg": 3, "app": 1}
