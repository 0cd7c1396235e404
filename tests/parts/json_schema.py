"""Judges a value by a JSON Schema (2020-12), of which it knows what our own documents use and refuses the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

_ANNOTATIONS = frozenset({"$schema", "$defs", "title", "description", "default", "format", "examples", "if", "then"})
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and value == int(value),
    "number": lambda value: _is_number(value),
    "null": lambda value: value is None,
}


def is_valid(value: Any, schema: Schema, root: Schema | None = None) -> bool:
    """Raises AssertionError for a keyword that is not known here."""
    root = schema if root is None else root
    unknown = schema.keys() - _ANNOTATIONS - _KEYWORDS.keys()
    assert not unknown, f"this judge does not know {unknown}"
    if "if" in schema and is_valid(value, schema["if"], root) and not is_valid(value, schema["then"], root):
        return False
    return all(_KEYWORDS[word](value, rule, root) for word, rule in schema.items() if word in _KEYWORDS)


def resolved(reference: str, root: Schema) -> Any:
    """What a local reference points at. Raises KeyError when it points at nothing."""
    found: Any = root
    assert reference.startswith("#/"), reference
    for part in reference[2:].split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _properties(value: Any, rule: Schema, root: Schema) -> bool:
    return not isinstance(value, dict) or all(
        is_valid(value[name], each, root) for name, each in rule.items() if name in value
    )


_KEYWORDS: dict[str, Callable[[Any, Any, Schema], bool]] = {
    "type": lambda value, rule, root: _TYPES[rule](value),
    "const": lambda value, rule, root: value == rule,
    "enum": lambda value, rule, root: value in rule,
    "required": lambda value, rule, root: not isinstance(value, dict) or all(name in value for name in rule),
    "properties": _properties,
    "anyOf": lambda value, rule, root: any(is_valid(value, each, root) for each in rule),
    "allOf": lambda value, rule, root: all(is_valid(value, each, root) for each in rule),
    "not": lambda value, rule, root: not is_valid(value, rule, root),
    "minimum": lambda value, rule, root: not _is_number(value) or value >= rule,
    "maximum": lambda value, rule, root: not _is_number(value) or value <= rule,
    "minLength": lambda value, rule, root: not isinstance(value, str) or len(value) >= rule,
    "maxLength": lambda value, rule, root: not isinstance(value, str) or len(value) <= rule,
    "pattern": lambda value, rule, root: not isinstance(value, str) or re.search(rule, value) is not None,
    "$ref": lambda value, rule, root: is_valid(value, resolved(rule, root), root),
}
