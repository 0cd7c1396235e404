"""YAML as people write it: plain, strict, and with a line for every mistake."""

from __future__ import annotations

import pytest
import yaml

from alerts.document import BadDocument, Section, line_of, read_document


class Inner(Section):
    size: int = 1


class Outer(Section):
    name: str
    inner: Inner = Inner()
    items: tuple[Inner, ...] = ()


def read(text: str) -> Outer:
    return read_document(Outer, text, file="f.yaml")


def problems(text: str) -> list[str]:
    with pytest.raises(BadDocument) as refused:
        read(text)
    return [str(each) for each in refused.value.problems]


@pytest.mark.parametrize("word", ["on", "yes", "no", "09:00", "2026-01-01", "1e3", "0x10", "007", "1_000"])
def test_a_word_that_yaml_would_turn_into_something_else_stays_text(word: str) -> None:
    assert read(f"name: {word}").name == word


@pytest.mark.parametrize("value", ["1", "true", "null", "1.5"])
def test_a_number_or_a_truth_is_not_text(value: str) -> None:
    assert problems(f"name: {value}")[0].startswith("f.yaml:1: name: ")


def test_a_repeated_key_is_a_mistake_at_its_second_line() -> None:
    assert problems("name: a\ninner:\n  size: 1\n  size: 2") == ["f.yaml:4: 'size' is written twice; correct the YAML"]


def test_a_mistake_deep_inside_has_its_own_line() -> None:
    assert problems("name: a\nitems:\n  - size: 1\n  - sizes: 2") == [
        "f.yaml:4: items.1.sizes is not a known setting; did you mean 'size'?"
    ]


def test_what_is_missing_is_looked_for_where_it_belongs() -> None:
    assert problems("\n\ninner: {size: 2}") == ["f.yaml:3: name is missing; add it"]


@pytest.mark.parametrize("text", ["[" * 5000, "a: &a [*a", "\x00", "!!python/object:os.system {}"])
def test_what_is_not_yaml_is_said_so_and_runs_nothing(text: str) -> None:
    assert len(problems(text)) == 1


def test_a_line_is_the_innermost_part_that_is_written() -> None:
    root = yaml.compose("a:\n  b:\n    - c: 1", Loader=yaml.SafeLoader)
    assert line_of(root, ["a"]) == 1
    assert line_of(root, ["a", "b", 0, "c"]) == 3
    assert line_of(root, ["a", "b", 0, "missing"]) == 3
    assert line_of(None, ["a"]) == 1
