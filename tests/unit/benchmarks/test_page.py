"""The page of the benchmarks is made of their figures alone, and says plainly what was missed."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from benchmarks.goals import GOALS, Figure, Goal
from benchmarks.machine import Machine
from benchmarks.page import Run, make_page, read_runs, write_page
from benchmarks.plot import Point, plot
from benchmarks.results import Findings, Table

MACHINE = Machine(
    processor="a processor",
    cores=2,
    memory_gib=24.0,
    system="Linux 6",
    python="3.11.7",
    load=0.5,
    fdatasync_us=111.0,
    spin_ms=3.6,
    packages={"asyncpg": "0.32.0"},
    commit="abc1234",
)


def run(name: str, median: float = 1.0, *, quick: bool = False, figures: dict[str, Figure] | None = None) -> Run:
    table = Table(
        title=f"What {name} took",
        columns=("", "median", "lowest", "highest"),
        rows=[
            ("a floor", 100.0, 90.0, 120.0),
            ("ours | theirs", median, median / 2, median * 2),
            ("not run", None, None, None),
        ],
    )
    found = Findings(
        name=name, tables=[table], notes=["on a Monday"], figures=figures or {}, plans={"before": "Index Scan"}
    )
    return Run(at="2026-11-26 10:00", quick=quick, machine=MACHINE, findings=found)


def test_the_same_lines_make_the_same_page() -> None:
    lines = [msgspec.json.encode(run("intake", figures={"intake.intake": Figure(0.2, 0.1)})).decode(), "", "\n"]
    first, second = (make_page(read_runs(lines), "performance") for _ in range(2))
    assert first == second
    for said in (
        "## intake",
        "on a Monday",
        "Index Scan",
        "| ours / theirs | 1.00 | 0.50 | 2.00 |",
        "abc1234",
        "| 0.5 | 111 | 3.6 | 3.11.7 |",
        "asyncpg 0.32.0",
    ):
        assert said in first.text


def test_of_each_benchmark_the_last_full_run_counts() -> None:
    page = make_page(
        [run("claim", 3.0), run("intake", 7.0), run("claim", 5.0), run("claim", 9.0, quick=True)], "performance"
    )
    assert page.text.count("## claim") == 1
    assert "| ours / theirs | 5.00 |" in page.text
    assert "7.00" in page.text


def test_quick_runs_alone_make_no_page() -> None:
    with pytest.raises(ValueError, match="no full run"):
        make_page([run("claim", quick=True)], "performance")


def test_a_missed_goal_is_said_as_plainly_as_one_that_is_met() -> None:
    figures = {"intake.intake": Figure(0.2, 0.1), "intake.replay": Figure(0.7, 0.6), "rest.one": Figure(0.5, 0.4)}
    [missed, met, stretched, other] = [
        next(
            line
            for line in make_page([run("intake", figures=figures)], "p").text.splitlines()
            if line.startswith(start)
        )
        for start in ("| intake, one", "| replay", "| GET one", "| list of 50")
    ]
    assert "| 0.2 | 0.1 | **missed** | ≥ 0.35 | ≥ 0.5 |" in missed
    assert "| met | ≥ 0.65 |" in met
    assert "| met, and the stretch |" in stretched
    assert "| not measured |" in other


def test_a_goal_that_may_not_be_more_is_met_by_less() -> None:
    cost = Goal("cost", "cost", 1.5, 1.2)
    assert [cost.is_met(Figure(each, each)) for each in (1.1, 1.5, 1.6)] == [True, True, False]
    assert [cost.is_stretched(Figure(each, each)) for each in (1.1, 1.5, 1.6)] == [True, False, False]


def test_every_goal_is_named_once() -> None:
    assert len({goal.figure for goal in GOALS}) == len({goal.what for goal in GOALS}) == len(GOALS)


def test_each_table_with_a_range_has_a_picture_and_the_page_shows_it() -> None:
    page = make_page([run("claim", figures={"claim.depth": Figure(1.0, 1.1)})], "performance")
    assert sorted(page.pictures) == ["claim-1.svg", "goals.svg"]
    assert all(f"](performance/{name})" in page.text for name in page.pictures)


def test_points_lie_in_the_order_of_their_values_inside_the_picture() -> None:
    drawn = ET.fromstring(
        plot("Few & many", [Point("a", 1, 1, 1), Point("b <c>", 30, 20, 40), Point("c", 900, 1, 999)])
    )
    at = [float(circle.get("cx", "")) for circle in drawn.iter("{http://www.w3.org/2000/svg}circle")]
    assert at == sorted(at)
    assert len(set(at)) == 3
    assert all(0 < x < float(drawn.get("width", "")) for x in at)
    assert "b <c>" in [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]


def test_pictures_of_before_go_and_others_stay(tmp_path: Path) -> None:
    folder = tmp_path / "performance"
    folder.mkdir()
    for name in ("old-1.svg", "earlier.md"):
        (folder / name).write_text("")
    write_page(make_page([run("claim")], "performance"), tmp_path / "performance.md")
    assert sorted(each.name for each in folder.iterdir()) == ["claim-1.svg", "earlier.md"]
    assert (tmp_path / "performance.md").read_text().startswith("# Performance")
