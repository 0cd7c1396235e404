"""A name means one thing: no class and no alias of a type stands in two places, and none takes a name from elsewhere."""

from __future__ import annotations

import ast
import builtins
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLOORS = ("alerts", "consumers", "app")


def trees() -> Iterator[tuple[str, ast.Module]]:
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def made(tree: ast.Module) -> Iterator[str]:
    """The classes and aliases of types that a file makes; private ones are nobody else's business."""
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return (name for name in names if is_a_type(name))


def is_a_type(name: str) -> bool:
    """By its spelling: `QueueName`, and neither `QUEUES`, `queues`, `_Queue` nor the variable `T` of a type."""
    return name[0].isupper() and not name.isupper()


def taken(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name, where from) of every type that a file imports by name from somebody else's package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] not in FLOORS:
            yield from ((alias.name, node.module) for alias in node.names if not alias.asname)


def places() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees():
        for name in made(tree):
            found[name].append(path)
    return found


def test_no_class_and_no_alias_stands_twice() -> None:
    found = places()
    assert len(found) > 100, "the names were not found"
    assert {name: where for name, where in found.items() if len(where) > 1} == {}


def test_no_class_has_a_name_that_is_also_imported_from_elsewhere() -> None:
    ours = places()
    foreign = {
        f"{name} of {origin}, and of {ours[name]}"
        for _, tree in trees()
        for name, origin in taken(tree)
        if name in ours
    }
    assert foreign == set()


def test_a_name_that_stands_twice_would_be_seen() -> None:
    tree = ast.parse("class Seen: ...\nSeen = int\nMoment: TypeAlias = int\nT = 1\nMAP = {}\nclass _Own: ...")
    assert sorted(made(tree)) == ["Moment", "Seen", "Seen"]


def test_what_a_docstring_says_is_raised_exists() -> None:
    known = {*places(), *dir(builtins)} | {name for _, tree in trees() for name, _ in taken(tree)}
    said = {
        f"{path}: {name}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module)
        for sentence in re.findall(r"\bRaises? ([^.;:(]*)", ast.get_docstring(node) or "")
        for name in re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b|\bUnavailable\b|\bRefused\b|\bInvalid\b", sentence)
        if name not in known
    }
    assert said == set()
