"""Knows the zones of Windows, Exchange and Dynamics by the names that everybody else uses."""

from __future__ import annotations

from functools import cache
from importlib import resources


def zone_named(text: str) -> str:
    """IANA's name for a zone of Windows; any other text as it is, to be judged where all zones are judged."""
    name = " ".join(text.split())
    return _windows().get(name.casefold(), name)


@cache
def _windows() -> dict[str, str]:
    table = resources.files("consumers.sources").joinpath("windows_zones.txt").read_text(encoding="utf-8")
    pairs = (line.split(" = ") for line in table.splitlines() if not line.startswith("#"))
    return {windows.casefold(): iana for windows, iana in pairs}
