"""Runs the examples that stand in a source file, so that a mapping is proved where it is written."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from consumers.intake.answer import read_response
from consumers.intake.reason import InvalidRecord, Unrated
from consumers.sources.source import Example, Source


class ExampleResult(Struct, frozen=True):
    """`differences` name each field that came out otherwise, with both values of the example."""

    name: str
    differences: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.differences


def run_examples(source: Source) -> list[ExampleResult]:
    """One result per example, in the order of the file."""
    return [ExampleResult(example.name, tuple(_differences(source, example))) for example in source.examples]


def _differences(source: Source, example: Example) -> list[str]:
    try:
        response = read_response(source.read(example.event), source=source.name)
    except Unrated:
        return [] if example.passed_over else ["passed over: there is no rating"]
    except InvalidRecord as why:
        if example.refused is why.reason:
            return []
        return [f"refused as {why.reason} ({why.field}: {why.detail})"]
    if example.refused is not None:
        return [f"not refused as {example.refused}"]
    if example.passed_over:
        return [f"not passed over: rating {response.rating}"]
    return _unequal(example.response, msgspec.to_builtins(response), "")


def _unequal(expected: Any, actual: Any, path: str) -> list[str]:
    """Only what the example names is compared."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            difference
            for key, value in expected.items()
            for difference in _unequal(value, actual.get(key), f"{path}.{key}" if path else key)
        ]
    return [] if expected == actual else [f"{path}: expected {expected!r}, got {actual!r}"]
