"""The floors of the house: imports point down only, the pure rooms do no I/O, and SQL stays in the ledger."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = {
    "alerts": {"alerts", "migrations"},
    "consumers": {"alerts", "consumers"},
    "app": {"alerts", "app", "consumers"},
}
OURS = {"alerts", "app", "consumers", "migrations", "tests", "benchmarks"}
IO = {
    "aiokafka",
    "alembic",
    "asyncio",
    "asyncpg",
    "fastapi",
    "httpx",
    "logging",
    "socket",
    "sqlalchemy",
    "subprocess",
    "uvicorn",
}


def modules(floor: str) -> Iterator[Path]:
    return (path for path in sorted((ROOT / floor).rglob("*.py")))


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{path} imports by dots; write the whole name"
            found.add(node.module)
    return found


def top(module: str) -> str:
    return module.split(".")[0]


@pytest.mark.parametrize("floor", FLOORS)
def test_imports_point_down_only(floor: str) -> None:
    upward = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in modules(floor)
        for module in imported(path)
        if top(module) in OURS - FLOORS[floor]
    }
    assert not upward


def test_the_pure_rooms_import_neither_the_ledger_nor_anything_that_does_io() -> None:
    impure = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in modules("alerts")
        if "ledger" not in path.parts
        for module in imported(path)
        if top(module) in IO | {"migrations"} or module.startswith("alerts.ledger")
    }
    assert not impure


def test_only_the_ledger_speaks_sql() -> None:
    """Others may hold an engine or a connection, to hand it on; they write no statement."""
    allowed = {"sqlalchemy.ext.asyncio", "sqlalchemy.pool"}
    speaking = {
        f"{path.relative_to(ROOT)} imports {module}"
        for floor in ("consumers", "app")
        for path in modules(floor)
        for module in imported(path)
        if top(module) in {"sqlalchemy", "asyncpg"} and module not in allowed
    }
    assert not speaking


def test_the_pure_rooms_never_look_up_the_time() -> None:
    asking = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules("alerts")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"date", "datetime"}
    }
    assert not asking


def test_only_the_switchboard_makes_the_parts() -> None:
    """The engine, the consumer and the metrics are made in app/wiring.py; `migrate` opens the one connection it needs."""
    makers = {"open_engine", "SurveyConsumer", "Metrics", "Producer"}
    making = {
        str(path.relative_to(ROOT))
        for floor in FLOORS
        for path in modules(floor)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers
    }
    assert making <= {"app/wiring.py", "alerts/ledger/migrate.py"}
