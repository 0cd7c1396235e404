"""Which answers an action plan or a known problem is about: a condition of the policy, written into a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from pydantic import ValidationError

from alerts.conditions import When

OTHER_ANSWERS = "bottom_box_within_days"
"""The one part of a condition that looks at other answers of the customer than the one at hand."""


def read_match(value: Any) -> When:
    """Raises ValueError with the part that is wrong and what to do about it, without a word of what was sent."""
    try:
        when = When.model_validate_json(msgspec.json.encode(value))
    except ValidationError as error:
        raise ValueError(_told(error)) from None
    if when.bottom_box_within_days is not None:
        raise ValueError(f"{OTHER_ANSWERS} asks for other answers than the one that is matched; leave it out")
    return when


def written_match(when: When) -> dict[str, Any]:
    """As it is stored and shown: the parts that were given."""
    return when.model_dump(mode="json", exclude_unset=True)


def stored_match(value: Mapping[str, Any]) -> When:
    """What `written_match` has written."""
    return When.model_validate_json(msgspec.json.encode(value))


def _told(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    part = next((str(step) for step in first["loc"] if step in When.model_fields), None)
    if first["type"] == "extra_forbidden":
        return f"a condition has no such part; it has: {', '.join(name for name in When.model_fields if name != OTHER_ANSWERS)}"
    message = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return f"{part}: {message}" if part else message
