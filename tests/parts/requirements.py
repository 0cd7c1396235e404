"""Decides whether a missing part skips a story or fails it."""

from __future__ import annotations

import os

import pytest


def require(part: str, missing: str | None) -> None:
    """If something is missing, skip with that sentence, or fail if BOTTOMBOX_REQUIRE lists `part`."""
    if missing is None:
        return
    if part in os.environ.get("BOTTOMBOX_REQUIRE", "").replace(" ", "").split(","):
        pytest.fail(f"BOTTOMBOX_REQUIRE asks for {part}: {missing}", pytrace=False)
    pytest.skip(missing)
