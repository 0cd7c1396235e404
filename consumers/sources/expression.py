"""Checks a JMESPath expression when the file is read, so that no event can find a mistake in it."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from pydantic import AfterValidator

from alerts.errors import BottomboxError
from consumers.intake import strict_json
from consumers.intake.reason import InvalidRecord

MAX_LENGTH = 1000
"""Characters. An expression nested a few thousand deep exhausts the parser's stack."""


class ExpressionError(BottomboxError):
    """The expression asks something of the event that it cannot give, like the length of a number."""


class _Ours(Functions):
    """JMESPath's own functions, and `from_json`: what a platform packs into a text as JSON."""

    @signature({"types": ["string", "object", "array", "null"]})
    def _func_from_json(self, found: Any) -> Any:
        return read_json(found) if isinstance(found, str) else found


_FUNCTIONS: dict[str, dict[str, Any]] = _Ours.FUNCTION_TABLE
_OPTIONS = jmespath.Options(custom_functions=_Ours())
_IN_TURN = frozenset({"function_expression", "comparator", "or_expression", "and_expression", "not_expression"})
_MADE = frozenset({"multi_select_list", "multi_select_dict", "key_val_pair"})


class Compiled:
    """An expression, ready to be asked."""

    def __init__(self, text: str) -> None:
        self._parsed = jmespath.compile(unicodedata.normalize("NFC", text))

    def search(self, event: Any) -> Any:
        """What the expression finds in `event`; None when it finds nothing. Raises ExpressionError."""
        try:
            return self._parsed.search(event, options=_OPTIONS)
        except (JMESPathError, InvalidRecord, ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
            raise ExpressionError("the expression does not fit this event") from None

    @property
    def tree(self) -> Any:
        return self._parsed.parsed

    @property
    def members(self) -> frozenset[str]:
        """The event's own members that are looked into; of a row, its columns."""
        return frozenset(_members(self.tree))


def compiled(text: str) -> Compiled:
    return Compiled(text)


def read_json(text: str) -> Any:
    """What the JSON in `text` says, as strictly as an event is read. Raises InvalidRecord."""
    found, _ = strict_json.read_object(b'{"in":%b}' % text.strip().encode("utf-8", "surrogatepass"))
    if found.keys() != {"in"}:  # the text was not one value, but went on as our object
        raise ValueError
    return found["in"]


def check_expression(text: str) -> str:
    """`text`. Raises ValueError, with a remedy, for what could not be asked of an event."""
    if not text.strip() or len(text) > MAX_LENGTH:
        raise ValueError(f"an expression has 1 to {MAX_LENGTH} characters; shorten it or remove the line")
    try:
        _check_functions(compiled(text).tree)
    except JMESPathError as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise ValueError(f"this is not JMESPath ({reason}); see jmespath.org") from None
    except RecursionError:
        raise ValueError("this expression is nested too deeply; write it more simply") from None
    return text


def _check_functions(node: Any) -> None:
    """jmespath itself meets an unknown function, or a wrong number of arguments, only while it searches."""
    if node["type"] == "function_expression":
        _check_call(node["value"], len(node["children"]))
    for child in node["children"]:
        if isinstance(child, dict):
            _check_functions(child)


def _check_call(name: str, arguments: int) -> None:
    if name not in _FUNCTIONS:
        raise ValueError(f"there is no function {name}(); use one of {', '.join(sorted(_FUNCTIONS))}")
    signature = _FUNCTIONS[name]["signature"]
    many = bool(signature) and signature[-1].get("variadic", False)
    if arguments < len(signature) or (arguments > len(signature) and not many):
        raise ValueError(f"{name}() takes {len(signature)} arguments, not {arguments}; correct the call")


def _members(node: Any) -> set[str]:
    """What stands right of a dot, a pipe or a bracket is asked of something within, not of the event."""
    if node["type"] == "field":
        return {node["value"]}
    children = [child for child in node["children"] if isinstance(child, dict)]
    if node["type"] in _IN_TURN or node["type"] in _MADE:
        return set().union(*(_members(child) for child in children))
    return _members(children[0]) if children else set()


Expression = Annotated[str, AfterValidator(check_expression)]
"""A JMESPath text that compiles and calls only functions that exist."""
