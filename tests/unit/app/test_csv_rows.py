"""What a stranger wrote stays text in whoever's spreadsheet it is opened."""

from __future__ import annotations

import csv
import io

import pytest
from pydantic import BaseModel

from app.api.insights.table import as_csv


class Row(BaseModel):
    value: str | None
    difference: float
    ids: list[str]


def first_row(row: Row) -> list[str]:
    return list(csv.reader(io.StringIO(as_csv([row], Row))))[1]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_that_begins_like_a_formula_is_text(begin: str) -> None:
    told = f'{begin}HYPERLINK("//evil.example","queue")'
    assert first_row(Row(value=told, difference=-0.25, ids=[told, "b"])) == [f"'{told}", "-0.25", f"'{told} b"]


@pytest.mark.parametrize("name", ["billing", "a=b", "1-2", "'quoted'", ""])
def test_any_other_name_stays_as_it_is(name: str) -> None:
    assert first_row(Row(value=name, difference=0.25, ids=[])) == [name, "0.25", ""]
    assert first_row(Row(value=None, difference=0.25, ids=[])) == ["", "0.25", ""]
