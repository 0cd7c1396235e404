"""Reads a YAML text into a model and says which line is wrong, and how to mend it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from alerts.errors import Misconfigured


class Problem(BaseModel):
    """One mistake in what a person wrote: where, what, and what to do about it. Line 0: in no line of a file."""

    file: str
    line: int
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else ""
        return f"{place}{self.problem}; {self.remedy}"


class BadDocument(Misconfigured):
    """A file, or the environment, cannot be used as it stands."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


DocumentPath = tuple[str | int, ...]


class Slip(NamedTuple):
    """A mistake that shows only when the whole document is read: at which place, what, and what to do."""

    path: DocumentPath
    problem: str
    remedy: str


class Section(BaseModel):
    """Base of everything that is written in a file: unknown words are mistakes, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Model = TypeVar("Model", bound=BaseModel)


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML in which a repeated key is a mistake, and `09:00`, `on` and `2026-01-01` stay the text that was written."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is written twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", [*"-+0123456789"]),
    ("float", r"[-+]?(0|[1-9][0-9]*)\.[0-9]+", [*"-+0123456789"]),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


def read_document(
    model: type[Model],
    text: str,
    *,
    file: str,
    base: str | None = None,
    check: Callable[[Model], Iterable[Slip]] | None = None,
) -> Model:
    """`text` as a `model`; where it says nothing, `base` speaks. `check` looks at the whole once each part is right.

    Raises BadDocument with every mistake and its line.
    """
    try:
        root, value = _load(text)
        if base is not None:
            value = _over(_load(base)[1], value)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BadDocument([_problem(file, line, str(error.problem), "correct the YAML")]) from None
    except (yaml.YAMLError, RecursionError):
        raise BadDocument([_problem(file, 1, "this is not YAML", "correct the file")]) from None
    try:
        read = model.model_validate_json(json.dumps(value, default=str))
    except ValidationError as error:
        raise BadDocument([_explain(model, file, root, each) for each in error.errors()]) from None
    slips = [] if check is None else list(check(read))
    if slips:
        raise BadDocument([_place(file, root, each) for each in slips])
    return read


def _load(text: str) -> tuple[yaml.Node | None, Any]:
    loader = _PlainLoader(text)
    try:
        root = loader.get_single_node()
        return root, loader.construct_document(root) if root is not None else {}
    finally:
        loader.dispose()


def _over(base: Any, own: Any) -> Any:
    """`own`, with the members of `base` that it does not name; lists and plain values are replaced whole."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    return {**base, **{key: _over(base[key], value) if key in base else value for key, value in own.items()}}


def line_of(root: yaml.Node | None, path: Sequence[str | int]) -> int:
    """The line on which the innermost existing part of `path` is written; 1-based."""
    line, node = (root.start_mark.line + 1 if root is not None else 1), root
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                continue  # pydantic also names the branch of a union, which is not in the file
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def written_line(text: str, path: Sequence[str | int]) -> int | None:
    """The line of a text that can be read on which just this member is written; None where it is not. 1-based."""
    root = _load(text)[0]
    return line_of(root, path) if _has(root, path) else None


def _has(root: yaml.Node | None, path: Sequence[str | int]) -> bool:
    node = root
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return False
    return node is not None


def _place(file: str, root: yaml.Node | None, slip: Slip) -> Problem:
    where = ".".join(str(step) for step in slip.path)
    return _problem(file, line_of(root, slip.path), f"{where}: {slip.problem}", slip.remedy)


def _explain(model: type[BaseModel], file: str, root: yaml.Node | None, error: Any) -> Problem:
    path = [step for step in error["loc"] if not (isinstance(step, str) and "[" in step)]
    where = ".".join(str(step) for step in path) or "the file"
    line = line_of(root, path)
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(path[-1]), sorted(_words(model)), n=1)
        remedy = f"did you mean {close[0]!r}?" if close else "remove it"
        return _problem(file, line, f"{where} is not a known setting", remedy)
    if error["type"] == "missing":
        return _problem(file, line, f"{where} is missing", "add it")
    message = error["msg"].removeprefix("Value error, ")
    problem, _, remedy = message.partition("; ")
    return _problem(file, line, f"{where}: {problem[:1].lower()}{problem[1:]}", remedy or "correct the value")


def _words(model: type[BaseModel]) -> set[str]:
    """Every member name of a model and of the models within it; for "did you mean"."""
    words: set[str] = set()
    waiting: list[Any] = [model]
    seen: set[Any] = set()
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        if isinstance(each, type) and issubclass(each, BaseModel):
            words |= {field.alias or name for name, field in each.model_fields.items()}
            waiting += [field.annotation for field in each.model_fields.values()]
        waiting += get_args(each)
    return words


def _problem(file: str, line: int, problem: str, remedy: str) -> Problem:
    return Problem(file=file, line=line, problem=problem, remedy=remedy)
