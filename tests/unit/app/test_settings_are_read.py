"""A setting that nobody reads is refused: whoever sets it would believe that it does something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from app.settings import Settings

APP = Path(__file__).parents[3] / "app"


def settings_in(tree: ast.AST) -> set[str]:
    """The names by which a file calls its settings: arguments of that type, and what the environment was read into."""
    names = {"settings", "with_settings"}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None and ast.unparse(node.annotation) == "Settings":
            names.add(node.arg)
        elif isinstance(node, ast.Assign) and ast.unparse(node.value).startswith(("read_settings(", "settings(")):
            names |= {ast.unparse(target) for target in node.targets}
    return names


def asked_of(names: set[str], tree: ast.AST) -> Iterator[str]:
    """Every `settings.x` and `components.settings.x`, where `settings` is one of the names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            receiver = ast.unparse(node.value)
            if receiver in names or receiver.endswith(".settings"):
                yield node.attr


def through(asked: set[str], tree: ast.AST) -> set[str]:
    """With what the properties and methods that were asked for read of their own `self`."""
    (model,) = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == "Settings"]
    own = {each.name: set(asked_of({"self"}, each)) for each in model.body if isinstance(each, ast.FunctionDef)}
    found = set(asked)
    while more := {name for method in found & own.keys() for name in own[method]} - found:
        found |= more
    return found


def unread(sources: dict[str, str], settings: str) -> set[str]:
    """The settings that no file asks for, by itself or through a property."""
    asked = {name for tree in map(ast.parse, sources.values()) for name in asked_of(settings_in(tree), tree)}
    return set(Settings.model_fields) - through(asked, ast.parse(settings))


def the_program() -> tuple[dict[str, str], str]:
    files = {path: path.read_text(encoding="utf-8") for path in sorted(APP.rglob("*.py"))}
    settings = files.pop(APP / "settings.py")
    return {str(path): text for path, text in files.items()}, settings


def test_every_setting_is_read_by_somebody() -> None:
    assert unread(*the_program()) == set()


def test_a_setting_that_nobody_reads_would_be_seen() -> None:
    files, settings = the_program()
    deaf = {path: text.replace(".rate_limit", ".http_port") for path, text in files.items()}
    assert unread(deaf, settings) == {"rate_limit"}
    assert "kafka_sasl_username" in unread(files, settings.replace("self.kafka_sasl_username", "None"))
