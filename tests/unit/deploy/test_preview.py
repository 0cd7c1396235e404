"""The pictures of the dashboards are drawn from their panels, and show what these were answered."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from deploy.grafana.preview import LEVELS, Answer, draw, written
from tests.parts.deployment import DASHBOARDS, ROOT, read_board

PICTURES = ROOT / "docs" / "dashboards"
LARGEST = 150_000  # bytes
SVG = "{http://www.w3.org/2000/svg}"


def board(kind: str, **more: Any) -> dict[str, Any]:
    steps = [{"color": "green", "value": None}, {"color": "yellow", "value": 10}, {"color": "red", "value": 20}]
    panel = {
        "id": 7,
        "type": kind,
        "title": "Waiting & <hoping>",
        "description": "Who waits.",
        "gridPos": {"x": 0, "y": 0, "w": 6, "h": 7},
        "targets": [{}],
        "fieldConfig": {"defaults": {"unit": "short", "thresholds": {"steps": steps}}},
        **more,
    }
    return {"title": "Today", "description": "A day.", "panels": [panel]}


def texts(picture: str) -> list[str]:
    return [str(each.text) for each in ElementTree.fromstring(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize(("value", "level"), [(9.0, "green"), (10.0, "yellow"), (31.0, "red")])
@pytest.mark.parametrize("kind", ["stat", "bargauge"])
def test_a_figure_has_the_color_of_the_threshold_it_has_reached(kind: str, value: float, level: str) -> None:
    picture = draw(board(kind), {"Waiting & <hoping>": [Answer("billing", [(0.0, 1.0), (1.0, value)])]})
    assert LEVELS[level] in picture
    assert not any(color in picture for name, color in LEVELS.items() if name != level)
    assert {"billing", f"{value:.0f}", "Waiting & <hoping>"} <= set(texts(picture))


def test_a_course_goes_from_its_first_moment_to_its_last_and_up_to_its_highest_value() -> None:
    answer = Answer("p50", [(0.0, 0.0), (50.0, 4.0), (100.0, 2.0)])
    picture = draw(board("timeseries"), {"Waiting & <hoping>": [answer]})
    (line,) = [each.attrib["points"] for each in ElementTree.fromstring(picture).iter(f"{SVG}polyline")]
    (x0, low), (x1, top), (x2, half) = [map(float, point.split(",")) for point in line.split()]
    assert x0 < x1 < x2
    assert x2 - x1 == pytest.approx(x1 - x0, abs=1)
    assert top < half < low
    assert low - half == pytest.approx(half - top, abs=0.2)
    assert {"00:00:00", "00:01:40", "4"} <= set(texts(picture))


def test_a_heat_map_is_darkest_where_most_happened_between_two_bounds() -> None:
    answers = [
        Answer("1.0", [(0.0, 1.0), (1.0, 0.0)]),
        Answer("5.0", [(0.0, 5.0), (1.0, 2.0)]),
        Answer("+Inf", [(0.0, 5.0)]),
    ]
    picture = draw(board("heatmap"), {"Waiting & <hoping>": answers})
    cells = [
        each.attrib for each in ElementTree.fromstring(picture).iter(f"{SVG}rect") if each.get("fill") == "#b8506b"
    ]
    assert [cell.get("fill-opacity") for cell in cells] == ["0.25", None, "0.50"]


def test_a_panel_without_an_answer_says_so_and_one_that_was_not_asked_is_an_error() -> None:
    assert "nothing to show" in texts(draw(board("stat"), {"Waiting & <hoping>": []}))
    with pytest.raises(KeyError):
        draw(board("stat"), {})


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.004, "s", "4 ms"),
        (90, "s", "1.5 min"),
        (5400, "s", "1.5 h"),
        (259200, "s", "3 d"),
        (0.957, "percentunit", "95.7 %"),
        (1, "bool_yes_no", "yes"),
        (12.5, "cps", "12.5 /s"),
        (12345, "short", "12,345"),
        (2.5, "short", "2.5"),
    ],
)
def test_figures_are_written_as_people_read_them(value: float, unit: str, words: str) -> None:
    assert written(value, unit) == words


def test_there_is_a_picture_of_each_dashboard_and_it_shows_its_panels() -> None:
    assert {path.stem for path in PICTURES.iterdir()} == {path.stem for path in DASHBOARDS.iterdir()}
    for path in PICTURES.iterdir():
        assert path.stat().st_size < LARGEST
        told = read_board(f"{path.stem}.json")
        picture = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        shown = {group.attrib["id"]: str(group.findtext(f"{SVG}title")) for group in picture.iter(f"{SVG}g")}
        assert shown == {
            f"panel-{panel['id']}": f"{panel['title']}: {panel['description']}"
            for panel in told["panels"]
            if panel["type"] != "row"
        }, f"{path.name}: draw it anew (docs/operations.md, Dashboards)"
        empty = [group.attrib["id"] for group in picture.iter(f"{SVG}g") if "nothing to show" in group.itertext()]
        assert empty == [], path.name
        assert "not Grafana" in path.read_text(encoding="utf-8")
