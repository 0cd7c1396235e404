"""The commands that look at stored answers, as analysts type them."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.integration.api.front import NOON, Front
from tests.parts.service import environment, said

STRICTER = """
routing: {routes: [{when: {segments: [gold]}, queue: gold}, {when: {countries: [FR]}, queue: paris}]}
scoring: {reasons: []}
"""


def typed(database: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = environment(database=database, kafka="127.0.0.1:1", topics="t", dead_letters="d", group="g", **more)
    return said(*arguments, env=env)


async def test_another_policy_is_tried_beside_the_one_in_force(front: Front, database_url: str, tmp_path: Path) -> None:
    await front.answers([front.answer(f"c-{n}", segment="gold" if n < 3 else "basic") for n in range(5)])
    file = tmp_path / "stricter.yaml"
    file.write_text(STRICTER)
    done = typed(database_url, "backtest", str(file), "--since", "2026-11-24T00:00:00Z", "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found.keys() == {"answers", "now", "then", "added", "removed", "moved", "reranked"}
    assert (found["answers"], found["added"], found["removed"], found["moved"]) == (5, 0, 0, 3)
    assert found["now"]["by_queue"] == {"general": 5}
    assert found["then"] == {
        "callbacks": 5,
        "joined": 0,
        "by_queue": {"general": 2, "gold": 3},
        "by_priority": {"2": 5},
        "agent_hours": None,
    }


async def test_a_rule_that_does_nothing_is_named_and_the_exit_says_so(
    front: Front, database_url: str, tmp_path: Path
) -> None:
    await front.answers([front.answer(f"c-{n}", segment="gold" if n < 3 else "basic") for n in range(20)])
    file = tmp_path / "stricter.yaml"
    file.write_text(STRICTER)
    done = typed(database_url, "lint", POLICY_FILE=str(file))
    told = done.stdout.splitlines()
    assert (done.returncode, told[0]) == (1, "20 bad answers in 14 days")
    assert told[1:] == [
        "stricter.yaml:2: routing.routes.1 (paris): matched nothing (0 of 20); correct its condition, or take it out"
    ]


async def test_the_week_is_told_on_one_page_and_its_figures_are_those_of_the_ledger(
    front: Front, database_url: str, tmp_path: Path
) -> None:
    monday = NOON - timedelta(days=8)
    answers = [
        front.answer(f"c-{n}", rating=1 if n < 6 else 5, answered_at=monday + timedelta(days=n % 3)) for n in range(9)
    ]
    before = [front.answer(f"b-{n}", rating=5, answered_at=monday - timedelta(days=9)) for n in range(4)]
    later = front.answer("l-1", answered_at=NOON - timedelta(minutes=1))
    await front.clock.set(monday + timedelta(days=3))
    await front.answers([*answers, *before])
    await front.clock.set(NOON)
    await front.answers([later])
    lead = await front.lead()
    plan = {"title": "Train the night shift", "owner": "lea", "due_on": "2026-12-01", "effective_on": "2026-11-03"}
    await front.clock.set(monday + timedelta(days=3))
    assert (await lead.post("/v1/actions", json=plan)).status_code == 201
    await front.clock.set(NOON)
    found = json.loads(typed(database_url, "report", "--json").stdout)
    assert (found["week"], [day["of"] for day in found["days"]]) == ("2026-W47", [3, 3, 3, 0, 0, 0, 0])
    assert (found["change"]["before"]["of"], found["change"]["after"]["count"]) == (4, 6)
    assert found["ended"] == {"opened": 6, "resolved": 0, "recovered": 0, "closed": 0}
    assert [each["title"] for each in found["plans"]] == [plan["title"]]
    assert [effect["verdict"] for _, effect in found["effects"]] == ["too_early"]
    file = tmp_path / "week.html"
    assert typed(database_url, "report", "--week", "2026-W47", "--output", str(file)).stdout == ""
    assert "Bottom box: 66.7% (6 of 9; " in file.read_text()
