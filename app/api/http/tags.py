"""ETags: a strong one changes with everything that is shown (RFC 9110, 8.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "It is what `If-None-Match` names"}}


def content_tag(body: bytes) -> dict[str, str]:
    """A digest of the answer."""
    return etag(hashlib.sha256(body).hexdigest()[:16])


def etag(version: object) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def is_known(if_none_match: Sequence[str], tag: str) -> bool:
    """Whether an If-None-Match names this tag; one that a proxy has made weak counts too."""
    named = [each.strip().removeprefix("W/") for each in ",".join(if_none_match).split(",")]
    return tag in named or named == ["*"]
