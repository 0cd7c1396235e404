"""Publishing tells what became of every row, and ends with an error when nothing could be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerts.errors import Misconfigured
from app.cli import program

CRM = """
name: crm
map:
  event_id: id
  rating: {from: score, type: int}
  answered_at: {from: at, type: datetime, zone: UTC}
  customer: {id: who}
"""
HEADER = "id,score,at,who\n"


def publish(
    tmp_path: Path,
    content: str | bytes,
    *more: str,
    name: str = "größe.csv",
    unrated: str = "dead_letter",
    mapping: str = "",
) -> Result:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    (tmp_path / "crm.yaml").write_text(CRM + mapping + f"unrated: {unrated}\n")
    env = {"BOTTOMBOX_DATABASE_URL": "postgresql://none@localhost/none", "BOTTOMBOX_SOURCES_DIR": str(tmp_path)}
    words = ["publish", str(tmp_path / name), "--source", "crm", "--dry-run", *more]
    return CliRunner().invoke(program, words, env=env)


def summary(result: Result) -> Any:
    return json.loads(result.stdout)


def test_the_summary_counts_every_row_and_names_those_that_cannot_be_read(tmp_path: Path) -> None:
    text = HEADER + 'e-1,1,2026-01-02,c\ne-2,x,2026-01-02,c\n\ne-3,"5,2026-01-02,c\ne-4,3,2026-01-02,c\n'
    result = publish(tmp_path, text, "--json")
    assert result.exit_code == 0
    assert summary(result) == {
        "source": "crm",
        "rows": 4,
        "sent": 0,
        "unrated": 0,
        "by_box": {"bottom": 1, "middle": 1, "top": 0},
        "by_rating": {"1": 1, "3": 1},
        "unreadable": [
            {"line": 3, "reason": "invalid_rating", "field": "rating"},
            {"line": 5, "reason": "malformed", "field": None},
        ],
    }


def test_boxes_are_those_of_the_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A survey may have a cut of its own: of 0 to 10, a 6 is bottom box to who counts recommendations."""
    policy = tmp_path / "policy" / "policy.yaml"
    policy.parent.mkdir()
    policy.write_text("surveys:\n  - {survey: nps, bottom_at_most: 6, top_at_least: 9}\n")
    monkeypatch.setenv("BOTTOMBOX_POLICY_FILE", str(policy))
    more = "  survey: {id: poll}\nscale: {worst: 0, best: 10}\n"
    rows = "id,score,at,who,poll\ne-1,6,2026-01-02,c,nps\ne-2,7,2026-01-02,c,nps\ne-3,6,2026-01-02,c,other\n"
    result = publish(tmp_path, rows, "--json", mapping=more)
    assert summary(result)["by_box"] == {"bottom": 1, "middle": 1, "top": 1}


def test_rows_without_a_rating_are_counted_apart_where_the_source_file_passes_them_over(tmp_path: Path) -> None:
    text = HEADER + "e-1,1,2026-01-02,c\ne-2,,2026-01-02,c\ne-3,x,2026-01-02,c\n"
    told = summary(publish(tmp_path, text, "--json", unrated="pass_over"))
    assert (told["rows"], told["unrated"], [each["line"] for each in told["unreadable"]]) == (3, 1, [4])
    assert "3 rows of crm: 1 read" in (said := publish(tmp_path, text, unrated="pass_over").stdout)
    assert "1 without a rating were passed over" in said
    told = summary(publish(tmp_path, text, "--json"))
    assert (told["unrated"], [each["line"] for each in told["unreadable"]]) == (0, [3, 4])


def test_a_file_in_which_nobody_rated_anything_does_not_look_like_a_quiet_day(tmp_path: Path) -> None:
    result = publish(tmp_path, HEADER + "e-1,,2026-01-02,c\n" * 3, unrated="pass_over")
    assert isinstance(result.exception, Misconfigured)
    assert "no row of größe.csv has a rating" in str(result.exception)


def test_people_are_told_the_first_rows_that_cannot_be_read(tmp_path: Path) -> None:
    result = publish(tmp_path, HEADER + "e-1,1,2026-01-02,c\n" + "e-2,secret,2026-01-02,c\n" * 25)
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == "line 3: invalid_rating (rating)"
    assert result.stderr.splitlines()[20:] == ["and 5 more; --json lists them all"]
    assert "secret" not in result.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 'größe.csv has no header; looked for the columns "at", "id", "score", "who"'),
        (HEADER, "größe.csv has no rows; looked for answers that source crm can read"),
        ("a,b\n1,2\n", 'looked for "at", "id", "score", "who"'),
        (HEADER + "e,7,soon,c\ne,9,soon,c\n", "the first, on line 2, is invalid_time (answered_at): what was found"),
        (HEADER + "e\n", "the first, on line 2, is malformed: this row has more or fewer cells"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_ends_with_an_error(tmp_path: Path, text: str, words: str) -> None:
    result = publish(tmp_path, text, "--json")
    assert result.exit_code == 1
    assert isinstance(result.exception, Misconfigured)
    assert words in str(result.exception)
    assert "soon" not in str(result.exception)


def test_a_file_that_breaks_off_is_told_as_such(tmp_path: Path) -> None:
    packed = gzip.compress((HEADER + "e-1,1,2026-01-02,c\n").encode())
    result = publish(tmp_path, packed[:-4], name="answers.csv.gz")
    assert isinstance(result.exception, Misconfigured)
    assert "damaged or cut off" in str(result.exception)
