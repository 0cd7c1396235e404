"""Checks a JMESPath expression when the file is read, so that no event can find a mistake in it."""

from __future__ import annotations

from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult
from pydantic import AfterValidator

MAX_LENGTH = 1000
"""Characters. An expression nested a few thousand deep exhausts the parser's stack."""

_FUNCTIONS: dict[str, dict[str, Any]] = Functions.FUNCTION_TABLE


def _checked(text: str) -> str:
    if not text.strip() or len(text) > MAX_LENGTH:
        raise ValueError(f"an expression has 1 to {MAX_LENGTH} characters; shorten it or remove the line")
    try:
        parsed = compiled(text)
    except JMESPathError as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise ValueError(f"this is not JMESPath ({reason}); see jmespath.org") from None
    except RecursionError:
        raise ValueError("this expression is nested too deeply; write it more simply") from None
    _check_functions(parsed.parsed)
    return text


def compiled(text: str) -> ParsedResult:
    return jmespath.compile(text)


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


Expression = Annotated[str, AfterValidator(_checked)]
"""A JMESPath text that compiles and calls only functions that exist."""
