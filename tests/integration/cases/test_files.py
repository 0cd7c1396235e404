"""Files and mappings of platforms, sent by the command as an operator would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerts.errors import Misconfigured
from app.cli import program
from consumers.sources.catalogue import Catalogue
from consumers.sources.source import read_source
from tests.integration.cases.post import Post

CRM = """
name: crm
map:
  event_id: id
  rating: {from: score, type: int}
  answered_at: {from: at, type: datetime, zone: UTC}
  customer: {id: who, phone: phone}
  comment: comment
"""
HEADER = "id,score,at,who,phone,comment\n"


def publish(folder: Path, content: str | bytes) -> tuple[Result, Any]:
    (folder / "answers.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "crm.yaml").write_text(CRM)
    env = {"BOTTOMBOX_DATABASE_URL": "postgresql://none@localhost/none", "BOTTOMBOX_SOURCES_DIR": str(folder)}
    words = ["publish", str(folder / "answers.csv"), "--source", "crm", "--dry-run", "--json"]
    result = CliRunner().invoke(program, words, env=env)
    return result, json.loads(result.stdout) if result.exit_code == 0 else None


def rows(count: int, broken: dict[int, str] | None = None) -> str:
    usual = "e-{0},{1},2026-01-02,c-{0},,fine\n"
    return HEADER + "".join((broken or {}).get(each, usual.format(each, each % 5 + 1)) for each in range(count))


def test_a_quotation_mark_that_is_never_closed_costs_its_own_row_of_five_thousand(tmp_path: Path) -> None:
    """case-csv-02b"""
    _, told = publish(tmp_path, rows(5000, {10: 'e-10,1,2026-01-02,c-10,,"it is\n'}))
    assert (told["rows"], told["unreadable"]) == (5000, [{"line": 12, "reason": "malformed", "field": None}])
    assert sum(told["by_rating"].values()) == 4999


def test_two_columns_of_one_name_are_refused_before_a_1_becomes_a_5(tmp_path: Path) -> None:
    """case-csv-01"""
    result, _ = publish(tmp_path, "id,score,at,who,score\ne-1,1,2026-01-02,c-1,5\n")
    assert isinstance(result.exception, Misconfigured)
    assert "score" in str(result.exception)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_line_that_excel_writes_first_is_no_header(tmp_path: Path, encoding: str) -> None:
    """case-csv-03; getodk/javarosa #687, dotCMS/core #36508: a byte order mark before the first name"""
    _, told = publish(tmp_path, ("sep=,\r\n" + rows(3)).encode(encoding))
    assert (told["rows"], told["unreadable"]) == (3, [])


def test_a_file_of_which_nothing_can_be_read_does_not_end_well(tmp_path: Path) -> None:
    """case-csv-03"""
    result, _ = publish(tmp_path, rows(3).replace(",", "|"))
    assert result.exit_code == 1 or sum(json.loads(result.stdout)["by_rating"].values()) == 3


async def test_a_number_that_a_sheet_made_a_float_is_read_or_flagged_and_never_another(post: Post) -> None:
    """dilshod/xlsx2csv #190, alphagov/notifications-admin #4124: 4.47900E+11"""
    post.intake.catalogue = Catalogue([read_source(CRM, file="crm.yaml")])
    given = ("447900900123.0", "4.47900900123E+11", "4.479E+11")
    rows = [
        {"id": f"{n}", "score": 1, "at": "2026-11-24", "who": f"c-{n}", "phone": each} for n, each in enumerate(given)
    ]
    await post.deliver(*(post.record(row, [("bottombox-source", b"crm")]) for row in rows))
    assert post.set_aside == []
    found = await post.value("SELECT array_agg(phone ORDER BY id) FROM customers")
    assert found[2] is None, "too few digits are left to be anybody's"
    assert set(found) <= {None, "+447900900123"}


async def test_a_zone_named_in_a_time_decides_before_the_zone_of_the_rule(post: Post) -> None:
    """case-map-01"""
    zoned = "{from: at, type: datetime, format: '%Y-%m-%d %H:%M:%S %Z', zone: America/New_York}"
    await _map(post, CRM.replace("{from: at, type: datetime, zone: UTC}", zoned))
    row = {"id": "e-1", "score": 1, "at": "2026-07-01 10:00:00 UTC", "who": "c-1"}
    await post.deliver(post.record(row, [("bottombox-source", b"crm")]))
    assert (await post.value("SELECT answered_at FROM responses")).isoformat() == "2026-07-01T10:00:00+00:00"


async def test_json_that_a_platform_packs_into_a_text_can_be_mapped(post: Post) -> None:
    """case-map-03"""
    inside = "from_json(task_attributes).conversations.conversation_attribute_1"
    await _map(post, CRM.replace("{from: score, type: int}", f"{{from: '{inside}', type: int}}"))
    packed = json.dumps({"conversations": {"conversation_attribute_1": "2"}})
    row = {"id": "e-1", "task_attributes": packed, "at": "2026-11-24", "who": "c-1"}
    await post.deliver(post.record(row, [("bottombox-source", b"crm")]))
    assert (post.set_aside, await post.outcome("e-1")) == ([], "bottom_box")


async def _map(post: Post, text: str) -> None:
    post.intake.catalogue = Catalogue([read_source(text, file="crm.yaml")])
