"""The records and the tables say the same, and a new column never breaks a program that is still the old one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from msgspec import Struct

from alerts.callback import Callback
from alerts.customer import Customer
from alerts.ledger.tables.callbacks import callbacks
from alerts.ledger.tables.customers import customers

VERSIONS = sorted((Path(__file__).parents[4] / "migrations" / "versions").glob("v*.py"))


@pytest.mark.parametrize(("record", "table"), [(Callback, callbacks), (Customer, customers)])
def test_a_record_has_the_columns_of_its_table_and_no_others(record: type[Struct], table: object) -> None:
    columns = {str(column.name) for column in table.columns}  # type: ignore[attr-defined]  # of two kinds of record
    assert set(record.__struct_fields__) == columns


def unsafe_columns(step: str) -> list[str]:
    """Columns that a migration adds to a table, that must be given a value, and that the database gives none.

    A replica of the program before writes rows without them while the new one is being rolled out.
    """
    calls = [node for node in ast.walk(ast.parse(step)) if isinstance(node, ast.Call) and _name(node) == "add_column"]
    columns = [
        inner for call in calls for inner in ast.walk(call) if isinstance(inner, ast.Call) and _name(inner) == "Column"
    ]
    return [ast.unparse(column.args[0]) for column in columns if _must_be_given(column)]


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _must_be_given(column: ast.Call) -> bool:
    keywords = {keyword.arg: keyword.value for keyword in column.keywords}
    nullable = keywords.get("nullable")
    needed = isinstance(nullable, ast.Constant) and nullable.value is False
    return needed and "server_default" not in keywords and "identity" not in ast.unparse(column).lower()


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_every_new_column_that_must_be_given_has_a_default_of_the_server(path: Path) -> None:
    assert unsafe_columns(path.read_text(encoding="utf-8")) == []


def test_the_rule_finds_a_column_without_one() -> None:
    step = "op.add_column('callbacks', sa.Column('mood', sa.Text(), nullable=False{}))"
    assert unsafe_columns(step.format("")) == ["'mood'"]
    assert unsafe_columns(step.format(", server_default='calm'")) == []
